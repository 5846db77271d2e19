import type { PartContent, PartId } from "./manifest.ts";
import type { PlanParts } from "./plan-parts.ts";

/** Bytes of one message: a worker takes it in a fraction of a millisecond, and serves its clients before the next. */
const BATCH_BYTES = 32 * 1024;

type Batch = readonly (readonly [PartId, PartContent])[];

/** Which parts of plans a worker has. */
export class PartsOf {
  readonly #all: PlanParts;
  readonly #known = new Set<PartId>();

  constructor(all: PlanParts) {
    this.#all = all;
  }

  /** Of these, what it has to be sent, in messages and in their order. */
  missing(ids: Iterable<PartId>): readonly Batch[] {
    const batches: (readonly [PartId, PartContent])[][] = [];
    let room = 0;
    for (const id of ids) {
      if (this.#known.has(id)) continue;
      const { content, bytes } = this.#all.part(id);
      if (room < bytes) {
        batches.push([]);
        room = BATCH_BYTES;
      }
      batches.at(-1)?.push([id, content]);
      room -= bytes;
    }
    return batches;
  }

  /** It has these from now on. */
  took(parts: Batch): void {
    for (const [id] of parts) this.#known.add(id);
  }

  /** What it may forget, with these being all that is in force. */
  keepOnly(live: ReadonlySet<PartId>): readonly PartId[] {
    const gone: PartId[] = [];
    for (const id of this.#known) if (!live.has(id)) gone.push(id);
    for (const id of gone) this.#known.delete(id);
    return gone;
  }
}
