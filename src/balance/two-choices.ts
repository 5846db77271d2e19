import { LeastTimePicker } from "./least-time.ts";
import { drawn, type Explained } from "./explained.ts";
import { loadOf } from "./load.ts";
import { DEFAULT_OPTIONS, type Picker, type Policy, type Tools } from "./policy.ts";
import { DRAWN, TwoDraws } from "./two-draws.ts";
import { reduceWeights, type Weights } from "./weights.ts";

/**
 * Two different backends are drawn in proportion to their weights, and the lighter one is taken: the one with fewer in
 * flight for its weight, or the first drawn where they are equal. With `load: "peak-ewma"` it is `least-time`.
 * O(1) expected a pick, O(n) to prepare.
 *
 * M. Mitzenmacher, "The power of two choices in randomized load balancing", IEEE TPDS 12(10), 2001. That load is divided
 * by weight although the draw has regard to it already: P. Berenbrink, A. Brinkmann, T. Friedetzky, L. Nagel, "Balls into
 * non-uniform bins", JPDC 74(2), 2014, where bins are drawn in proportion to capacity and compared by balls ÷ capacity.
 * Compared as they are, in-flight counts would be made equal, which takes back what the weights gave. nginx
 * (`random two least_conn`) and HAProxy (`balance random(2)`) do the same.
 */
export const twoChoices: Policy = {
  name: "two-choices",
  keyed: false,
  loads: ["in-flight", "peak-ewma"],
  learns: () => true,
  prepare: (candidates, tools, options = DEFAULT_OPTIONS) => {
    const weights = reduceWeights(candidates);
    switch (options.load) {
      case "in-flight":
        return new TwoChoicesPicker(weights, tools);
      case "peak-ewma":
        return new LeastTimePicker(weights, tools);
    }
  },
};

class TwoChoicesPicker implements Picker {
  readonly #indexes: Uint32Array;
  readonly #weights: Uint32Array;
  readonly #total: number;
  readonly #draws: TwoDraws;
  readonly #tools: Tools;

  constructor(weights: Weights, tools: Tools) {
    this.#indexes = weights.indexes;
    this.#weights = weights.weights;
    this.#total = weights.total;
    this.#draws = new TwoDraws(weights, tools.random);
    this.#tools = tools;
  }

  pick(): number {
    const draws = this.#draws;
    draws.draw();
    return this.#indexes[this.#lighter(draws.a, draws.b)]!;
  }

  explain(): Explained {
    const odds = this.#draws.odds((a, b) => this.#lighter(a, b));
    const candidates = [...this.#indexes].map((index, i) => {
      const weight = this.#weights[i]!;
      const score = loadOf(this.#tools, index, weight, this.#total) / weight;
      return { index, score, odds: odds === null ? null : odds[i]!, refused: "" };
    });
    return drawn("in flight ÷ weight, failures added; the lower of two drawn by weight wins", DRAWN, candidates);
  }

  /** Which of two, by their positions in the list, is lighter; the first where they are equal. */
  #lighter(a: number, b: number): number {
    if (a === b) return a;
    const weightA = this.#weights[a]!;
    const weightB = this.#weights[b]!;
    const loadA = loadOf(this.#tools, this.#indexes[a]!, weightA, this.#total);
    const loadB = loadOf(this.#tools, this.#indexes[b]!, weightB, this.#total);
    return loadB * weightA < loadA * weightB ? b : a;
  }
}
