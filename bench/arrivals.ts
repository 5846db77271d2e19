import type { Random } from "../src/random.ts";

const draws = 2 ** 32;

/**
 * The moments of independent requests, milliseconds from 0: gaps by the exponential distribution, as when many clients
 * do not know of each other (a Poisson process). Evenly spaced ones would never meet in a queue below capacity.
 */
export function* arrivals(ratePerSecond: number, random: Random): Generator<number, never, void> {
  let at = 0;
  for (;;) {
    at -= Math.log(1 - random.below(draws) / draws) * (1000 / ratePerSecond);
    yield at;
  }
}
