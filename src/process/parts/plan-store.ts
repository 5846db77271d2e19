import { atOnce, type Steps } from "../../steps.ts";
import type { ListenerPlan, Plan, PoolPlan } from "../../plan.ts";
import { isRef, type Listed, type Manifest, type PartContent, type PartId } from "./manifest.ts";

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
  /** Listeners and pools by what they were made of, and the lists in them. */
  readonly #lists = new WeakMap<Listed, object>();
  readonly #items = new WeakMap<readonly PartId[], readonly object[]>();

  /** @returns the object that is made of it, or that was @throws RangeError for a part that refers to one that is not there */
  add(id: PartId, content: PartContent): object {
    const there = this.#objects.get(id);
    if (there !== undefined) return there;
    const object: Record<string, unknown> = {};
    for (const key of Object.keys(content)) {
      const value = content[key];
      object[key] = isRef(value) ? this.get(value.$) : value;
    }
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
    return {
      ...(this.get(top) as Plan),
      listeners: yield* this.#made<"routes", ListenerPlan>(listeners, "routes", before?.plan.listeners ?? []),
      pools: yield* this.#made<"backends", PoolPlan>(pools, "backends", before?.plan.pools ?? []),
    };
  }

  *#made<K extends string, T extends { readonly name: string } & { readonly [key in K]: readonly object[] }>(
    lists: readonly Listed[],
    key: K,
    olds: readonly T[],
  ): Steps<readonly T[]> {
    let byName: ReadonlyMap<string, T> | null = null;
    const all: T[] = [];
    for (const list of lists) {
      let made = this.#lists.get(list) as T | undefined;
      if (made === undefined) {
        const items = this.#items.get(list.items) ?? (yield* this.#all(list.items));
        byName ??= new Map(olds.map((old) => [old.name, old]));
        const whole: object = { ...this.get(list.shell), [key]: items };
        const own = whole as T; // taken apart from a plan by the same code
        made = kept(own, byName.get(own.name), key);
        this.#lists.set(list, made);
        this.#items.set(list.items, made[key]);
        yield;
      }
      if (all.push(made) % STEP === 0) yield;
    }
    return all;
  }

  *#all(ids: readonly PartId[]): Steps<readonly object[]> {
    const objects: object[] = [];
    for (const id of ids) if (objects.push(this.get(id)) % STEP === 0) yield;
    return objects;
  }

  /** Forgets a part that no plan has any more. @returns the object that was made of it; `undefined` where it was not there */
  forget(id: PartId): object | undefined {
    const object = this.#objects.get(id);
    this.#objects.delete(id);
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
  return a === b || (a.length === b.length && a.every((item, i) => item === b[i]));
}
