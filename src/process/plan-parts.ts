import { atOnce, type Steps } from "../engine/slices.ts";
import type { ListenerPlan, Plan, PoolPlan } from "../plan.ts";

/** Number of a part: the same content has the same number, as long as whoever gave it knows the part. */
export type PartId = number;

/** A part of a plan: an object without other objects in it, for which `{ $: number }` of their parts stand. */
export type PartContent = Readonly<Record<string, unknown>>;

/** A plan by the numbers of its parts. */
export interface Manifest {
  /** What is left of the plan without its listeners and pools. */
  readonly top: PartId;
  readonly listeners: readonly { readonly shell: PartId; readonly routes: readonly PartId[] }[];
  readonly pools: readonly { readonly shell: PartId; readonly backends: readonly PartId[] }[];
}

/** Parts of one step, where they are put together; taken apart they cost more. */
const STEP = 500;
const STEP_APART = 50;

interface Known {
  readonly text: string;
  readonly content: PartContent;
  readonly refs: readonly PartId[];
  /** Of the content, parts in it and all. */
  readonly digest: string;
}

/**
 * Takes plans apart, so that only what is new in one has to be sent and looked at. Content that was seen before has its number: of
 * 10,000 routes with one change 9,999 are known, and timeouts that are everywhere the same are one part.
 */
export class PlanParts {
  readonly #ids = new Map<string, PartId>();
  readonly #known = new Map<PartId, Known>();
  /** Of the plan at hand: settings that many have are often one object. */
  #seen = new Map<object, PartId>();
  #next = 1;

  /** Takes a plan apart. O(size of the plan), about 5 µs a route. */
  take(plan: Plan): Manifest {
    return atOnce(this.taken(plan));
  }

