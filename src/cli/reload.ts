import { appliedSchema } from "../admin/model-writes.ts";
import { resolve } from "node:path";
import { Refused } from "./admin/client.ts";
import { ADMIN_FLAGS, type AdminFlag, clientOf, STATUSES } from "./admin/flags.ts";
import { appliedText, print } from "./admin/output.ts";
import { type Command, helpText, readArguments } from "./command.ts";
import { reportProblems } from "./report.ts";

export const RELOAD: Command<AdminFlag | "dry-run"> = {
  name: "reload",
  about: "Has the running Weir read its configuration anew and bring it into force, without losing a connection.",
  forms: [
    ["weir reload", "the file that it runs"],
    ["weir reload FILE", "another one, from now on"],
  ],
  positional: "FILE",
  flags: { ...ADMIN_FLAGS, "dry-run": { value: null, meaning: "say what would change, and change nothing" } },
  notes: ["What was set at run time holds over what the file says.", STATUSES],
};

/** `weir reload [FILE]`. @returns the exit status @throws CLI_USAGE, ADMIN_UNREACHABLE, what the API says */
export async function reload(args: readonly string[]): Promise<number> {
  const given = readArguments(RELOAD, args);
  if (given.help) {
    console.log(helpText(RELOAD));
    return 0;
  }
  const { flags, positional } = given;
  const dryRun = flags["dry-run"].length > 0;
  // Weir may run in another folder than this command.
  const file = positional === null ? {} : { file: resolve(positional) };
  try {
    const answer = await clientOf(given).send("POST", "/v1/reload", appliedSchema, { ...file, dryRun });
    print(flags.json.length > 0, answer, appliedText);
    return 0;
  } catch (error) {
    if (!(error instanceof Refused) || error.problems.length === 0) throw error;
    // As `weir check` says it.
    if (flags.json.length > 0) console.log(JSON.stringify(error.document));
    else reportProblems(error.problems, "--json");
    return 1;
  }
}
