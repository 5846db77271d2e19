import type { Picker, Policy, Tools } from "./policy.ts";
import { TwoDraws } from "./two-draws.ts";
import { reduceWeights, type Weights } from "./weights.ts";

/**
 * Two different backends are drawn in proportion to their weights, and the one that is to answer sooner is taken: the lower
 * expected latency × (in flight ÷ weight + 1), weights being relative to their mean. O(1) expected a pick, O(n) to prepare.
 *
 * With equal weights it is Finagle's `PeakEwma`, latency × (in flight + 1). Traefik's `leasttime` divides the 1 by the weight as
 * well; the draws have regard to weight already, so that of two idle backends the heavier would then get all.
 * What latency is expected, of a backend that is new or fails too, is for `pool/peak-ewma.ts` to say. Two draws and not the
 * best of all: with all, every worker would send to the same backend until its next answers tell otherwise.
 */
export const leastTime: Policy = {
  name: "least-time",
  keyed: false,
  loads: [],
  learns: () => true,
  prepare: (candidates, tools) => new LeastTimePicker(reduceWeights(candidates), tools),
};

/** What `least-time` and, on request, `two-choices` choose by. */
export class LeastTimePicker implements Picker {
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
    const { a, b } = draws;
    const indexA = this.#indexes[a]!;
    if (a === b) return indexA;
    const indexB = this.#indexes[b]!;
    const weightA = this.#weights[a]!;
    const weightB = this.#weights[b]!;
    // Multiplied out, as whole numbers, so that equal loads compare as equal.
    return this.#work(indexB, weightB) * weightA < this.#work(indexA, weightA) * weightB ? indexB : indexA;
  }

  /** The time × weight × backends. Latency is at least 1 µs, so that load counts where no latency is known. */
  #work(index: number, weight: number): number {
    const { latency, inFlight } = this.#tools;
    return Math.max(1, latency(index)) * (inFlight(index) * this.#total + weight * this.#indexes.length);
  }
}
