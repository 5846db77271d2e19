import { atOnce, type Steps } from "../../engine/slices.ts";
import type { ListenerPlan, Plan, PoolPlan } from "../../plan.ts";
import { isRef, type Manifest, type PartContent, type PartId } from "./manifest.ts";

/** Parts of one step. */
const STEP = 500;

/** A plan with what it was made of. */
export interface ManifestedPlan {
  readonly plan: Plan;
  readonly manifest: Manifest;
}

/**
 * Puts plans together of parts. What is made of the same parts is the very same object from plan to plan, so that whoever gets the
 * plan sees by a comparison what has not changed.
 */
export class PlanStore {
  readonly #objects = new Map<PartId, object>();

  has(id: PartId): boolean {
    return this.#objects.has(id);
  }

  /** @returns the object that is made of it, or that was @throws RangeError for a part that refers to one that is not there */
  add(id: PartId, content: PartContent): object {
    const there = this.#objects.get(id);
    if (there !== undefined) return there;
    const object: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(content)) object[key] = isRef(value) ? this.get(value.$) : value;
    this.#objects.set(id, object);
    return object;
  }

  /** @throws RangeError where it is not there */
  get(id: PartId): object {
    const object = this.#objects.get(id);
    if (object === undefined) throw new RangeError(`no part ${id} of a plan`);
    return object;
  }

  /**
   * The plan of a manifest. O(parts), some 20 ns each.
   * @param before the plan in force, whose listeners and pools are used again where nothing in them differs: O(1), where they are the very same in its manifest
   * @throws RangeError where a part of it is not there
   */
  plan(manifest: Manifest, before: ManifestedPlan | null): Plan {
    return atOnce(this.planned(manifest, before));
  }

  /** The same in steps of some 20 µs, for whoever has others to serve meanwhile. No part may be forgotten before it is done. */
  *planned({ top, listeners, pools }: Manifest, before: ManifestedPlan | null): Steps<Plan> {
    const oldListeners = new Map(before?.plan.listeners.map((each) => [each.name, each]));
    const oldPools = new Map(before?.plan.pools.map((each) => [each.name, each]));
    const sameListeners = new Map(before?.manifest.listeners.map((each, i) => [each, before.plan.listeners[i]!]));
    const samePools = new Map(before?.manifest.pools.map((each, i) => [each, before.plan.pools[i]!]));
    const made: { listeners: ListenerPlan[]; pools: PoolPlan[] } = { listeners: [], pools: [] };
    for (const listed of listeners) {
      const same = sameListeners.get(listed);
      if (same !== undefined) {
        made.listeners.push(same);
        continue;
      }
      const { shell, items } = listed;
      const parts: object[] = [];
      for (const id of items) if (parts.push(this.get(id)) % STEP === 0) yield;
      // Taken apart from a plan by the same code.
      const listener = { ...this.get(shell), routes: parts } as unknown as ListenerPlan;
      made.listeners.push(kept(listener, oldListeners.get(listener.name), "routes"));
      yield;
    }
    for (const listed of pools) {
      const same = samePools.get(listed);
      if (same !== undefined) {
        if (made.pools.push(same) % STEP === 0) yield;
        continue;
      }
      const { shell, items } = listed;
      const pool = { ...this.get(shell), backends: items.map((id) => this.get(id)) } as unknown as PoolPlan;
      made.pools.push(kept(pool, oldPools.get(pool.name), "backends"));
      yield;
    }
    return { ...(this.get(top) as unknown as Plan), ...made };
  }

  /** Forgets parts that no plan has any more. */
  forget(ids: readonly PartId[]): void {
    for (const id of ids) this.#objects.delete(id);
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
