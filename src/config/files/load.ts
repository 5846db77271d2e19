import { readFile, stat } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { importConfig, importedFiles } from "./import.ts";
import { fileProblem } from "./problems.ts";
import type { Problem } from "./problems.ts";
import { planFromConfig } from "./read.ts";
import type { Loaded, Origin, ReadOptions } from "./read.ts";
import type { Parsed } from "../schema/tree.ts";

/** The files that are looked for where none is named, in this order. */
export const DEFAULT_FILES: readonly string[] = ["ts", "js", "mjs", "yaml", "yml", "json", "toml"].map(
  (ending) => `weir.config.${ending}`,
);

const MODULES: ReadonlySet<string> = new Set([".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"]);
// Ten thousand times a usual configuration: a bound, so that a wrong path does not fill the memory.
const MAX_BYTES = 16 * 2 ** 20;
// A broken file may break on every line; the first are the ones to mend.
const MAX_FAULTS = 20;

/** Reads the text formats only when one is met, so that a start without a file loads no parser. */
const TEXT: Readonly<Record<string, () => Promise<(text: string) => Parsed>>> = {
  ".yaml": async () => (await import("./read-yaml.ts")).readYaml,
  ".yml": async () => (await import("./read-yaml.ts")).readYaml,
  ".json": async () => (await import("./read-json.ts")).readJson,
  ".toml": async () => (await import("./read-toml.ts")).readToml,
};

/** What is done besides loading. */
export interface LoadOptions extends ReadOptions {
  /** Changes what was written before it is checked; for what stands over the file. */
  readonly edit?: (raw: unknown) => unknown;
}

/** A configuration that was loaded, right or wrong. */
export type LoadedConfig = Loaded & {
  /** As the user named it; `null` where there is none. */
  readonly file: string | null;
  /** What it consists of, absolute paths: the file, and what it imports where it is a module. */
  readonly files: readonly string[];
  /** What was written, before `edit`; missing where it could not be read. */
  readonly raw?: unknown;
};

/** Whether a file is a program that exports its configuration. */
export function isModule(file: string): boolean {
  return MODULES.has(extname(file).toLowerCase());
}

/** The default configuration file of a folder, or `null` where it has none. */
export async function findConfigFile(folder: string): Promise<string | null> {
  for (const name of DEFAULT_FILES) {
    const found = await stat(join(folder, name)).catch(() => null);
    if (found && !found.isDirectory()) return name;
  }
  return null;
}

/**
 * Loads a configuration: a file by its path, the default file of the folder where `source` is `null`, or an object already made.
 * Never rejects for a missing or wrong configuration: all that is wrong comes back at once.
 * @param folder what a relative path is relative to
 */
export async function load(
  source: string | object | null,
  folder: string = process.cwd(),
  options: LoadOptions = {},
): Promise<LoadedConfig> {
  if (typeof source === "object" && source !== null)
    return { file: null, files: [], ...(await edited(source, { file: null }, options)) };
  const file = source ?? (await findConfigFile(folder));
  if (file !== null) return { file, files: [resolve(folder, file)], ...(await loadFile(file, folder, options)) };
  const mend = "Name a file, or make one of these.";
  const message = `there is no configuration in this folder; looked for ${DEFAULT_FILES.join(", ")}`;
  const problems = [{ ...fileProblem("CONFIG_FILE_MISSING", "", message, { mend }), file: null }];
  return { file: null, files: [], problems };
}

type LoadedFile = Loaded & Partial<Pick<LoadedConfig, "files" | "raw">>;

async function edited(raw: unknown, origin: Origin, { edit, ...options }: LoadOptions): Promise<LoadedFile> {
  return { raw, ...(await planFromConfig(edit === undefined ? raw : edit(raw), origin, options)) };
}

async function loadFile(file: string, folder: string, options: LoadOptions): Promise<LoadedFile> {
  const path = resolve(folder, file);
  const ending = extname(path).toLowerCase();
  const text = await readText(path, file);
  if (typeof text !== "string") return { problems: [text] };
  if (MODULES.has(ending)) {
    const imported = await importConfig(path, file, text);
    const files = importedFiles(path);
    if ("problems" in imported) return { files, ...imported };
    const tree = async () => (await import("./read-module.ts")).readModule(text);
    return { files, ...(await edited(imported.value, { file, tree }, options)) };
  }
  const reader = await TEXT[ending]?.();
  if (!reader) {
    const message =
      ending === "" ? "the file has no ending that tells its format" : `"${ending}" is no format that Weir reads`;
    return { problems: [fileProblem("CONFIG_FILE_FORMAT", file, message)] };
  }
  const parsed = reader(text);
  if ("faults" in parsed) {
    const places = parsed.faults.slice(0, MAX_FAULTS).map(({ at, message, mend }) =>
      fileProblem("CONFIG_SYNTAX", file, message, {
        line: at.line,
        column: at.column,
        ...(mend === null ? {} : { mend }),
      }),
    );
    return { problems: places };
  }
  return edited(parsed.value, { file, tree: async () => parsed.tree }, options);
}

async function readText(path: string, file: string): Promise<string | Problem> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES)
      return fileProblem("CONFIG_FILE_UNREADABLE", file, "the file has more than 16 MiB", {
        mend: "Name a configuration file.",
      });
    const text = await readFile(path, "utf8");
    return text.replace(/^\ufeff/, "");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOENT" || code === "ENOTDIR")
      return fileProblem("CONFIG_FILE_MISSING", file, "there is no such file");
    if (code === "EISDIR")
      return fileProblem("CONFIG_FILE_UNREADABLE", file, "it is a folder, not a file", {
        mend: "Name the file in it.",
      });
    if (code === "EACCES" || code === "EPERM")
      return fileProblem("CONFIG_FILE_UNREADABLE", file, "this user may not read it");
    return fileProblem("CONFIG_FILE_UNREADABLE", file, error instanceof Error ? error.message : String(error), {
      mend: "See the reason.",
    });
  }
}
