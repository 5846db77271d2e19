/** What may be lost: lines of access logs, and exchanges whose spans were to be exported. */
export type Lost = "lines" | "exchanges";

/** Where each is counted. */
const CELL: Readonly<Record<Lost, number>> = { lines: 0, exchanges: 1 };

/**
 * What could not be told of, over all workers since Weir started. Atomic, since all workers write the same two words: that is rare, and
 * what a worker had lost before it died stays.
 */
export class Losses {
  readonly #cells: BigInt64Array;

  /** @param at a multiple of 8; zeroed when new */
  constructor(memory: ArrayBufferLike, at: number) {
    this.#cells = new BigInt64Array(memory, at, Object.keys(CELL).length);
  }

  add(what: Lost, count: number): void {
    Atomics.add(this.#cells, CELL[what], BigInt(count));
  }

  total(what: Lost): number {
    return Number(Atomics.load(this.#cells, CELL[what]));
  }
}
