import type { Picker, Policy, Tools } from "./policy.ts";
import { rotation, type Rotation } from "./rotation.ts";
import { spread } from "./spread.ts";
import { reduceWeights, type Weights } from "./weights.ts";

/**
 * The backend with the fewest in flight for its weight, over all workers. Ties are broken by rotation: an idle pool is
 * served in round robin's order. O(n) a pick, O(1) where the backend whose turn it is has nothing in flight.
 */
export const leastConnections: Policy = {
  name: "least-connections",
  prepare: (candidates, tools) => new LeastConnectionsPicker(reduceWeights(candidates), tools),
};

class LeastConnectionsPicker implements Picker {
  readonly #indexes: Uint32Array;
  readonly #weights: Uint32Array;
  readonly #rotation: Rotation;
  readonly #tools: Tools;
  /** Candidates as light as the lightest; filled anew by each pick. */
  readonly #tied: Uint32Array;

  constructor(weights: Weights, tools: Tools) {
    this.#indexes = weights.indexes;
    this.#weights = weights.weights;
    this.#rotation = rotation(weights);
    this.#tools = tools;
    this.#tied = new Uint32Array(weights.indexes.length);
  }

  pick(): number {
    const { inFlight, nextTurn } = this.#tools;
    const turn = nextTurn();
    const favoured = this.#rotation.at(turn);
    if (inFlight(this.#indexes[favoured]!) === 0) return this.#indexes[favoured]!; // nothing can be lighter

    let tied = 0;
    let tiedWeight = 0;
    let least = Infinity;
    let leastWeight = 1;
    for (let i = 0; i < this.#indexes.length; i++) {
      const load = inFlight(this.#indexes[i]!);
      const weight = this.#weights[i]!;
      const heavier = load * leastWeight - least * weight;
      if (heavier > 0) continue;
      if (heavier < 0) {
        tied = 0;
        tiedWeight = 0;
        least = load;
        leastWeight = weight;
      }
      this.#tied[tied++] = i;
      tiedWeight += weight;
    }
    return this.#indexes[this.#amongTied(tied, tiedWeight, favoured, turn)]!;
  }

  /**
   * The one whose turn it is, if it is among the tied. Otherwise its turn is scattered over them by weight: the nearest
   * of them in the list would get the turns of every busy neighbour beside its own.
   */
  #amongTied(tied: number, tiedWeight: number, favoured: number, turn: number): number {
    let position = spread(turn, tiedWeight);
    let chosen = -1;
    for (let k = 0; k < tied; k++) {
      const i = this.#tied[k]!;
      if (i === favoured) return i;
      position -= this.#weights[i]!;
      if (position < 0 && chosen < 0) chosen = i;
    }
    return chosen;
  }
}
