import type { Random } from "../random.ts";
import { drawn, type Explained } from "./explained.ts";
import { Line } from "./line.ts";
import type { Picker, Policy } from "./policy.ts";
import { reduceWeights, type Weights } from "./weights.ts";

/** Each backend in proportion to its weight, by chance alone. O(1) expected a pick, O(n) to prepare. */
export const random: Policy = {
  name: "random",
  keyed: false,
  loads: [],
  learns: () => false,
  prepare: (candidates, tools) => new RandomPicker(reduceWeights(candidates), tools.random),
};

class RandomPicker implements Picker {
  readonly #indexes: Uint32Array;
  readonly #weights: Uint32Array;
  readonly #total: number;
  readonly #line: Line;
  readonly #random: Random;

  constructor(weights: Weights, chance: Random) {
    this.#indexes = weights.indexes;
    this.#weights = weights.weights;
    this.#total = weights.total;
    this.#line = new Line(weights);
    this.#random = chance;
  }

  pick(): number {
    return this.#indexes[this.#line.at(this.#random.below(this.#total))]!;
  }

  explain(): Explained {
    const candidates = [...this.#indexes].map((index, i) => {
      const odds = this.#weights[i]! / this.#total;
      return { index, score: odds, odds, refused: "" };
    });
    return drawn("part of all weights: its chance", "one is drawn by weight", candidates);
  }
}
