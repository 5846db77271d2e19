import type { Tools } from "./policy.ts";

/**
 * A backend all of whose attempts fail counts as having this many times its even share in flight: above any healthy one
 * in two or more, and above an even share from a quarter of failures on.
 */
const AVERSION = 4;

/**
 * What a backend has in flight, as policies compare it: more than it is while its attempts fail, because one that fails at
 * once never has much in flight and would draw all work to itself. Counted in even shares of what the pool has in
 * flight, so that it weighs the same in an idle pool and in a busy one, and not at all where all backends fail alike. O(1).
 * @param weight the backend's, in the same unit as
 * @param total the sum of all weights
 */
export function loadOf(tools: Tools, index: number, weight: number, total: number): number {
  const failing = tools.failing(index);
  const inFlight = tools.inFlight(index);
  if (failing === 0) return inFlight;
  return inFlight + (failing * AVERSION * (tools.totalInFlight() + 1) * weight) / total;
}
