import { MAX_WEIGHT } from "../config/check/addresses.ts";
import { appliedSchema } from "../admin/model-writes.ts";
import { ADMIN_FLAGS, type AdminFlag, clientOf, PERSIST, STATUSES } from "./admin/flags.ts";
import { appliedText, print } from "./admin/output.ts";
import { placeOf } from "./admin/place.ts";
import { type Command, helpText, readArguments, usage } from "./command.ts";

export const WEIGHT: Command<AdminFlag | "persist"> = {
  name: "weight",
  about: "Sets the share of work of a backend.",
  forms: [["weir weight POOL/BACKEND N", "N from 0 to 65535, in proportion to the other weights; 0 takes no new work"]],
  positional: "POOL/BACKEND",
  further: ["N"],
  flags: { ...ADMIN_FLAGS, persist: PERSIST },
  notes: [STATUSES],
};

/** `weir weight POOL/BACKEND N`. @returns the exit status @throws CLI_USAGE, ADMIN_UNREACHABLE, what the API says */
export async function weight(args: readonly string[]): Promise<number> {
  const given = readArguments(WEIGHT, args);
  if (given.help) {
    console.log(helpText(WEIGHT));
    return 0;
  }
  const { path } = placeOf(given.positional, "weight");
  const [text] = given.further;
  if (text === undefined || !/^\d{1,5}$/.test(text) || Number(text) > MAX_WEIGHT)
    throw usage(
      `the weight is a whole number from 0 to ${MAX_WEIGHT}, ${text === undefined ? "and is missing" : `not "${text}"`}`,
      "weight",
    );
  const body = { weight: Number(text), persist: given.flags.persist.length > 0 };
  print(given.flags.json.length > 0, await clientOf(given).send("PATCH", path, appliedSchema, body), appliedText);
  return 0;
}
