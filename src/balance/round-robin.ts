import { decided, type Explained } from "./explained.ts";
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

/** Turns that an explanation looks ahead: some hundred microseconds. */
const MOST_AHEAD = 65_536;

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
    return this.#at(this.#tools.nextTurn());
  }

  explain(): Explained {
    const turn = this.#tools.turn();
    const { period } = this.#rotation;
    const waits = new Map<number, number>();
    const ahead = Math.min(MOST_AHEAD, period === 0 ? MOST_AHEAD : period);
    for (let wait = 0; wait < ahead && waits.size < this.#indexes.length; wait++) {
      const index = this.#at((turn + wait) >>> 0);
      if (!waits.has(index)) waits.set(index, wait);
    }
    return decided(
      this.#at(turn),
      "turns until it is its turn; 0 is next",
      period === 0 ? `the cursor is at turn ${turn}` : `the cursor is at turn ${turn}: ${turn % period} of ${period}`,
      [...this.#indexes].map((index) => ({ index, score: waits.get(index) ?? null, refused: "" })),
    );
  }

  #at(turn: number): number {
    return this.#indexes[this.#rotation.at(turn)]!;
  }
}
