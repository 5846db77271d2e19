import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { usualStateFolder } from "../secrets/affinity-secret.ts";
import { findConfigFile, isModule, type LoadedConfig, load } from "../../config/files/load.ts";
import { applyOverlay, type Overlay } from "../../config/overlay/overlay.ts";
import { section } from "../../config/files/raw.ts";
import { loadApart, type Shelf } from "./load-apart.ts";

/** Where a configuration comes from. */
export type ConfigSource =
  | {
      readonly kind: "file";
      /** As the user named it; `null` for the default file of the folder. */
      readonly file: string | null;
      /** Keys of the command line that stand over those of the file, known to be right. */
      readonly over: Readonly<Record<string, unknown>>;
    }
  /** Flags, or an object of a program. It never changes by itself. */
  | { readonly kind: "object"; readonly config: object };

/** A text of this size takes some 50 ms to read: above it another process does, so that probes and answers go on meanwhile. */
const APART_BYTES = 64 * 1024;

/**
 * Loads a source and applies run-time edits. Modules, and large texts unless it is the start, are read by another process: a module
 * may change what it imports, end the process or never end.
 * @param starting nothing is running yet that would have to wait
 * @param shelf of the plan in force
 */
export async function loadSource(
  source: ConfigSource,
  edits: Overlay,
  starting: boolean,
  shelf?: Shelf,
): Promise<LoadedConfig> {
  if (source.kind === "object") return load(source.config, process.cwd(), { edit: editing({}, edits) });
  const { over } = source;
  const file = source.file ?? (await findConfigFile(process.cwd()));
  const apart = file !== null && (isModule(file) || (!starting && (await sizeOf(file)) > APART_BYTES));
  if (apart) return loadApart({ file, folder: process.cwd(), over, edits }, shelf);
  return load(file, process.cwd(), { edit: editing(over, edits) });
}

/** What is done to a configuration as it was written before it is checked. */
export function editing(over: Readonly<Record<string, unknown>>, edits: Overlay): (raw: unknown) => unknown {
  return (raw) => {
    const whole = section(raw);
    return applyOverlay(
      whole === null || Object.keys(over).length === 0 ? raw : { ...whole, ...over, ...adminOf(whole, over) },
      edits,
    );
  };
}

/** An address of the command line takes the place of the file's, and not of the token that the file asks for. */
function adminOf(whole: Readonly<Record<string, unknown>>, { admin }: Readonly<Record<string, unknown>>): object {
  const own = section(whole["admin"]);
  return typeof admin === "string" && admin !== "off" && own !== null ? { admin: { ...own, address: admin } } : {};
}

/** What names the source in the file of run-time edits: its absolute path, or what the flags say. */
export function nameOf(source: ConfigSource, file: string | null): string {
  if (source.kind === "file") return resolve(source.file ?? file ?? "weir.config");
  return `flags ${JSON.stringify(source.config)}`;
}

/** Where the state of a configuration is kept. */
export function stateFolderOf(plan: { readonly stateFolder: string | null }): string {
  return plan.stateFolder ?? usualStateFolder(process.env);
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => null))?.size ?? 0;
}

/** Another file in the place of a source; what the command line says over it stays. */
export function otherFile(source: ConfigSource, file: string): ConfigSource {
  return { kind: "file", file, over: source.kind === "file" ? source.over : {} };
}
