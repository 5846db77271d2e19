import { load, type LoadedConfig } from "../config/files/load.ts";
import { MOST_TOLD } from "../config/files/problems.ts";
import { changeText, idleEdits, type Overlay } from "../config/overlay/overlay.ts";
import { readOverlay } from "../config/overlay/overlay-file.ts";
import { summary } from "../config/summary.ts";
import { WeirError } from "../errors.ts";
import { type ConfigSource, editing, nameOf, stateFolderOf } from "../process/load/config-source.ts";
import { withBlame } from "../process/load/kept-edits.ts";
import { type Command, type Given, helpText, readArguments, usage } from "./command.ts";
import { reload } from "./reload.ts";
import { reportError, reportProblems } from "./report.ts";

type Name = "all" | "diff" | "admin" | "token-file" | "json";

export const CHECK: Command<Name> = {
  name: "check",
  about: "Reads a configuration and says what is wrong with it, all at once, or sums it up. Starts nothing.",
  forms: [
    ["weir check [FILE]", "a configuration file; without one, the first weir.config.* of this folder"],
    ["weir check [FILE] --diff", "what a reload of the running Weir would change; without FILE, of the file it runs"],
  ],
  positional: "FILE",
  flags: {
    all: { value: null, meaning: `show everything that is wrong, not only the first ${MOST_TOLD}` },
    diff: { value: null, meaning: "ask the running Weir what would change; nothing is changed" },
    admin: { value: "ADDR", meaning: "with --diff: where its admin API is (default 127.0.0.1:9900)" },
    "token-file": { value: "FILE", meaning: "with --diff: the token of the admin API, where it wants one" },
    json: { value: null, meaning: "with --diff: the answer as JSON" },
  },
  notes: ["Exit status: 0 for a good configuration, 1 for a wrong one, 3 with --diff where no Weir answers."],
};

/**
 * `weir check [FILE]`: says what is wrong on stderr, a line each, or sums the configuration up on stdout, with what was edited
 * at run time and is kept over restarts. Names of backends are resolved; nothing is started.
 * @param args what follows `check` on the command line
 * @returns the exit status: 0 for a good configuration, 1 for a wrong one
 * @throws CLI_USAGE for an unknown option or a second file; with `--diff` ADMIN_UNREACHABLE and what the API says
 */
export async function check(args: readonly string[]): Promise<number> {
  const given = readArguments(CHECK, args);
  if (given.help) {
    console.log(helpText(CHECK));
    return 0;
  }
  const { positional, flags } = given;
  if (flags.diff.length > 0 && flags.all.length > 0)
    throw usage("--all and --diff exclude each other; --diff --json shows everything", "check");
  if (flags.diff.length > 0) return reload(["--dry-run", ...withoutDiff(given)]);
  for (const name of ["admin", "token-file", "json"] as const)
    if (flags[name].length > 0) throw usage(`--${name} belongs to --diff`, "check");
  const seeAll = flags.all.length > 0 ? null : "--all";
  const loaded = await load(positional);
  if ("problems" in loaded) {
    reportProblems(loaded.problems, seeAll);
    return 1;
  }
  const edits = keptEdits(loaded);
  // What would run: an edit may have gone wrong since the file was changed.
  const edited = edits.length === 0 ? loaded : await load(positional, process.cwd(), { edit: editing({}, edits) });
  if ("problems" in edited) {
    reportProblems(await withBlame(edited.problems, sourceOf(loaded), loaded, edits), seeAll);
    console.error(`with the run-time edits that are kept:\n${editLines(loaded.raw, edits)}`);
    return 1;
  }
  const kept =
    edits.length === 0 ? "" : `\n\nrun-time edits that are kept, and are in this\n${editLines(loaded.raw, edits)}`;
  console.log(`${loaded.file ?? ""} is good\n\n${summary(edited.plan)}${kept}`);
  return 0;
}

function withoutDiff({ positional, flags }: Given<Name>): string[] {
  return [
    ...(positional === null ? [] : [positional]),
    ...flags.admin.map((value) => `--admin=${value}`),
    ...flags["token-file"].map((value) => `--token-file=${value}`),
    ...flags.json.map(() => "--json"),
  ];
}

/** Edits that the next start begins with. Where they cannot be read, that is said, and is no fault of the configuration. */
function keptEdits(loaded: LoadedConfig): Overlay {
  if (!("plan" in loaded) || loaded.file === null) return [];
  try {
    return readOverlay(stateFolderOf(loaded.plan), nameOf(sourceOf(loaded), loaded.file));
  } catch (error) {
    if (!(error instanceof WeirError)) throw error;
    reportError(error);
    return [];
  }
}

function sourceOf({ file }: LoadedConfig): ConfigSource {
  return { kind: "file", file, over: {} };
}

function editLines(raw: unknown, edits: Overlay): string {
  const idle = new Set(idleEdits(raw, edits));
  return edits
    .map(
      (edit) =>
        `  ${changeText(edit.change)}${idle.has(edit) ? " (of no effect: it is not in the file any more)" : ""}`,
    )
    .join("\n");
}
