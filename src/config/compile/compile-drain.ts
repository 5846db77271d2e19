import type { DrainPlan } from "../../plan.ts";
import { DEFAULT_DRAIN } from "../schema/defaults.ts";

/** The deadlines of what a change removes. */
export function drainOf(
  given: { readonly requests?: number | undefined; readonly tunnels?: number | undefined } | undefined,
): DrainPlan {
  return {
    requestsMs: given?.requests ?? DEFAULT_DRAIN.requestsMs,
    tunnelsMs: given?.tunnels ?? DEFAULT_DRAIN.tunnelsMs,
  };
}
