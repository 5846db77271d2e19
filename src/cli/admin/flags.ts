import type { Flag, Given } from "../command.ts";
import { AdminClient } from "./client.ts";

/** Flags of every command that speaks to a running Weir. */
export type AdminFlag = "admin" | "token-file" | "json";

export const ADMIN_FLAGS: Readonly<Record<AdminFlag, Flag>> = {
  admin: { value: "ADDR", meaning: "where the admin API of the running Weir is (default 127.0.0.1:9900)" },
  "token-file": { value: "FILE", meaning: "the token of the admin API, where it wants one (or WEIR_TOKEN_FILE)" },
  json: { value: null, meaning: "the answer as JSON, for programs" },
};

/** `--persist`, of commands that change something. */
export const PERSIST: Flag = { value: null, meaning: "keep it over restarts; otherwise it holds until the next start" };

/** What exit statuses mean; of the help of every command. */
export const STATUSES = "Exit status: 0 when done, 1 when refused or not understood, 3 when no Weir answers.";

/** The running Weir that was meant. @throws CONFIG_BAD_ADDRESS, ADMIN_TOKEN_UNSAFE */
export function clientOf({ flags }: Given<AdminFlag>): AdminClient {
  const tokenFile = flags["token-file"][0] ?? process.env["WEIR_TOKEN_FILE"];
  return new AdminClient(flags.admin[0] ?? null, tokenFile === undefined || tokenFile === "" ? null : tokenFile);
}
