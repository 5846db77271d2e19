import { loadOf } from "./load.ts";
import type { Candidate, PolicyOptions, Tools } from "./policy.ts";
import type { Tried } from "./tried.ts";

const NOTHING_TRIED: Tried = [];

/**
 * Which candidates take one more, for policies that choose by key: those that were not tried, are below their capacity and,
 * with bounded load, below `maxLoadFactor` times their even share of what will be in flight. O(1) a question.
 *
 * The bound of a candidate is ⌈c · (m + 1) · w ÷ W⌉ of the m in flight. As c is above 1 the bounds add up to more than m, so
 * one always has room. One that fails counts as heavier and is full sooner (`load.ts`): otherwise, having next to nothing in
 * flight, it would take what all others spill. V. Mirrokni, M. Thorup, M. Zadimoghaddam, "Consistent hashing with bounded loads", SODA
 * 2018, with weights.
 */
export class Admission {
  readonly indexes: Uint32Array;
  readonly weights: Float64Array;
  readonly #totalWeight: number;
  readonly #maxLoadFactor: number | null;
  readonly #tools: Tools;

  constructor(candidates: readonly Candidate[], tools: Tools, { maxLoadFactor }: PolicyOptions) {
    this.indexes = Uint32Array.from(candidates, ({ index }) => index);
    this.weights = Float64Array.from(candidates, ({ weight }) => weight);
    this.#totalWeight = this.weights.reduce((sum, weight) => sum + weight, 0);
    this.#maxLoadFactor = maxLoadFactor;
    this.#tools = tools;
  }

  /** What all bounds add up to for this pick; `Infinity` without bounded load. To be asked for once in a pick. */
  quota(): number {
    return this.#maxLoadFactor === null ? Infinity : this.#maxLoadFactor * (this.#tools.totalInFlight() + 1);
  }

  /**
   * Whether a candidate takes one more.
   * @param i its position in the list of candidates
   * @param quota from `quota()`
   */
  admits(i: number, tried: Tried, quota: number): boolean {
    const index = this.indexes[i]!;
    if (tried.length > 0 && tried.includes(index)) return false;
    const capacity = this.#tools.capacity(index);
    if (capacity === Infinity && quota === Infinity) return true;
    if (this.#tools.inFlight(index) >= capacity) return false;
    if (quota === Infinity) return true;
    const weight = this.weights[i]!;
    // Whole numbers are below x where they are below ⌈x⌉; multiplied out, so that nothing is rounded.
    return loadOf(this.#tools, index, weight, this.#totalWeight) * this.#totalWeight < quota * weight;
  }

  /** Why `admits` says no, in words; empty where it says yes. For an exchange that has tried nothing. */
  refusal(i: number, quota: number): string {
    if (this.admits(i, NOTHING_TRIED, quota)) return "";
    return this.admits(i, NOTHING_TRIED, Infinity) ? "over its share of what is in flight" : "full";
  }
}
