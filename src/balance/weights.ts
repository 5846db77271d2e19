import type { Candidate } from "./policy.ts";

/** Candidates as columns: `indexes[i]` and `weights[i]` belong to the i-th candidate. */
export interface Weights {
  /** Index of each candidate in its pool. */
  readonly indexes: Uint32Array;
  /** Weight of each, without a common factor, so that equal weights are all 1. */
  readonly weights: Uint32Array;
  /** Sum of `weights`: the length of one period. At most 2³² - 1. */
  readonly total: number;
}

/** Draws (`Random.below`) and turns have 32 bits, so no more than this can be told apart. */
const MOST = 2 ** 32 - 1;

/**
 * Brings weights to their smallest whole numbers with the same proportions. O(n).
 *
 * Only where their sum then still is over 2³² - 1, which takes more than 65,537 backends, are they divided further and
 * rounded up: with 200,000 backends by 4, so that a weight of 65,535 is off by less than one part in 16,000 and one of 1
 * counts as 4.
 */
export function reduceWeights(candidates: readonly Candidate[]): Weights {
  let divisor = 0;
  let sum = 0;
  for (const { weight } of candidates) {
    divisor = commonDivisor(divisor, weight);
    sum += weight;
  }
  if (sum / divisor > MOST) divisor = Math.ceil(sum / (MOST - candidates.length));
  const indexes = new Uint32Array(candidates.length);
  const weights = new Uint32Array(candidates.length);
  let total = 0;
  for (let i = 0; i < candidates.length; i++) {
    const { index, weight } = candidates[i]!;
    const reduced = Math.ceil(weight / divisor);
    indexes[i] = index;
    weights[i] = reduced;
    total += reduced;
  }
  return { indexes, weights, total };
}

function commonDivisor(a: number, b: number): number {
  while (b > 0) [a, b] = [b, a % b];
  return a;
}
