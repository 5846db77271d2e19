import { decided, type Explained } from "./explained.ts";
import { loadOf } from "./load.ts";
import type { Picker, Policy, Tools } from "./policy.ts";
import { rotation, type Rotation } from "./rotation.ts";
import { spread } from "./spread.ts";
import { reduceWeights, type Weights } from "./weights.ts";

/**
 * The backend with the fewest in flight for its weight, over all workers. Ties are broken by rotation: an idle pool is
 * served in round robin's order. One that fails counts as heavier (`load.ts`). O(n) a pick, O(1) where the backend whose turn it is has nothing in flight.
 */
export const leastConnections: Policy = {
  name: "least-connections",
  keyed: false,
  loads: [],
  learns: () => true,
  prepare: (candidates, tools) => new LeastConnectionsPicker(reduceWeights(candidates), tools),
};

class LeastConnectionsPicker implements Picker {
  readonly #indexes: Uint32Array;
  readonly #weights: Uint32Array;
  readonly #total: number;
  readonly #rotation: Rotation;
  readonly #tools: Tools;
  /** Candidates as light as the lightest; filled anew by each pick. */
  readonly #tied: Uint32Array;

  constructor(weights: Weights, tools: Tools) {
    this.#indexes = weights.indexes;
    this.#weights = weights.weights;
    this.#total = weights.total;
    this.#rotation = rotation(weights);
    this.#tools = tools;
    this.#tied = new Uint32Array(weights.indexes.length);
  }

  pick(): number {
    return this.#pickAt(this.#tools.nextTurn());
  }

  explain(): Explained {
    const tools = this.#tools;
    const turn = tools.turn();
    const candidates = [...this.#indexes].map((index, i) => {
      const weight = this.#weights[i]!;
      return { index, score: loadOf(tools, index, weight, this.#total) / weight, refused: "" };
    });
    const least = candidates.reduce((lowest, { score }) => Math.min(lowest, score), Infinity);
    const tied = candidates.filter(({ score }) => score === least).length;
    return decided(
      this.#pickAt(turn),
      "in flight ÷ weight, failures added; the lowest wins",
      tied === 1 ? "the least loaded" : `${tied} are equally loaded; turn ${turn} of the cursor decides`,
      candidates,
    );
  }

  #pickAt(turn: number): number {
    const tools = this.#tools;
    const favoured = this.#rotation.at(turn);
    const first = this.#indexes[favoured]!;
    if (tools.inFlight(first) === 0 && tools.failing(first) === 0) return first; // nothing can be lighter

    let tied = 0;
    let tiedWeight = 0;
    let least = Infinity;
    let leastWeight = 1;
    for (let i = 0; i < this.#indexes.length; i++) {
      const index = this.#indexes[i]!;
      const weight = this.#weights[i]!;
      if (tools.inFlight(index) * leastWeight > least * weight) continue; // failures would only make it heavier
      const load = loadOf(tools, index, weight, this.#total);
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
