import { doneSchema } from "../admin/model-writes.ts";
import { ADMIN_FLAGS, type AdminFlag, clientOf, STATUSES } from "./admin/flags.ts";
import { print } from "./admin/output.ts";
import { type Command, helpText, readArguments } from "./command.ts";

export const UPGRADE: Command<AdminFlag> = {
  name: "upgrade",
  about:
    "Starts the program of the running Weir anew on the same listening sockets, and drains the old one when it is ready.",
  forms: [
    ["weir upgrade", "after a new version was put in its place, or a key was changed that a reload cannot change"],
  ],
  positional: null,
  flags: ADMIN_FLAGS,
  notes: ["Where the new one does not start, the old one goes on.", STATUSES],
};

/** `weir upgrade`. @returns the exit status @throws CLI_USAGE, ADMIN_UNREACHABLE, what the API says */
export async function upgrade(args: readonly string[]): Promise<number> {
  const given = readArguments(UPGRADE, args);
  if (given.help) {
    console.log(helpText(UPGRADE));
    return 0;
  }
  const answer = await clientOf(given).send("POST", "/v1/upgrade", doneSchema, {});
  print(given.flags.json.length > 0, answer, ({ done }) => done);
  return 0;
}
