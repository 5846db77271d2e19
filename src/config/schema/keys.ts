import { z } from "zod";
import { configSchema } from "./schema.ts";
import { bare, infoOf } from "./walk.ts";

/** A key as `docs/configuration.md` lists it. */
export interface DocumentedKey {
  readonly name: string;
  readonly type: string;
  /** The value where it is left out; `null` where there is none. */
  readonly fallback: string | null;
  readonly required: boolean;
  readonly meaning: string;
}

/** A section of the configuration with its keys. */
export interface DocumentedSection {
  /** How it is reached, such as `pools.NAME.backends[]`; empty for the top level. */
  readonly path: string;
  readonly keys: readonly DocumentedKey[];
}

/** Every key of the configuration, section by section, from the schema's own descriptions. */
export function documentedSections(): DocumentedSection[] {
  const found: DocumentedSection[] = [];
  collect(configSchema, "", found);
  return found;
}

function collect(schema: z.core.$ZodType, path: string, found: DocumentedSection[]): void {
  const inner = bare(schema);
  if (inner instanceof z.ZodUnion) for (const option of inner.options) collect(option, path, found);
  else if (inner instanceof z.ZodArray) collect(inner.def.element, `${path}[]`, found);
  else if (inner instanceof z.ZodRecord) collect(inner.def.valueType, `${path}.NAME`, found);
  else if (inner instanceof z.ZodObject) {
    const entries = Object.entries<z.core.$ZodType>(inner.shape);
    const keys = entries.map(([name, child]) => documented(name, child));
    found.push({ path, keys });
    for (const [name, child] of entries) {
      // The same keys at every level are listed once, at the top; below it only what that level has beside them.
      if (path !== "" && (name === "timeouts" || name === "limits")) {
        const more = keysBeside(child, configSchema.shape[name]);
        if (more.length > 0) found.push({ path: `${path}.${name}`, keys: more });
      } else collect(child, path === "" ? name : `${path}.${name}`, found);
    }
  }
}

function keysBeside(schema: z.core.$ZodType, shared: z.core.$ZodType): DocumentedKey[] {
  const [own, top] = [bare(schema), bare(shared)];
  if (!(own instanceof z.ZodObject && top instanceof z.ZodObject)) return [];
  return Object.entries<z.core.$ZodType>(own.shape)
    .filter(([name]) => !Object.hasOwn(top.shape, name))
    .map(([name, child]) => documented(name, child));
}

function documented(name: string, schema: z.core.$ZodType): DocumentedKey {
  const info = infoOf(schema);
  const described = schema instanceof z.ZodType ? (schema.description ?? innerDescription(schema)) : "";
  const fallback = info?.fallback ?? null;
  const meaning = fallback === null ? described : described.replace(` Default: ${fallback}.`, "");
  return { name, type: info?.type ?? "", fallback, required: !(schema instanceof z.ZodOptional), meaning };
}

function innerDescription(schema: z.ZodType): string {
  const inner = schema instanceof z.ZodOptional || schema instanceof z.ZodReadonly ? schema.def.innerType : null;
  return inner instanceof z.ZodType ? (inner.description ?? innerDescription(inner)) : "";
}
