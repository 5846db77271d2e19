import { doneSchema } from "../admin/model-writes.ts";
import { ADMIN_FLAGS, type AdminFlag, clientOf, STATUSES } from "./admin/flags.ts";
import { print } from "./admin/output.ts";
import { type Command, helpText, readArguments, usage } from "./command.ts";

export const RENEW: Command<AdminFlag> = {
  name: "renew",
  about:
    "Puts a new process in a worker's place on the same listening sockets; the one before finishes what it has open.",
  forms: [["weir renew WORKER", "by its number, as `weir status` lists them"]],
  positional: "WORKER",
  flags: ADMIN_FLAGS,
  notes: ["Where the new one does not start, the old one goes on.", STATUSES],
};

/** `weir renew`. @returns the exit status @throws CLI_USAGE, ADMIN_UNREACHABLE, what the API says */
export async function renew(args: readonly string[]): Promise<number> {
  const given = readArguments(RENEW, args);
  if (given.help) {
    console.log(helpText(RENEW));
    return 0;
  }
  const worker = given.positional;
  if (worker === null) throw usage("which worker? weir renew 0", "renew");
  const path = `/v1/workers/${encodeURIComponent(worker)}/renew`;
  const answer = await clientOf(given).send("POST", path, doneSchema, {});
  print(given.flags.json.length > 0, answer, ({ done }) => done);
  return 0;
}
