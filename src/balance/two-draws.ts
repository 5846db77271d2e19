import type { Random } from "../random.ts";
import { Line } from "./line.ts";
import type { Weights } from "./weights.ts";

/** Candidates of which all pairs are compared for an explanation: some milliseconds. */
const MOST_COMPARED = 256;

/** How policies that draw two say that they do. */
export const DRAWN = "two are drawn by weight; of each pair the better one is taken";

/**
 * Draws two different candidates in proportion to their weights. O(1) expected a draw, O(n) to make.
 * The draw is left in `a` and `b`, positions in the list of candidates, so that nothing is allocated.
 */
export class TwoDraws {
  /** The first of the latest draw. */
  a = 0;
  /** The second; the same as `a` where there is only one candidate. */
  b = 0;
  readonly #weights: Uint32Array;
  readonly #total: number;
  readonly #line: Line;
  readonly #random: Random;

  constructor(weights: Weights, random: Random) {
    this.#weights = weights.weights;
    this.#total = weights.total;
    this.#line = new Line(weights);
    this.#random = random;
  }

  draw(): void {
    const line = this.#line;
    const a = line.at(this.#random.below(this.#total));
    const weight = this.#weights[a]!;
    this.a = a;
    this.b = a;
    if (weight === this.#total) return;
    // The second draw is on the line without a: a draw at or past where a was goes on by its length. Drawing again until
    // it differs would be as fair, but takes long beside a very heavy backend.
    const rest = this.#random.below(this.#total - weight);
    this.b = line.at(rest < line.starts[a]! ? rest : rest + weight);
  }

  /**
   * How likely each candidate is to be chosen of two that are drawn, as positions in the list of candidates. O(n²).
   * @param chosen which of two is, the first drawn standing first
   * @returns `null` where there are too many pairs to compare
   */
  odds(chosen: (a: number, b: number) => number): Float64Array | null {
    const weights = this.#weights;
    if (weights.length > MOST_COMPARED) return null;
    const odds = new Float64Array(weights.length);
    for (let a = 0; a < weights.length; a++) {
      const weight = weights[a]!;
      const first = weight / this.#total;
      if (weight === this.#total) odds[a]! += first;
      for (let b = 0; b < weights.length; b++) {
        if (b !== a) odds[chosen(a, b)]! += (first * weights[b]!) / (this.#total - weight);
      }
    }
    return odds;
  }
}
