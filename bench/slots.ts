/**
 * A service that works on a fixed number of requests at a time, each for the same time, and lets the others wait in
 * the order in which they came, without bound. With fixed times the end of each is known when it comes, so the
 * capacity is exactly slots ÷ service time, however late a timer rings.
 */
export class Slots {
  readonly #freeAt: Float64Array;
  readonly #serviceMs: number;

  constructor(slots: number, serviceMs: number) {
    this.#freeAt = new Float64Array(slots).fill(-Infinity);
    this.#serviceMs = serviceMs;
  }

  /** Takes a request that comes at `now` (milliseconds) and returns when its answer is due. O(slots). */
  take(now: number): number {
    let first = 0;
    for (let slot = 1; slot < this.#freeAt.length; slot++) {
      if ((this.#freeAt[slot] ?? 0) < (this.#freeAt[first] ?? 0)) first = slot;
    }
    const due = Math.max(now, this.#freeAt[first] ?? now) + this.#serviceMs;
    this.#freeAt[first] = due;
    return due;
  }
}
