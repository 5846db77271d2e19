import type { HedgePlan } from "../plan.ts";
import type { LatencyWindow } from "../pool/latency-window.ts";
import { RetryBudget } from "../pool/retry-budget.ts";

/** A hedge now and then even where there are few requests; a tenth of what retries have, since nothing has failed. */
const FLOOR_PER_SECOND = 0.3;
const WINDOW_MS = 10_000;

/**
 * When a second attempt is made beside the first, because that takes longer than most (Dean and Barroso, "The Tail at
 * Scale", CACM 2013: after the 95th percentile, so that one request in twenty is asked for twice at most).
 */
export class Hedge {
  readonly #after: HedgePlan["after"];
  readonly #latencies: LatencyWindow | null;
  readonly #budget: RetryBudget;

  /** @param latencies of the pool, where the plan asks for a quantile of them */
  constructor(plan: HedgePlan, latencies: LatencyWindow | null, workers: number) {
    this.#after = plan.after;
    this.#latencies = latencies;
    const floorPerSecond = FLOOR_PER_SECOND / workers;
    this.#budget = new RetryBudget({ ratio: plan.budget, floorPerSecond, windowMs: WINDOW_MS });
  }

  /**
   * Counts a request, and tells how long its first attempt is waited for.
   * @param now in milliseconds
   * @returns in milliseconds; NaN while nobody knows how long most take
   */
  delayMs(now: number): number {
    this.#budget.request(now);
    const after = this.#after;
    return after.kind === "time" ? after.milliseconds : (this.#latencies?.quantile(after.q, now) ?? Number.NaN) / 1000;
  }

  /** Whether there may be a second attempt. */
  affordable(now: number): boolean {
    return this.#budget.affords(now);
  }

  /** Counts a second attempt. */
  spend(now: number): void {
    this.#budget.spend(now);
  }
}
