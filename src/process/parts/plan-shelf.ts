import type { Steps } from "../../steps.ts";
import type { Plan } from "../../plan.ts";
import { isSame, type Listed, type Manifest, type PartId, renumbered, sharing } from "./manifest.ts";
import { PlanParts, type SentPart } from "./plan-parts.ts";
import { type ManifestedPlan, PlanStore } from "./plan-store.ts";

/** Parts of one step. */
const STEP = 200;
/** Of what plans before have left: it is looked for when there may be half as much as the plan in force has, and this. */
const LEFT = 1000;

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
  /** Of listeners and pools that were put together, and of the lists in them. */
  #lists = new WeakMap<object, Listed>();
  #items = new WeakMap<object, readonly PartId[]>();
  /** The first part that the store has not. */
  #unstored: PartId = 1;
  /** The first part that came after the plan in force. */
  #later: PartId = 1;
  /** How many the plan in force had when others were last looked for. */
  #live = 0;
  /** What is left of forgetting; `null` where nothing is. */
  #sweep: Steps<void> | null = null;
  /** What `known` says, of parts up to `upTo`. */
  #listed = newList();

  readonly #forgot: (part: PartId) => void;

  /** @param forgot told of each part that was forgotten */
  constructor(forgot: (part: PartId) => void = () => {}) {
    this.#forgot = forgot;
    this.parts = new PlanParts({
      part: (object) => this.#ids.get(object),
      list: (object) => this.#lists.get(object),
      items: (list) => this.#items.get(list),
    });
  }

  /** Takes a plan apart. @param before what it is compared with; it comes out itself where nothing differs */
  *take(given: Plan, before: ManifestedPlan | null): Steps<ManifestedPlan> {
    yield* this.swept();
    const manifest = yield* this.parts.taken(given);
    if (before !== null && isSame(manifest, before.manifest)) return before;
    yield* this.#storeNew();
    return { plan: yield* this.#planned(manifest, before), manifest };
  }

  /** What need not be packed into a plan for this shelf, as long as nothing is forgotten. */
  *known(): Steps<KnownParts> {
    yield* this.swept();
    const { ids, digests, upTo } = this.#listed;
    const added: PartId[] = [];
    const texts = [digests];
    let text = "";
    for (const { id, digest } of this.parts.from(upTo)) {
      text += digest;
      if (added.push(id) % STEP !== 0) continue;
      texts.push(Buffer.from(text, "latin1"));
      text = "";
      yield;
    }
    if (added.length === 0) return this.#listed;
    texts.push(Buffer.from(text, "latin1"));
    this.#listed = { ids: [...ids, ...added], digests: Buffer.concat(texts), upTo: this.parts.next };
    return this.#listed;
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
      for (const part of batch) ids.push(this.parts.adopt(part, idAt));
      yield* this.#storeNew();
      yield;
    }
    const own = renumbered(manifest, idAt);
    yield;
    const shared = before === null ? own : sharing(own, before.manifest);
    yield;
    return yield* this.#planned(shared, before);
  }

  /** What was taken or put together last is the plan in force from now on. */
  follow(): void {
    this.#later = this.parts.next;
    if (this.#live === 0) this.#live = this.parts.size;
  }

  /**
   * To be called when a plan was put in force or will not be. What came after the plan in force is to be forgotten, and what plans before it
   * have left, where that may be much: to know it takes a look at all parts, which few changes are to pay for.
   */
  tidy(inForce: ManifestedPlan): void {
    this.#sweep = this.#sweeping(inForce);
  }

  /** Forgets what is to be forgotten. Whoever takes a plan, or is told what is known, does what is left of it first. */
  *swept(): Steps<void> {
    while (this.#sweep !== null)
      if (this.#sweep.next().done === true) this.#sweep = null;
      else yield;
  }

  *#sweeping({ plan, manifest }: ManifestedPlan): Steps<void> {
    let gone = [...this.parts.from(this.#later)];
    if (this.parts.size - gone.length > 1.5 * this.#live + LEFT) {
      const live = yield* this.parts.idsIn(manifest);
      gone = yield* this.parts.besides(live);
      this.#live = live.size;
    }
    if (gone.length === 0) return;
    this.#listed = newList();
    this.#lists = new WeakMap();
    this.#items = new WeakMap();
    this.#remember(plan, manifest);
    // The last first, as each came after those that it refers to: a worker may start meanwhile, and is sent what is known.
    for (const [i, part] of gone.toReversed().entries()) {
      if (i % STEP === 0) yield;
      this.parts.forget(part);
      const object = this.#store.forget(part.id);
      if (object !== undefined) this.#ids.delete(object);
      this.#forgot(part.id);
    }
  }

  *#storeNew(): Steps<void> {
    let added = 0;
    for (const { id, content } of this.parts.from(this.#unstored)) {
      this.#ids.set(this.#store.add(id, content), id);
      this.#unstored = id + 1;
      if (++added % STEP === 0) yield;
    }
  }

  *#planned(manifest: Manifest, before: ManifestedPlan | null): Steps<Plan> {
    const plan = yield* this.#store.planned(manifest, before);
    this.#remember(plan, manifest);
    return plan;
  }

  #remember({ listeners, pools }: Plan, manifest: Manifest): void {
    for (const [i, listed] of manifest.listeners.entries())
      this.#rememberOne(listeners[i]!, listeners[i]!.routes, listed);
    for (const [i, listed] of manifest.pools.entries()) this.#rememberOne(pools[i]!, pools[i]!.backends, listed);
  }

  #rememberOne(object: object, list: readonly object[], listed: Listed): void {
    if (this.#lists.get(object) === listed) return;
    this.#lists.set(object, listed);
    this.#items.set(list, listed.items);
  }
}

function newList(): KnownParts & { readonly upTo: PartId } {
  return { ids: [], digests: Buffer.alloc(0), upTo: 1 };
}
