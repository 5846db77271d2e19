import type { Steps } from "../../engine/slices.ts";
import type { Plan } from "../../plan.ts";
import { isSame, type Listed, type Manifest, type PartId, renumbered, sharing, withRefs } from "./manifest.ts";
import { PlanParts, type SentPart } from "./plan-parts.ts";
import { type ManifestedPlan, PlanStore } from "./plan-store.ts";

/** Parts of one step. */
const STEP = 200;

/** A plan in its parts, made of the objects of the plan before where nothing differs. */
export interface PartedPlan extends ManifestedPlan {
  /** All its parts, each after those that it refers to. */
  readonly ids: ReadonlySet<PartId>;
}

/** Parts that are known, with what names their content. */
export interface KnownParts {
  readonly ids: readonly PartId[];
  /** One after another, as text of `DIGEST_CHARACTERS` each. */
  readonly digests: Buffer;
}

/**
 * Plans in their parts and put together again, so that what is the same in two of them is the very same object. What was put together here is
 * known again by its objects: such a plan is taken apart without a look into them.
 */
export class PlanShelf {
  readonly parts: PlanParts;
  readonly #store = new PlanStore();
  /** Of the objects of the store. */
  readonly #ids = new Map<object, PartId>();
  /** Of listeners and pools that were put together. */
  #lists = new Map<object, Listed>();
  /** `null` where others are known since. */
  #knownParts: KnownParts | null = null;

  constructor() {
    this.parts = new PlanParts({
      part: (object) => this.#ids.get(object),
      list: (object) => this.#lists.get(object),
    });
  }

  /** Takes a plan apart. @param before what it is compared with; it comes out itself where nothing differs */
  *take(given: Plan, before: PartedPlan | null): Steps<PartedPlan> {
    const manifest = yield* this.parts.taken(given);
    if (before !== null && isSame(manifest, before.manifest)) return before;
    const ids = yield* this.parts.idsIn(manifest);
    let added = 0;
    for (const id of ids) {
      this.#put(id);
      if (++added % STEP === 0) yield;
    }
    return { plan: yield* this.#planned(manifest, before), manifest, ids };
  }

  /** What need not be packed into a plan for this shelf, as long as nothing is forgotten. */
  known(): KnownParts {
    if (this.#knownParts?.ids.length !== this.parts.size) this.#knownParts = null;
    return (this.#knownParts ??= this.#listed());
  }

  /**
   * Puts a packed plan together.
   * @param parts read one batch a step
   * @param known what it was packed for
   * @throws RangeError where that is not here any more
   */
  *unpack(
    manifest: Manifest,
    parts: Iterable<readonly SentPart[]>,
    known: readonly PartId[],
    before: ManifestedPlan | null,
  ): Steps<Plan> {
    const ids = [...known];
    const idAt = (position: number): PartId => {
      const id = ids[position];
      if (id === undefined) throw new RangeError(`a plan names part ${position} of ${ids.length}`);
      return id;
    };
    for (const batch of parts) {
      for (const [content, digest, bytes] of batch) {
        const id = this.parts.adopt([withRefs(content, idAt), digest, bytes]);
        this.#put(id);
        ids.push(id);
      }
      yield;
    }
    const own = renumbered(manifest, idAt);
    return yield* this.#planned(before === null ? own : sharing(own, before.manifest), before);
  }

  /** Forgets what a plan does not have. */
  *keepOnly({ plan, manifest, ids }: PartedPlan): Steps<void> {
    this.#lists = new Map();
    this.#remember(plan, manifest);
    if (this.parts.size === ids.size) return;
    const gone = yield* this.parts.keepingOnly(ids);
    for (const id of gone) this.#ids.delete(this.#store.get(id));
    this.#store.forget(gone);
    this.#knownParts = null;
  }

  #listed(): KnownParts {
    const ids: PartId[] = [];
    let digests = "";
    for (const { id, digest } of this.parts.all) {
      ids.push(id);
      digests += digest;
    }
    return { ids, digests: Buffer.from(digests, "latin1") };
  }

  #put(id: PartId): void {
    if (!this.#store.has(id)) this.#ids.set(this.#store.add(id, this.parts.part(id).content), id);
  }

  *#planned(manifest: Manifest, before: ManifestedPlan | null): Steps<Plan> {
    const plan = yield* this.#store.planned(manifest, before);
    this.#remember(plan, manifest);
    return plan;
  }

  #remember({ listeners, pools }: Plan, manifest: Manifest): void {
    for (const [i, listed] of manifest.listeners.entries()) this.#lists.set(listeners[i]!, listed);
    for (const [i, listed] of manifest.pools.entries()) this.#lists.set(pools[i]!, listed);
  }
}
