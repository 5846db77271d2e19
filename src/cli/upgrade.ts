import { statusSchema } from "../admin/model.ts";
import { doneSchema } from "../admin/model-writes.ts";
import type { AdminClient } from "./admin/client.ts";
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

/** How long the new process may take to have the address of the API, some 50 ms mostly, and how often is looked. It may have come to have another. */
const ANSWERS_MS = 2000;
const LOOK_MS = 20;
/** No more than that: one of the two is of another version. */
const whoSchema = statusSchema.pick({ pid: true });

/** Waits for another process to answer, so that what follows `weir upgrade` in a script reaches it. */
async function answeredByAnother(client: AdminClient, pid: number): Promise<void> {
  for (const until = performance.now() + ANSWERS_MS; performance.now() < until; await Bun.sleep(LOOK_MS)) {
    const status = await client.get("/v1/status", whoSchema).catch(() => null);
    if (status !== null && status.pid !== pid) return;
  }
}

/** `weir upgrade`. @returns the exit status @throws CLI_USAGE, ADMIN_UNREACHABLE, what the API says */
export async function upgrade(args: readonly string[]): Promise<number> {
  const given = readArguments(UPGRADE, args);
  if (given.help) {
    console.log(helpText(UPGRADE));
    return 0;
  }
  const client = clientOf(given);
  const { pid } = await client.get("/v1/status", whoSchema);
  const answer = await client.send("POST", "/v1/upgrade", doneSchema, {});
  await answeredByAnother(client, pid);
  print(given.flags.json.length > 0, answer, ({ done }) => done);
  return 0;
}
