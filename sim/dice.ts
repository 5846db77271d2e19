import { type Random, seededRandom } from "../src/random.ts";

/** Draws what a run is made of. Equal seeds give equal draws, and a fork draws apart from its parent. */
export class Dice implements Random {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  below(n: number): number {
    return this.#random.below(n);
  }

  /** A whole number, both ends among them. */
  between(least: number, most: number): number {
    return least + this.#random.below(most - least + 1);
  }

  /** True so many times in a thousand. */
  permille(of: number): boolean {
    return this.#random.below(1000) < of;
  }

  /** True one time in `n`. */
  oneIn(n: number): boolean {
    return this.#random.below(n) === 0;
  }

  pick<T>(list: readonly T[]): T {
    const drawn = list[this.#random.below(list.length)];
    if (drawn === undefined) throw new RangeError("nothing to draw from");
    return drawn;
  }

  /** A whole number whose size class is drawn first: 1 to 10 is as likely as 10,000 to 100,000. */
  size(least: number, most: number): number {
    const low = Math.log(least + 1);
    const high = Math.log(most + 2);
    const drawn = Math.floor(Math.exp(low + ((high - low) * this.#random.below(1_000_000)) / 1_000_000)) - 1;
    return Math.min(most, Math.max(least, drawn));
  }

  /** Dice of their own: what one actor draws changes nothing for the others. */
  fork(): Dice {
    return new Dice(this.#random.below(2 ** 32));
  }
}
