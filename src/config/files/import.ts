import { isAbsolute, relative } from "node:path";
import { fileProblem } from "./problems.ts";
import type { Problem } from "./problems.ts";
import { shown } from "./raw.ts";
import { within } from "./resolve.ts";
import { positions } from "../schema/tree.ts";

// Long enough for a file that asks another system for its values; without it, one that never answers would hang the start.
const DEADLINE_MS = 30_000;

let loads = 0;

/** What the file exports as default, or why it cannot be had. */
export type Imported = { readonly value: unknown } | { readonly problems: readonly Problem[] };

// A configuration stands anywhere, so `import { defineConfig } from "weir"` has to mean this Weir, not what the folder's
// node_modules, or worse the registry, holds under that name.
function provideWeir(): void {
  Bun.plugin({
    name: "weir",
    setup(build) {
      build.module("weir", async () => {
        // The path is kept from the layering check on purpose: the file loads Weir's public API as any user's file does.
        const index = new URL("../../index.ts", import.meta.url).href;
        const exports = (await import(index)) as Record<string, unknown>;
        return { exports, loader: "object" };
      });
    },
  });
}

/**
 * Runs a TypeScript or JavaScript configuration and takes its default export. A file that has changed is run anew;
 * the files that it imports are not.
 * @param path absolute
 * @param file the path as the user named it
 * @param text what the file holds
 */
export async function importConfig(path: string, file: string, text: string): Promise<Imported> {
  if (loads === 0) provideWeir();
  loads += 1;
  try {
    const loaded = (await within(
      import(`${path}?load=${loads}`),
      DEADLINE_MS,
      `it was not done within ${DEADLINE_MS / 1000} s`,
    )) as Record<string, unknown>;
    const value = loaded["default"];
    if (value === undefined)
      return { problems: [fileProblem("CONFIG_FILE_THREW", file, "the file exports nothing as default")] };
    if (typeof value === "function" || value instanceof Promise) {
      return {
        problems: [
          fileProblem("CONFIG_FILE_THREW", file, `the file exports ${shown(value)}, not a configuration`, {
            mend: "Export the object itself; await what it needs.",
          }),
        ],
      };
    }
    return { value };
  } catch (error) {
    const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
    return { problems: errors.map((each) => thrown(each, path, file, text)) };
  }
}

/** The files of a configuration that was imported, absolute: itself, and what it imports of the user's own files, however far. */
export function importedFiles(path: string): readonly string[] {
  const own = new URL("../..", import.meta.url).pathname;
  const imported = Object.keys(require.cache).map((file) => file.replace(/\?load=\d+$/, ""));
  const users = imported.filter(
    (file) => isAbsolute(file) && !file.startsWith(own) && !file.includes("/node_modules/"),
  );
  return [...new Set([path, ...users])];
}

function thrown(error: unknown, path: string, file: string, text: string): Problem {
  if (error instanceof ResolveMessage) return unresolvedImport(error, file, text);
  if (error instanceof BuildMessage) {
    const { message, position } = error;
    if (!position) return fileProblem("CONFIG_SYNTAX", file, message);
    const { line, column } = position;
    if (position.file === path) return fileProblem("CONFIG_SYNTAX", file, message, { line, column });
    return fileProblem(
      "CONFIG_SYNTAX",
      file,
      `in ${relative(process.cwd(), position.file)}:${line}:${column}: ${message}`,
    );
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : `it threw ${shown(error)}`;
  const at = error instanceof Error ? frameOf(error.stack ?? "", path) : {};
  return fileProblem("CONFIG_FILE_THREW", file, message, { mend: "Mend the exception.", ...at });
}

// The runtime names what is not there but not where it was asked for, so the text is searched for it.
function unresolvedImport({ specifier, message }: ResolveMessage, file: string, text: string): Problem {
  const found = [`"${specifier}"`, `'${specifier}'`]
    .map((quoted) => text.indexOf(quoted))
    .find((offset) => offset !== -1);
  const at = found === undefined ? { line: null, column: null } : positions(text)(found);
  return fileProblem("CONFIG_FILE_THREW", file, message.replaceAll(/\?load=\d+/g, ""), {
    ...at,
    mend: "Correct the import, or install what it names.",
  });
}

// The first line of the stack that is in the file itself: what it called may lie elsewhere.
function frameOf(stack: string, path: string): Partial<Problem> {
  for (const line of stack.split("\n")) {
    const start = line.indexOf(path);
    const match = start === -1 ? null : /^(?:\?load=\d+)?:(\d+):(\d+)/.exec(line.slice(start + path.length));
    if (match) return { line: Number(match[1]), column: Number(match[2]) };
  }
  return {};
}
