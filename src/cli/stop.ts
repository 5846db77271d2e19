import { statusSchema } from "../admin/model.ts";
import { doneSchema } from "../admin/model-writes.ts";
import { WeirError } from "../errors.ts";
import { ADMIN_FLAGS, type AdminFlag, clientOf, STATUSES } from "./admin/flags.ts";
import { print } from "./admin/output.ts";
import { type Command, helpText, readArguments } from "./command.ts";

export const STOP: Command<AdminFlag | "now" | "wait"> = {
  name: "stop",
  about: "Ends the running Weir: it takes nothing new, finishes what is open up to `shutdown.timeout`, and ends.",
  forms: [["weir stop", "begins, and returns at once"]],
  positional: null,
  flags: {
    ...ADMIN_FLAGS,
    now: { value: null, meaning: "end at once; what is open breaks off" },
    wait: { value: null, meaning: "return when it has ended" },
  },
  notes: [STATUSES],
};

/** Often enough for a person, seldom enough for Weir. */
const LOOK_MS = 200;

/** `weir stop`. @returns the exit status @throws CLI_USAGE, ADMIN_UNREACHABLE, what the API says */
export async function stop(args: readonly string[]): Promise<number> {
  const given = readArguments(STOP, args);
  if (given.help) {
    console.log(helpText(STOP));
    return 0;
  }
  const { flags } = given;
  const client = clientOf(given);
  const answer = await client.send("POST", "/v1/stop", doneSchema, { now: flags.now.length > 0 });
  if (flags.wait.length > 0) {
    try {
      for (;;) {
        await client.get("/v1/status", statusSchema);
        await Bun.sleep(LOOK_MS);
      }
    } catch (error) {
      // Its admin API ends with it.
      if (!(error instanceof WeirError && error.code === "ADMIN_UNREACHABLE")) throw error;
    }
  }
  print(flags.json.length > 0, answer, ({ done }) => done);
  return 0;
}
