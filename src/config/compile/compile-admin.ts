import type { AdminPlan } from "../../plan.ts";
import { listenAddress } from "../check/addresses.ts";
import { DEFAULT_ADMIN } from "../schema/defaults.ts";
import type { ReadConfig } from "../schema/schema.ts";

/** `admin` of a configuration, with its defaults. */
export function adminOf(given: ReadConfig["admin"]): AdminPlan | null {
  if (given === null) return null;
  // An address has a kind, a section none.
  if (given !== undefined && "kind" in given) return { address: given, tokenFile: null };
  return { address: given?.address ?? listenAddress(DEFAULT_ADMIN), tokenFile: given?.tokenFile ?? null };
}
