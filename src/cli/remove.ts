import { appliedSchema } from "../admin/model-writes.ts";
import { ADMIN_FLAGS, type AdminFlag, clientOf, PERSIST, STATUSES } from "./admin/flags.ts";
import { appliedText, print } from "./admin/output.ts";
import { placeOf } from "./admin/place.ts";
import { type Command, helpText, readArguments } from "./command.ts";

export const REMOVE: Command<AdminFlag | "persist"> = {
  name: "remove",
  about: "Removes a backend from its pool; what it has is finished, up to the deadlines of `drain`.",
  forms: [["weir remove POOL/BACKEND", "one that is not there is no error"]],
  positional: "POOL/BACKEND",
  flags: { ...ADMIN_FLAGS, persist: PERSIST },
  notes: [STATUSES],
};

/** `weir remove POOL/BACKEND`. @returns the exit status @throws CLI_USAGE, ADMIN_UNREACHABLE, what the API says */
export async function remove(args: readonly string[]): Promise<number> {
  const given = readArguments(REMOVE, args);
  if (given.help) {
    console.log(helpText(REMOVE));
    return 0;
  }
  const { path } = placeOf(given.positional, "remove");
  const query = given.flags.persist.length > 0 ? "?persist=true" : "";
  print(given.flags.json.length > 0, await clientOf(given).send("DELETE", path + query, appliedSchema), appliedText);
  return 0;
}
