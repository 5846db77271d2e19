import { WeirError } from "../errors.ts";
import { ADMIN_FLAGS, type AdminFlag, clientOf } from "./admin/flags.ts";
import { type Command, helpText, readArguments, usage } from "./command.ts";
import { stopSignals } from "./signals.ts";
import { topApi } from "./top/api.ts";
import { runView } from "./top/view.ts";

export const TOP: Command<Exclude<AdminFlag, "json">> = {
  name: "top",
  about: "Shows a running Weir as it works: pools, backends, rates, latencies, states and events.",
  forms: [["weir top", "the Weir of this machine"]],
  positional: null,
  flags: { admin: ADMIN_FLAGS.admin, "token-file": ADMIN_FLAGS["token-file"] },
  notes: [
    "Keys: ↑ ↓ choose a backend, d drains it, r makes it ready, + and - change its weight, q quits.",
    "What a key changes holds until Weir is restarted; `weir drain`, `weir weight` and the others can keep it.",
  ],
};

/**
 * `weir top`: runs until `q`.
 * @returns the exit status
 * @throws CLI_USAGE, CONFIG_BAD_ADDRESS, ADMIN_TOKEN_UNSAFE, ADMIN_UNAUTHORIZED
 */
export async function top(args: readonly string[]): Promise<number> {
  const given = readArguments(TOP, args);
  if (given.help) {
    console.log(helpText(TOP));
    return 0;
  }
  const client = clientOf({ ...given, flags: { ...given.flags, json: [] } });
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw usage("it needs a terminal; `weir status` and `weir backends` print for programs", "top");
  }
  const ended = await runView(topApi(client), stopSignals().drain);
  if (ended === "denied") throw new WeirError("ADMIN_UNAUTHORIZED", "name the file that holds it with --token-file");
  return 0;
}
