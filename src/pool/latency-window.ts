import { BUCKETS, bucketFloor, bucketOf } from "../observe/columns.ts";

/** A latency counts for one to two of these. */
const WINDOW_MS = 10_000;
/** With fewer answers than this nobody knows what is slow. */
const FEWEST = 100;
/** How often a quantile is worked out anew. */
const LOOK_MS = 100;

/**
 * The latencies of a pool in the last ten to twenty seconds, and a quantile of them: two histograms in turn, of which
 * the older is forgotten. `add` is O(1) and allocates nothing; `quantile` walks 108 buckets, ten times a second at most
 * for one caller. A quantile is at most 25 % too long, the width of a bucket.
 */
export class LatencyWindow {
  #now: Uint32Array = new Uint32Array(BUCKETS);
  #before: Uint32Array = new Uint32Array(BUCKETS);
  #begunMs = Number.NEGATIVE_INFINITY;
  #sum = 0;
  #sumBefore = 0;
  #looked = { q: Number.NaN, atMs: Number.NEGATIVE_INFINITY, microseconds: Number.NaN };

  /** @param now in milliseconds */
  add(microseconds: number, now: number): void {
    this.#turn(now);
    this.#now[bucketOf(microseconds)]! += 1;
    this.#sum += 1;
  }

  /**
   * The latency in microseconds that a part of the answers keep to.
   * @param q from 0 to 1
   * @returns NaN while there were too few to tell
   */
  quantile(q: number, now: number): number {
    const looked = this.#looked;
    if (looked.q === q && now - looked.atMs < LOOK_MS && now >= looked.atMs) return looked.microseconds;
    this.#turn(now);
    const microseconds = this.#find(q);
    if (!Number.isNaN(microseconds)) this.#looked = { q, atMs: now, microseconds };
    return microseconds;
  }

  #find(q: number): number {
    const all = this.#sum + this.#sumBefore;
    if (all < FEWEST) return Number.NaN;
    let left = q * all;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#now[bucket]! + this.#before[bucket]!;
      if (left <= 0) return bucketFloor(bucket + 1);
    }
    return bucketFloor(BUCKETS);
  }

  #turn(now: number): void {
    const passed = now - this.#begunMs;
    if (passed < WINDOW_MS) return;
    const former = this.#now;
    this.#now = this.#before.fill(0);
    this.#before = passed < 2 * WINDOW_MS ? former : former.fill(0);
    this.#sumBefore = passed < 2 * WINDOW_MS ? this.#sum : 0;
    this.#sum = 0;
    this.#begunMs = now;
  }
}
