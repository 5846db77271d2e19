import type { Placement } from "../../engine/placement.ts";
import type { Placements } from "../../engine/placements.ts";
import { atOnce, type Steps } from "../../steps.ts";
import type { Plan } from "../../plan.ts";
import type { Manifest, PartId } from "../parts/manifest.ts";
import type { PlanParts, SentPart } from "../parts/plan-parts.ts";
import { type KnownParts, PlanShelf } from "../parts/plan-shelf.ts";
import type { ManifestedPlan } from "../parts/plan-store.ts";

/** Parts that a worker forgets in a fraction of a millisecond. */
const TOLD_AT_ONCE = 500;

/** The plan that all workers have, and where its numbers are in the shared memory. */
export class PlanInForce {
  readonly #shelf = new PlanShelf((part) => this.#forgotten.push(part));
  readonly #forgotten: PartId[] = [];
  #parted: ManifestedPlan;
  #placement: Placement | null = null;
  #generation = 1;

  constructor(first: Plan) {
    this.#parted = atOnce(this.#shelf.take(first, null));
    this.#shelf.follow();
  }

  /** In its parts. */
  get parted(): ManifestedPlan {
    return this.#parted;
  }

  /** With the addresses that were bound. Holds secrets. */
  get plan(): Plan {
    return this.#parted.plan;
  }

  /** All parts that are known. */
  get parts(): PlanParts {
    return this.#shelf.parts;
  }

  /** Names its content. O(parts). */
  get hash(): string {
    return this.parts.hash(this.#parted.manifest);
  }

  get placement(): Placement {
    if (this.#placement === null) throw new Error("the first plan has no place yet");
    return this.#placement;
  }

  /** 1 for the first, one more for each that follows. */
  get generation(): number {
    return this.#generation;
  }

  /** Gives the first plan its place. */
  settle(placements: Placements): void {
    this.#placement = placements.place(this.plan);
    placements.commit(longestDrainMs(this.plan));
  }

  /** See `PlanShelf`. */
  known(): Steps<KnownParts> {
    return this.#shelf.known();
  }

  /** See `PlanShelf`; `tidy` when it is not, or no longer, to be the next. */
  unpack(manifest: Manifest, parts: Iterable<readonly SentPart[]>, known: readonly PartId[]): Steps<Plan> {
    return this.#shelf.unpack(manifest, parts, known, this.#parted);
  }

  /** Takes another plan apart; `tidy` when it is not, or no longer, to be the next. */
  take(plan: Plan): Steps<ManifestedPlan> {
    return this.#shelf.take(plan, this.#parted);
  }

  /** Puts one in force. */
  follow(next: ManifestedPlan, placement: Placement): void {
    this.#shelf.follow();
    this.#parted = next;
    this.#placement = placement;
    this.#generation += 1;
  }

  /** See `PlanShelf`. */
  tidy(): void {
    this.#shelf.tidy(this.#parted);
  }

  /** See `PlanShelf`. */
  swept(): Steps<void> {
    return this.#shelf.swept();
  }

  /** Takes some of the parts that were forgotten, for workers to forget them as well; none where there are none. */
  forgotten(): readonly PartId[] {
    return this.#forgotten.splice(0, TOLD_AT_ONCE);
  }
}

/** How long what a change removes may take at most to finish. In milliseconds. */
export function longestDrainMs({ drain: { requestsMs, tunnelsMs } }: Plan): number {
  return requestsMs === 0 || tunnelsMs === 0 ? Number.POSITIVE_INFINITY : Math.max(requestsMs, tunnelsMs);
}
