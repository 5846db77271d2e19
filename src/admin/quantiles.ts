import { bucketFloor, BUCKETS } from "../observe/columns.ts";
import type { Quantiles } from "./model.ts";

/** Of nothing. */
export const NO_QUANTILES: Quantiles = { p50Ms: null, p90Ms: null, p99Ms: null };

/**
 * Quantiles of latencies that were counted in buckets: the middle of the bucket that holds each, so at most 13 % off. O(buckets).
 * @param counts how many fell into each bucket of `bucketOf`
 */
export function quantilesOf(counts: ArrayLike<number>): Quantiles {
  let sum = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) sum += counts[bucket] ?? 0;
  if (sum <= 0) return NO_QUANTILES;
  return { p50Ms: quantile(counts, sum, 0.5), p90Ms: quantile(counts, sum, 0.9), p99Ms: quantile(counts, sum, 0.99) };
}

function quantile(counts: ArrayLike<number>, sum: number, q: number): number {
  const rank = Math.ceil(q * sum);
  let seen = 0;
  let bucket = 0;
  for (; bucket < BUCKETS - 1; bucket++) {
    seen += counts[bucket] ?? 0;
    if (seen >= rank) break;
  }
  const floor = bucketFloor(bucket);
  const middle = bucket === BUCKETS - 1 ? floor : (floor + bucketFloor(bucket + 1)) / 2;
  // To the microsecond.
  return Math.round(middle) / 1000;
}
