import { Admission } from "./admission.ts";
import { decided, type Explained } from "./explained.ts";
import { hashText, mix } from "./mix.ts";
import { type Candidate, DEFAULT_OPTIONS, type Picker, type Policy, type PolicyOptions, type Tools } from "./policy.ts";
import type { Tried } from "./tried.ts";

const NONE: Tried = [];

/**
 * Each backend has a score for each key, drawn by hashing both, and the highest takes it: -w ÷ ln h, with h in (0, 1] of
 * 53 bits, which gives each backend exactly its share by weight. Where the highest takes no more, the next does.
 * O(n) a pick, about 5 ns a backend; O(n) to prepare, 24 bytes a backend.
 *
 * D. Thaler, C. Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM ToN 6(1), 1998. Weights: C. Schindelhauer,
 * G. Schomaker, "Weighted distributed hash tables", SPAA 2005; J. Resch, "New hashing algorithms for data storage", SDC 2015.
 */
export const rendezvous: Policy = {
  name: "rendezvous",
  keyed: true,
  loads: [],
  learns: ({ maxLoadFactor }) => maxLoadFactor !== null,
  prepare: (candidates, tools, options = DEFAULT_OPTIONS) => new RendezvousPicker(candidates, tools, options),
};

class RendezvousPicker implements Picker {
  readonly #admission: Admission;
  /** Two hashes of each candidate's id. */
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;

  constructor(candidates: readonly Candidate[], tools: Tools, options: PolicyOptions) {
    this.#admission = new Admission(candidates, tools, options);
    this.#high = Uint32Array.from(candidates, ({ id }) => hashText(id, 1));
    this.#low = Uint32Array.from(candidates, ({ id }) => hashText(id, 2));
  }

  pick(key: number, tried: Tried = NONE): number {
    const quota = this.#admission.quota();
    let i = this.#highest(key, tried, quota);
    // Bounds leave room for one more, but not where that room is a backend's that was tried or has no capacity.
    if (i < 0 && quota < Infinity) i = this.#highest(key, tried, Infinity);
    return i < 0 ? -1 : this.#admission.indexes[i]!;
  }

  explain(key: number): Explained {
    const { indexes } = this.#admission;
    const quota = this.#admission.quota();
    const mixed = mix(key);
    const candidates = [...indexes].map((index, i) => {
      const score = 1 / this.#inverseOf(i, this.#highOf(i, mixed));
      return { index, score, refused: this.#admission.refusal(i, quota) };
    });
    return decided(
      this.pick(key),
      "weight ÷ -ln of the hash of key and backend; the highest that takes more wins",
      `the key's hash is ${mixed}`,
      candidates,
    );
  }

  /** The candidate of the highest score that takes one more, by its position in the list; -1 where none does. */
  #highest(key: number, tried: Tried, quota: number): number {
    const { weights } = this.#admission;
    const mixed = mix(key);
    let chosen = -1;
    let least = Infinity; // -ln h ÷ w: the inverse of the score
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i]!;
      const high = this.#highOf(i, mixed);
      // -ln h is at least 1 - h, which rules out most without a logarithm.
      if (1 - (high + 1) / 4294967296 >= least * weight) continue;
      const inverse = this.#inverseOf(i, high);
      if (inverse < least && this.#admission.admits(i, tried, quota)) {
        least = inverse;
        chosen = i;
      }
    }
    return chosen;
  }

  /** The highest 32 bits of h. */
  #highOf(i: number, mixed: number): number {
    return mix(mix(mixed ^ this.#high[i]!) ^ this.#low[i]!);
  }

  /** 1 ÷ the score of a candidate. */
  #inverseOf(i: number, high: number): number {
    const low = mix(high + this.#high[i]!) >>> 11;
    return -Math.log((high * 2097152 + low + 1) / 9007199254740992) / this.#admission.weights[i]!;
  }
}
