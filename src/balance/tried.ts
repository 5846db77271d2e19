/** Backends that an exchange was tried on, as a picker asks for them. An array of their indexes is one. */
export interface Tried {
  readonly length: number;
  includes(index: number): boolean;
}

/**
 * The same with O(1) an answer, however many they are: an array looked through for each candidate made a request to a thousand dead backends a
 * tenth of a second of work. Of one pick alone: it is marked anew for the next.
 */
export class TriedMarks implements Tried {
  /** By index, the round in which it was last marked. Of 64 bits, so that rounds never begin anew. */
  readonly #rounds: Float64Array;
  #round = 1;
  #length = 0;

  /** @param backends one more than the highest index */
  constructor(backends: number) {
    this.#rounds = new Float64Array(backends);
  }

  get length(): number {
    return this.#length;
  }

  includes(index: number): boolean {
    return this.#rounds[index] === this.#round;
  }

  /** Marks these, and no others. O(tried). */
  set(tried: readonly number[]): this {
    this.#round += 1;
    this.#length = 0;
    for (const index of tried) this.add(index);
    return this;
  }

  /** Marks one more. */
  add(index: number): void {
    this.#rounds[index] = this.#round;
    this.#length += 1;
  }
}
