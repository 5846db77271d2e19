import type { PartContent, PartId } from "./manifest.ts";
import type { PlanParts } from "./plan-parts.ts";

/** Bytes of one message: a worker takes it in a fifth of a millisecond, and serves its clients before the next. */
const BATCH_BYTES = 8 * 1024;

type Batch = readonly (readonly [PartId, PartContent])[];

/** Which parts of plans a worker has: all up to a number, but for what it was told to forget. */
export class PartsOf {
  readonly #all: PlanParts;
  #next: PartId = 1;

  constructor(all: PlanParts) {
    this.#all = all;
  }

  /** What it has to be sent to have all that are known now, in messages and in their order. */
  missing(): readonly Batch[] {
    const batches: (readonly [PartId, PartContent])[][] = [];
    let room = 0;
    for (const { id, content, bytes } of this.#all.from(this.#next)) {
      if (room < bytes) {
        batches.push([]);
        room = BATCH_BYTES;
      }
      batches.at(-1)?.push([id, content]);
      room -= bytes;
    }
    return batches;
  }

  /** It has these from now on, and all before them. */
  took(parts: Batch): void {
    const [last] = parts.at(-1) ?? [0];
    this.#next = last + 1;
  }

  /** Of these, what it has. */
  of(ids: readonly PartId[]): readonly PartId[] {
    return ids.filter((id) => id < this.#next);
  }
}
