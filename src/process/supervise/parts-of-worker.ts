import type { Manifest, PartContent, PartId, PlanParts } from "../plan-parts.ts";

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

  /** What it has to be sent for a plan, in messages, each part after those that it refers to. */
  missing(manifest: Manifest): readonly Batch[] {
    const batches: (readonly [PartId, PartContent])[][] = [];
    let room = 0;
    for (const id of this.#all.idsOf(manifest)) {
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
    const gone = [...this.#known].filter((id) => !live.has(id));
    for (const id of gone) this.#known.delete(id);
    return gone;
  }
}
