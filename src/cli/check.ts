import { load } from "../config/load.ts";
import { summary } from "../config/summary.ts";
import { type Command, helpText, readArguments } from "./command.ts";
import { reportProblems } from "./report.ts";

const CHECK: Command<never> = {
  name: "check",
  about: "Reads a configuration and says everything that is wrong with it, or sums it up. Starts nothing.",
  forms: [["weir check [FILE]", "a configuration file; without one, the first weir.config.* of this folder"]],
  positional: "FILE",
  flags: {},
};

/**
 * `weir check [FILE]`: says everything that is wrong on stderr, a line each, or sums the configuration up on stdout.
 * Names of backends are resolved; nothing is started.
 * @param args what follows `check` on the command line
 * @returns the exit status: 0 for a good configuration, 1 for a wrong one
 * @throws CLI_USAGE for an unknown option or a second file
 */
export async function check(args: readonly string[]): Promise<number> {
  const { help, positional } = readArguments(CHECK, args);
  if (help) {
    console.log(helpText(CHECK));
    return 0;
  }
  const loaded = await load(positional);
  if ("problems" in loaded) {
    reportProblems(loaded.problems);
    return 1;
  }
  console.log(`${loaded.file ?? ""} is good\n\n${summary(loaded.plan)}`);
  return 0;
}
