import type { Picker, Policy, Tools } from "./policy.ts";
import { rotation, type Rotation } from "./rotation.ts";
import { reduceWeights, type Weights } from "./weights.ts";

/**
 * Backends take turns in proportion to their weights, in the order that nginx gives them, over all workers.
 * O(1) a pick; see `rotation` for what `prepare` costs and for its order.
 */
export const roundRobin: Policy = {
  name: "round-robin",
  keyed: false,
  loads: [],
  learns: () => false,
  prepare: (candidates, tools) => new RoundRobinPicker(reduceWeights(candidates), tools),
};

class RoundRobinPicker implements Picker {
  readonly #indexes: Uint32Array;
  readonly #rotation: Rotation;
  readonly #tools: Tools;

  constructor(weights: Weights, tools: Tools) {
    this.#indexes = weights.indexes;
    this.#rotation = rotation(weights);
    this.#tools = tools;
  }

  pick(): number {
    return this.#indexes[this.#rotation.at(this.#tools.nextTurn())]!;
  }
}
