import type { Explained } from "../balance/explained.ts";
import type { Candidate, Picker, Tools } from "../balance/policy.ts";
import type { Tried } from "../balance/tried.ts";

/** Picks that a backend may be behind, and then catch up with: so that chance does not cost it its share. */
const BURST = 4;

/**
 * Holds backends in a slow start to the share that their weights give them, whatever a policy makes of weights. `least-connections`
 * would send a newcomer everything until it is as busy as the others, and `first` looks at no weight at all. (Envoy's
 * slow start fails with `LEAST_REQUEST` and few hosts for that reason: envoy#11050, #19437.)
 *
 * A backend that has had its share looks endlessly busy to the policy. Those that draw or take turns do not ask and need not: they
 * keep to weights. One of them for each pool and worker, made with the picker while a ramp is on; not for keyed policies, whose
 * weights say which keys move. O(1) a pick beside the policy's own cost.
 */
export class ShareCap {
  /** With what the picker is to be prepared. */
  readonly tools: Tools;
  /** By index of a backend; 0 for those that are not held. */
  readonly #share: Float64Array;
  /** Picks that each is behind, as of `#asOf`. */
  readonly #credit: Float64Array;
  readonly #asOf: Float64Array;
  #picks = 0;
  #lifted = false;

  /** @param ramping indexes of backends in a slow start */
  constructor(candidates: readonly Candidate[], ramping: readonly number[], tools: Tools) {
    const size = candidates.reduce((most, { index }) => Math.max(most, index + 1), 0);
    this.#share = new Float64Array(size);
    this.#credit = new Float64Array(size).fill(1);
    this.#asOf = new Float64Array(size);
    const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
    for (const { index, weight } of candidates) if (ramping.includes(index)) this.#share[index] = weight / total;
    this.tools = { ...tools, inFlight: (index) => (this.#mayTake(index) ? tools.inFlight(index) : Infinity) };
  }

  /** Picks with a picker that was prepared with `tools`. Where all others are full, the shares do not count. */
  pick(picker: Picker, key: number, tried?: Tried): number {
    let index = picker.pick(key, tried);
    if (index === -1) {
      this.#lifted = true;
      index = picker.pick(key, tried);
      this.#lifted = false;
      if (index === -1) return -1;
    }
    this.#picks += 1;
    if (this.#share[index]! > 0) {
      this.#credit[index] = this.#creditOf(index) - 1;
      this.#asOf[index] = this.#picks;
    }
    return index;
  }

  /** Explains what `pick` would choose now. */
  explain(picker: Picker, key: number): Explained {
    const told = picker.explain(key);
    if (told.choice === -1) {
      this.#lifted = true;
      const lifted = picker.explain(key);
      this.#lifted = false;
      return lifted;
    }
    const candidates = told.candidates.map((each) =>
      each.score === null || Number.isFinite(each.score) || this.#mayTake(each.index)
        ? each
        : { ...each, score: null, refused: "has had its share, as long as its slow start lasts" },
    );
    return { ...told, candidates };
  }

  #mayTake(index: number): boolean {
    return this.#lifted || this.#share[index] === 0 || this.#creditOf(index) >= 1;
  }

  #creditOf(index: number): number {
    return Math.min(BURST, this.#credit[index]! + this.#share[index]! * (this.#picks - this.#asOf[index]!));
  }
}
