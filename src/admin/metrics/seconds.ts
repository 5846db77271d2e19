import { BUCKETS, bucketOf, type Histogram } from "../../observe/columns.ts";
import type { Counters } from "../../observe/counters.ts";

/**
 * Bounds of the histograms as powers of two of microseconds, from a quarter of a millisecond to a minute. Each is an edge of the
 * buckets in the shared memory, however wide those are, so nothing is guessed when they are folded.
 */
const EXPONENTS = [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 24, 26];

/** The bounds in seconds: values of `le`, without `+Inf`. */
export const BOUNDS: readonly number[] = EXPONENTS.map((exponent) => 2 ** exponent / 1e6);

const FIRST_ABOVE = EXPONENTS.map((exponent) => bucketOf(2 ** exponent));

/** A histogram of times, over all workers. */
export interface Seconds {
  /** How many were below each of `BOUNDS`. */
  readonly below: readonly number[];
  readonly count: number;
  /** All of them together, in seconds. */
  readonly sum: number;
}

const buckets = new Float64Array(BUCKETS);

/** Reads a histogram of a row. The count is that of the same moment as the buckets. O(workers × buckets). */
export function secondsOf(counters: Counters, row: number, histogram: Histogram): Seconds {
  buckets.fill(0);
  counters.addBuckets(row, histogram, buckets);
  const below: number[] = [];
  let count = 0;
  let bucket = 0;
  for (const bound of FIRST_ABOVE) {
    for (; bucket < bound >> histogram.shift; bucket++) count += buckets[bucket]!;
    below.push(count);
  }
  for (; bucket < histogram.buckets; bucket++) count += buckets[bucket]!;
  return { below, count, sum: counters.total(row, histogram.sum) / 1e6 };
}
