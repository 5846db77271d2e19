import { z } from "zod";
import { keyInfo } from "./leaves.ts";
import type { KeyInfo } from "./leaves.ts";
import type { Path } from "../files/problems.ts";

/** The schema inside `optional`, `readonly` and transformations. */
export function bare(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  for (;;) {
    if (inner instanceof z.ZodOptional || inner instanceof z.ZodReadonly) inner = inner.def.innerType;
    else if (inner instanceof z.ZodPipe) inner = inner.def.in;
    else return inner;
  }
}

/** The key information of a schema or of what it wraps. */
export function infoOf(schema: z.core.$ZodType): KeyInfo | null {
  let inner = schema;
  for (;;) {
    const info = keyInfo.get(inner);
    if (info) return info;
    if (inner instanceof z.ZodOptional || inner instanceof z.ZodReadonly) inner = inner.def.innerType;
    else if (inner instanceof z.ZodPipe) inner = inner.def.in;
    else return null;
  }
}

/** The schema of what stands at a path of the configuration, or `null`. */
export function schemaAt(root: z.core.$ZodType, path: Path): z.core.$ZodType | null {
  let schema: z.core.$ZodType | undefined = root;
  for (const step of path) {
    schema = childOf(bare(schema), step);
    if (!schema) return null;
  }
  return schema;
}

function childOf(schema: z.core.$ZodType, step: string | number): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) return Object.hasOwn(schema.shape, step) ? schema.shape[step] : undefined;
  if (schema instanceof z.ZodRecord) return schema.def.valueType;
  if (schema instanceof z.ZodArray) return schema.def.element;
  if (schema instanceof z.ZodUnion) {
    for (const option of schema.options) {
      const found = childOf(bare(option), step);
      if (found) return found;
    }
  }
  return undefined;
}

/** The keys that may stand in a section. */
export function keysOf(schema: z.core.$ZodType): readonly string[] {
  const inner = bare(schema);
  if (inner instanceof z.ZodObject) return Object.keys(inner.shape);
  if (inner instanceof z.ZodUnion) return inner.options.flatMap((option) => keysOf(option));
  return [];
}
