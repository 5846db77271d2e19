import { drawn, type Explained } from "./explained.ts";
import type { Picker, Policy, Tools } from "./policy.ts";
import { DRAWN, TwoDraws } from "./two-draws.ts";
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
    return this.#indexes[this.#sooner(draws.a, draws.b)]!;
  }

  explain(): Explained {
    const odds = this.#draws.odds((a, b) => this.#sooner(a, b));
    const candidates = [...this.#indexes].map((index, i) => {
      const weight = this.#weights[i]!;
      const score = this.#work(index, weight) / (weight * this.#indexes.length);
      return { index, score, odds: odds === null ? null : odds[i]!, refused: "" };
    });
    return drawn("expected µs × (in flight ÷ weight + 1); the lower of two drawn by weight wins", DRAWN, candidates);
  }

  /** Which of two, by their positions in the list, is to answer sooner; the first where they are equal. */
  #sooner(a: number, b: number): number {
    if (a === b) return a;
    const weightA = this.#weights[a]!;
    const weightB = this.#weights[b]!;
    // Multiplied out, as whole numbers, so that equal loads compare as equal.
    return this.#work(this.#indexes[b]!, weightB) * weightA < this.#work(this.#indexes[a]!, weightA) * weightB ? b : a;
  }

  /** The time × weight × backends. Latency is at least 1 µs, so that load counts where no latency is known. */
  #work(index: number, weight: number): number {
    const { latency, inFlight } = this.#tools;
    return Math.max(1, latency(index)) * (inFlight(index) * this.#total + weight * this.#indexes.length);
  }
}
