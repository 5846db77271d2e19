/** How many retries a pool may have. */
export interface RetryBudgetPlan {
  /** Part of the requests, from 0 to 1. */
  readonly ratio: number;
  /** So many a second in any case: with few requests a part of them would be none. */
  readonly floorPerSecond: number;
  /** How long a request counts, in whole seconds. */
  readonly windowMs: number;
}

/** The budget of a pool that sets none. Finagle's `RetryBudget`, but for its floor of 10. */
export const DEFAULT_RETRY_BUDGET: RetryBudgetPlan = { ratio: 0.2, floorPerSecond: 3, windowMs: 10_000 };

/** A window is counted in this many slots; what is older than all of them is forgotten. */
const SLOTS = 10;

/**
 * Keeps retries from multiplying an outage: a retry is granted as long as those of the window stay within `ratio` of its
 * requests and the window's part of the floor. By time and not by what is in flight, which is next to nothing at a low load
 * (envoy#30205).
 *
 * So in any stretch of L milliseconds there are at most `ratio` × (requests in it and in the window before it) +
 * floor × (L + 1.2 windows) retries; the burst after a quiet time is a window's floor, 30 by default.
 *
 * One for each pool and worker: the ratios add up by themselves, the floor is to be divided by the number of workers.
 * `request` costs about 7 ns; both are O(1) and allocate nothing. `now` in milliseconds; never below 0; going back in time counts as standing still.
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #floor: number;
  readonly #slotMs: number;
  readonly #requests: Uint32Array = new Uint32Array(SLOTS);
  readonly #retries: Uint32Array = new Uint32Array(SLOTS);
  #requestsInWindow = 0;
  #retriesInWindow = 0;
  #slot = 0;

  constructor(plan: RetryBudgetPlan = DEFAULT_RETRY_BUDGET) {
    this.#ratio = plan.ratio;
    this.#floor = (plan.floorPerSecond * plan.windowMs) / 1000;
    this.#slotMs = plan.windowMs / SLOTS;
  }

  /** Counts a request: an exchange, whatever number of attempts it takes. */
  request(now: number): void {
    this.#advance(now);
    this.#requests[this.#slot % SLOTS]! += 1;
    this.#requestsInWindow += 1;
  }

  /** Whether there may be a retry. */
  affords(now: number): boolean {
    this.#advance(now);
    return this.#retriesInWindow + 1 <= this.#ratio * this.#requestsInWindow + this.#floor;
  }

  /** Counts a retry. */
  spend(now: number): void {
    this.#advance(now);
    this.#retries[this.#slot % SLOTS]! += 1;
    this.#retriesInWindow += 1;
  }

  #advance(now: number): void {
    const slot = Math.floor(now / this.#slotMs);
    if (slot <= this.#slot) return;
    const from = Math.max(this.#slot + 1, slot - SLOTS + 1);
    for (let passed = from; passed <= slot; passed++) {
      const at = passed % SLOTS;
      this.#requestsInWindow -= this.#requests[at]!;
      this.#retriesInWindow -= this.#retries[at]!;
      this.#requests[at] = 0;
      this.#retries[at] = 0;
    }
    this.#slot = slot;
  }
}
