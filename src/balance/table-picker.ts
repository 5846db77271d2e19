import type { Admission } from "./admission.ts";
import { decided, type Explained } from "./explained.ts";
import type { Picker } from "./policy.ts";
import { spread } from "./spread.ts";
import type { Tried } from "./tried.ts";

const NONE: Tried = [];
/** Places looked at, beside one for each candidate, before the list of candidates is gone through: some microseconds. */
const PLACES = 1024;

/**
 * Picks from a table of places, each owned by a candidate: a key belongs to the owner of its place. Where that one takes no
 * more, the key goes to the owner of the next place, round the end, that does: so a backend that is full, down or
 * tried loses its own keys only, scattered over the others, and each key always to the same one. The same walk as in
 * nginx's `hash … consistent` and in Mirrokni et al. O(1) a pick beside finding the place, while a fair part of the pool has
 * room; O(candidates) where next to none has.
 */
export class TablePicker implements Picker {
  readonly #owners: Uint32Array;
  readonly #placeOf: (key: number) => number;
  readonly #admission: Admission;

  /**
   * @param owners the candidate of each place, by its position in the list
   * @param placeOf the place of a key
   */
  constructor(owners: Uint32Array, placeOf: (key: number) => number, admission: Admission) {
    this.#owners = owners;
    this.#placeOf = placeOf;
    this.#admission = admission;
  }

  pick(key: number, tried: Tried = NONE): number {
    const quota = this.#admission.quota();
    let i = this.#find(key, tried, quota);
    // Bounds leave room for one more, but not where that room is a backend's that was tried or has no capacity.
    if (i < 0 && quota < Infinity) i = this.#find(key, tried, Infinity);
    return i < 0 ? -1 : this.#admission.indexes[i]!;
  }

  explain(key: number): Explained {
    const { indexes } = this.#admission;
    const quota = this.#admission.quota();
    const owners = this.#owners;
    const place = this.#placeOf(key);
    const steps = new Map<number, number>();
    for (let step = 0; step < this.#places && steps.size < indexes.length; step++) {
      const i = owners[(place + step) % owners.length]!;
      if (!steps.has(i)) steps.set(i, step);
    }
    const choice = this.pick(key);
    const owner = indexes[owners[place]!]!;
    return decided(
      choice,
      "places from the key's own; the nearest that takes more wins",
      `the key belongs to place ${place} of ${owners.length}${choice === owner ? "" : ", whose backend takes no more"}`,
      [...indexes].map((index, i) => {
        return { index, score: steps.get(i) ?? null, refused: this.#admission.refusal(i, quota) };
      }),
    );
  }

  /** How many places are looked at. */
  get #places(): number {
    return Math.min(this.#owners.length, PLACES + this.#admission.indexes.length);
  }

  /** The candidate for a key, by its position in the list; -1 where none takes it. */
  #find(key: number, tried: Tried, quota: number): number {
    const owners = this.#owners;
    const admission = this.#admission;
    const places = this.#places;
    let refused = -1;
    for (let step = 0, at = this.#placeOf(key); step < places; step++) {
      const i = owners[at]!;
      if (i !== refused && admission.admits(i, tried, quota)) return i;
      refused = i;
      if (++at === owners.length) at = 0;
    }
    return this.#byWeight(key, tried, quota);
  }

  /** One of those that take more, by weight; the same for a key as long as they are the same. */
  #byWeight(key: number, tried: Tried, quota: number): number {
    const { weights } = this.#admission;
    let total = 0;
    for (let i = 0; i < weights.length; i++) if (this.#admission.admits(i, tried, quota)) total += weights[i]!;
    let position = spread(key, total);
    for (let i = 0; i < weights.length; i++) {
      if (!this.#admission.admits(i, tried, quota)) continue;
      position -= weights[i]!;
      if (position < 0) return i;
    }
    return -1;
  }
}
