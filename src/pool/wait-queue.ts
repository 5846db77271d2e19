/** The place of something in a queue. */
export interface Place<T> {
  readonly item: T;
  /** Since when it waits, in milliseconds. */
  readonly since: number;
  /** Who has waited longer. */
  older: Place<T> | null;
  /** Who came later. */
  newer: Place<T> | null;
  /** Whether it still waits. */
  queued: boolean;
}

/**
 * A queue that has not been empty for so long is overloaded: what waits is more than a burst. The interval of CoDel, as K. Nichols and
 * V. Jacobson chose it ("Controlling Queue Delay", ACM Queue 10(5), 2012).
 */
export const OVERLOADED_AFTER_MS = 100;

/**
 * What waits for room, with a bound. The oldest is served first; while the queue is overloaded the newest is, since its client is
 * still there to read the answer, and those that have waited long are given up on instead of making everyone late. Adaptive LIFO,
 * B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015.
 *
 * Pure: times in milliseconds are given and never go back. All O(1), but for one that is added with a time of the past.
 */
export class WaitQueue<T> {
  readonly #most: number;
  #oldest: Place<T> | null = null;
  #newest: Place<T> | null = null;
  #size = 0;
  #nonEmptySince = 0;

  /** @param most how many may wait, 0 or more */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** Whether the newest is served first: the queue has not been empty for `OVERLOADED_AFTER_MS`. */
  isOverloaded(now: number): boolean {
    return this.#size > 0 && now - this.#nonEmptySince >= OVERLOADED_AFTER_MS;
  }

  /**
   * Lets something wait.
   * @param since when it began to: now, or earlier for what comes from another queue, which then has its place by age
   * @returns `null` when the queue is full
   */
  add(item: T, since: number, now: number = since): Place<T> | null {
    if (this.#size >= this.#most) return null;
    if (this.#size === 0) this.#nonEmptySince = now;
    let older = this.#newest;
    while (older !== null && older.since > since) older = older.older;
    const newer = older === null ? this.#oldest : older.newer;
    const place: Place<T> = { item, since, older, newer, queued: true };
    if (older === null) this.#oldest = place;
    else older.newer = place;
    if (newer === null) this.#newest = place;
    else newer.older = place;
    this.#size += 1;
    return place;
  }

  /** Takes one out, wherever it stands. Nothing happens to one that is out already. */
  remove(place: Place<T>): void {
    if (!place.queued) return;
    const { older, newer } = place;
    if (older === null) this.#oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    place.queued = false;
    this.#size -= 1;
  }

  /** Whose turn it is; it stays in the queue. `null` where nobody waits. */
  next(now: number): Place<T> | null {
    return this.isOverloaded(now) ? this.#newest : this.#oldest;
  }

  /** Whose turn it is after one that cannot be served now. */
  after(place: Place<T>, now: number): Place<T> | null {
    return this.isOverloaded(now) ? place.older : place.newer;
  }

  /** Who has waited longest, `null` where nobody waits: to be asked for what has waited too long. */
  get oldest(): Place<T> | null {
    return this.#oldest;
  }
}
