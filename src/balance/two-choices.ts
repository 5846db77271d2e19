import { Line } from "./line.ts";
import type { Picker, Policy, Tools } from "./policy.ts";
import { reduceWeights, type Weights } from "./weights.ts";

/**
 * Two different backends are drawn in proportion to their weights, and the lighter one is taken: the one with fewer in
 * flight for its weight, or the first drawn where they are equal. O(1) expected a pick, O(n) to prepare.
 *
 * M. Mitzenmacher, "The power of two choices in randomized load balancing", IEEE TPDS 12(10), 2001. That load is divided
 * by weight although the draw has regard to it already: P. Berenbrink, A. Brinkmann, T. Friedetzky, L. Nagel, "Balls into
 * non-uniform bins", JPDC 74(2), 2014, where bins are drawn in proportion to capacity and compared by balls ÷ capacity.
 * Compared as they are, in-flight counts would be made equal, which takes back what the weights gave. nginx
 * (`random two least_conn`) and HAProxy (`balance random(2)`) do the same.
 */
export const twoChoices: Policy = {
  name: "two-choices",
  prepare: (candidates, tools) => new TwoChoicesPicker(reduceWeights(candidates), tools),
};

class TwoChoicesPicker implements Picker {
  readonly #indexes: Uint32Array;
  readonly #weights: Uint32Array;
  readonly #total: number;
  readonly #line: Line;
  readonly #tools: Tools;

  constructor(weights: Weights, tools: Tools) {
    this.#indexes = weights.indexes;
    this.#weights = weights.weights;
    this.#total = weights.total;
    this.#line = new Line(weights);
    this.#tools = tools;
  }

  pick(): number {
    const { random, inFlight } = this.#tools;
    const a = this.#line.at(random.below(this.#total));
    const weightA = this.#weights[a]!;
    const indexA = this.#indexes[a]!;
    if (weightA === this.#total) return indexA; // the only candidate
    // The second draw is on the line without a: a draw at or past where a was goes on by its length. Drawing again until
    // it differs would be as fair, but takes long beside a very heavy backend.
    const rest = random.below(this.#total - weightA);
    const b = this.#line.at(rest < this.#line.starts[a]! ? rest : rest + weightA);
    const indexB = this.#indexes[b]!;
    return inFlight(indexB) * weightA < inFlight(indexA) * this.#weights[b]! ? indexB : indexA;
  }
}
