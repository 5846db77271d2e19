import type { Plan } from "../../plan.ts";
import type { ReadExplain } from "../schema/explain-schema.ts";

/** Who may have requests explained; nothing where it is off. */
export function explainOf(read: ReadExplain | undefined): Pick<Plan, "explain"> {
  return read === undefined ? {} : { explain: { token: read.token ?? null, tokenFile: read.tokenFile ?? null } };
}
