/**
 * About 2³² ÷ the golden ratio: the odd number within 400,000 of it whose ratio to 2³² has no partial quotient above 3 in its
 * continued fraction. The sum of those bounds how uneven the multiples can become; the nearest, 0x9e3779b9, has a 25.
 */
const STEP = 0x9e3778c1;

/**
 * Scatters consecutive turns evenly over 0 to `n - 1`: after any number of turns each stretch of that range has had its
 * share of them, off by a few. Also fair for turns that come in fixed steps, where a remainder would always fall on the same
 * places. `n` is at most 2³² - 1. O(1), about 2 ns. Fibonacci hashing: D. Knuth, TAOCP vol. 3, section 6.4.
 */
export function spread(turn: number, n: number): number {
  return Math.floor(((Math.imul(turn, STEP) >>> 0) * n) / 4294967296);
}
