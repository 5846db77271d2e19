import type { Placement } from "../../engine/placement.ts";
import type { Placements } from "../../engine/placements.ts";
import { atOnce, type Steps } from "../../engine/slices.ts";
import type { Plan } from "../../plan.ts";
import { type Manifest, PlanParts, PlanStore } from "../plan-parts.ts";

/** Parts of one step. */
const STEP = 200;

/** A plan in its parts, made of the objects of the plan in force where nothing differs. */
export interface PartedPlan {
  readonly plan: Plan;
  readonly manifest: Manifest;
  readonly hash: string;
}

/** The plan that all workers have, and where its numbers are in the shared memory. */
export class PlanInForce {
  readonly parts = new PlanParts();
  readonly #store = new PlanStore();
  #parted: PartedPlan;
  #placement: Placement | null = null;
  #generation = 1;

  constructor(first: Plan) {
    this.#parted = atOnce(this.#take(first, null));
  }

  /** With the addresses that were bound. Holds secrets. */
  get plan(): Plan {
    return this.#parted.plan;
  }

  get manifest(): Manifest {
    return this.#parted.manifest;
  }

  /** Names its content. */
  get hash(): string {
    return this.#parted.hash;
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

  /** Takes another plan apart; `forgetOthers` when it is not, or no longer, to be the next. */
  take(plan: Plan): Steps<PartedPlan> {
    return this.#take(plan, this.plan);
  }

  /** Puts one in force. */
  follow(next: PartedPlan, placement: Placement): void {
    this.#parted = next;
    this.#placement = placement;
    this.#generation += 1;
  }

  /** Forgets the parts that the plan in force does not have. */
  *forgetOthers(): Steps<void> {
    this.#store.forget(yield* this.parts.keepingOnly(yield* this.parts.idsIn(this.manifest)));
  }

  *#take(given: Plan, before: Plan | null): Steps<PartedPlan> {
    const manifest = yield* this.parts.taken(given);
    let added = 0;
    for (const id of yield* this.parts.idsIn(manifest)) {
      this.#store.add(id, this.parts.part(id).content);
      if (++added % STEP === 0) yield;
    }
    const plan = yield* this.#store.planned(manifest, before);
    return { plan, manifest, hash: this.parts.hash(manifest) };
  }
}

/** How long what a change removes may take at most to finish. In milliseconds. */
export function longestDrainMs({ drain: { requestsMs, tunnelsMs } }: Plan): number {
  return requestsMs === 0 || tunnelsMs === 0 ? Number.POSITIVE_INFINITY : Math.max(requestsMs, tunnelsMs);
}