  /** The same in steps, one plan at a time. */
  *taken(plan: Plan): Steps<Manifest> {
    const { listeners, pools, ...top } = plan;
    this.#seen = new Map();
    const made: { readonly shell: PartId; readonly routes: readonly PartId[] }[] = [];
    for (const { routes, ...shell } of listeners)
      made.push({ shell: this.#part(shell), routes: yield* this.#partsOf(routes) });
    const madePools: { readonly shell: PartId; readonly backends: readonly PartId[] }[] = [];
    for (const { backends, ...shell } of pools)
      madePools.push({ shell: this.#part(shell), backends: yield* this.#partsOf(backends) });
    return { top: this.#part(top), listeners: made, pools: madePools };
  }

  *#partsOf(objects: readonly object[]): Steps<readonly PartId[]> {
    const ids: PartId[] = [];
    for (const object of objects) if (ids.push(this.#part(object)) % STEP_APART === 0) yield;
    yield;
    return ids;
  }

  /** All parts of a plan, each after those that it refers to. */
  idsOf(manifest: Manifest): ReadonlySet<PartId> {
    return atOnce(this.idsIn(manifest));
  }

  /** The same in steps. */
  *idsIn(manifest: Manifest): Steps<ReadonlySet<PartId>> {
    const ids = new Set<PartId>();
    const add = (id: PartId): void => {
      if (ids.has(id)) return;
      for (const ref of this.#known.get(id)?.refs ?? []) add(ref);
      ids.add(id);
    };
    let seen = 0;
    for (const id of direct(manifest)) {
      add(id);
      if (++seen % STEP === 0) yield;
    }
    return ids;
  }

  /** Content of a part, and how long it is as text. */
  part(id: PartId): { readonly content: PartContent; readonly bytes: number } {
    const known = this.#known.get(id);
    if (known === undefined) throw new Error(`no part ${id}`);
    return { content: known.content, bytes: known.text.length };
  }

  /** Names the content of a plan: equal for equal plans, also in another process of this version. */
  hash(manifest: Manifest): string {
    const hasher = new Bun.CryptoHasher("sha256");
    const digest = (ids: readonly PartId[]): string => ids.map((id) => this.#known.get(id)?.digest).join();
    hasher.update(digest([manifest.top]));
    for (const { shell, routes } of manifest.listeners) hasher.update(`;${digest([shell, ...routes])}`);
    for (const { shell, backends } of manifest.pools) hasher.update(`:${digest([shell, ...backends])}`);
    return hasher.digest("hex").slice(0, 16);
  }

  /** Forgets all other parts. @returns which */
  keepOnly(ids: ReadonlySet<PartId>): readonly PartId[] {
    return atOnce(this.keepingOnly(ids));
  }

  /** The same in steps. */
  *keepingOnly(ids: ReadonlySet<PartId>): Steps<readonly PartId[]> {
    const gone: PartId[] = [];
    let seen = 0;
    for (const [id, { text }] of this.#known) {
      if (++seen % STEP === 0) yield;
      if (ids.has(id)) continue;
      this.#known.delete(id);
      this.#ids.delete(text);
      gone.push(id);
    }
    return gone;
  }

  #part(object: object): PartId {
    const refs: PartId[] = [];
    const content: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(object) as [string, unknown][]) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        content[key] = value;
        continue;
      }
      const ref = this.#seen.get(value) ?? this.#part(value);
      this.#seen.set(value, ref);
      refs.push(ref);
      content[key] = { $: ref };
    }
    const text = JSON.stringify(content);
    const id = this.#ids.get(text);
    if (id !== undefined) return id;
    const made = this.#next++;
    this.#ids.set(text, made);
    const plain = refs.length === 0 ? text : text.replaceAll(/\{"\$":\d+\}/g, "$");
    const inner = refs.map((ref) => this.#known.get(ref)?.digest).join(" ");
    this.#known.set(made, { text, content, refs, digest: Bun.hash(`${inner} ${plain}`).toString(36) });
    return made;
  }
}

/**
 * Puts plans together of parts. What is made of the same parts is the very same object from plan to plan, so that whoever gets the
 * plan sees by a comparison what has not changed.
 */
export class PlanStore {
  readonly #objects = new Map<PartId, object>();

  /** @throws RangeError for a part that refers to one that is not there */
  add(id: PartId, content: PartContent): void {
    if (this.#objects.has(id)) return;
    const object: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(content)) object[key] = isRef(value) ? this.#get(value.$) : value;
    this.#objects.set(id, object);
  }

  /**
   * The plan of a manifest. O(parts), some 20 ns each.
   * @param before the plan in force, whose listeners and pools are used again where nothing in them differs
   * @throws RangeError where a part of it is not there
   */
  plan(manifest: Manifest, before: Plan | null): Plan {
    return atOnce(this.planned(manifest, before));
  }

  /** The same in steps of some 20 µs, for whoever has others to serve meanwhile. No part may be forgotten before it is done. */
  *planned({ top, listeners, pools }: Manifest, before: Plan | null): Steps<Plan> {
    const oldListeners = new Map(before?.listeners.map((each) => [each.name, each]));
    const oldPools = new Map(before?.pools.map((each) => [each.name, each]));
    const made: { listeners: ListenerPlan[]; pools: PoolPlan[] } = { listeners: [], pools: [] };
    for (const { shell, routes } of listeners) {
      const parts: object[] = [];
      for (const id of routes) if (parts.push(this.#get(id)) % STEP === 0) yield;
      // Taken apart from a plan by the same code.
      const listener = { ...this.#get(shell), routes: parts } as unknown as ListenerPlan;
      made.listeners.push(kept(listener, oldListeners.get(listener.name), "routes"));
      yield;
    }
    for (const { shell, backends } of pools) {
      const pool = { ...this.#get(shell), backends: backends.map((id) => this.#get(id)) } as unknown as PoolPlan;
      made.pools.push(kept(pool, oldPools.get(pool.name), "backends"));
      yield;
    }
    return { ...(this.#get(top) as unknown as Plan), ...made };
  }

  /** Forgets parts that no plan has any more. */
  forget(ids: readonly PartId[]): void {
    for (const id of ids) this.#objects.delete(id);
  }

  #get(id: PartId): object {
    const object = this.#objects.get(id);
    if (object === undefined) throw new RangeError(`no part ${id} of a plan`);
    return object;
  }
}

/** The object of the plan before, or its list at least, where nothing in it differs. */
function kept<T extends object>(made: T, before: T | undefined, list: keyof T): T {
  if (before === undefined) return made;
  const same = sameItems(made[list] as readonly unknown[], before[list] as readonly unknown[]);
  const own = same ? { ...made, [list]: before[list] } : made;
  const keys = Object.keys(own) as (keyof T)[];
  const equal = (key: keyof T): boolean => own[key] === before[key] || bothListed(own[key], before[key]);
  return keys.length === Object.keys(before).length && keys.every((key) => (key === list ? same : equal(key)))
    ? before
    : own;
}

/** Short lists inside a shell are no parts of their own. */
function bothListed(a: unknown, b: unknown): boolean {
  return Array.isArray(a) && Array.isArray(b) && Bun.deepEquals(a, b);
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function isRef(value: unknown): value is { readonly $: PartId } {
  return typeof value === "object" && value !== null && "$" in value;
}

function direct({ top, listeners, pools }: Manifest): PartId[] {
  return [
    top,
    ...listeners.flatMap(({ shell, routes }) => [shell, ...routes]),
    ...pools.flatMap(({ shell, backends }) => [shell, ...backends]),
  ];
}
