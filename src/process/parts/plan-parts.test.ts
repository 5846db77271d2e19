import { expect, test } from "bun:test";
import fc from "fast-check";
import { atOnce } from "../../steps.ts";
import type { Plan } from "../../plan.ts";
import type { Manifest } from "./manifest.ts";
import { base, listenerOf, plans } from "../../../test/fixtures/plan-arbitrary.ts";
import { PlanParts } from "./plan-parts.ts";
import { type ManifestedPlan, PlanStore } from "./plan-store.ts";

/** What a worker does with a manifest, given the parts that it has not. */
function told(
  parts: PlanParts,
  store: PlanStore,
  manifest: Manifest,
  known: Set<number>,
  before: ManifestedPlan | null,
): Plan {
  for (const id of parts.idsOf(manifest)) {
    if (known.has(id)) continue;
    known.add(id);
    // As it goes through a message.
    store.add(id, JSON.parse(JSON.stringify(parts.part(id).content)));
  }
  return store.plan(manifest, before);
}

test("a plan comes out of its parts as it went in, and what did not change is the very same object", () => {
  fc.assert(
    fc.property(fc.array(plans, { minLength: 1, maxLength: 6 }), (sequence) => {
      const parts = new PlanParts();
      const store = new PlanStore();
      const known = new Set<number>();
      let before: ManifestedPlan | null = null;
      for (const plan of sequence) {
        const manifest = parts.take(plan);
        const after = told(parts, store, manifest, known, before);
        expect(after).toEqual(plan);
        if (before !== null) {
          shared(before.plan.pools, after.pools, ({ backends }) => backends);
          shared(before.plan.listeners, after.listeners, ({ routes }) => routes);
        }
        const live = parts.idsOf(manifest);
        const gone = [...known].filter((id) => !live.has(id));
        for (const id of gone) known.delete(id);
        for (const id of gone) store.forget(id);
        for (const part of atOnce(parts.besides(live))) parts.forget(part);
        before = { plan: after, manifest };
      }
    }),
  );
});

function shared<T extends { readonly name: string }>(
  before: readonly T[],
  after: readonly T[],
  inside: (each: T) => readonly object[],
): void {
  for (const each of after) {
    const was = before.find(({ name }) => name === each.name);
    if (was === undefined) continue;
    if (Bun.deepEquals(was, each)) expect(was === each).toBe(true);
    for (const part of inside(each)) {
      const same = inside(was).find((other) => Bun.deepEquals(other, part));
      if (same !== undefined) expect(same === part).toBe(true);
    }
  }
}

test("a plan has the same hash whatever was taken apart before, and another one has another", () => {
  fc.assert(
    fc.property(plans, plans, (plan, other) => {
      const parts = new PlanParts();
      const otherHash = parts.hash(parts.take(other));
      const hash = parts.hash(parts.take(plan));
      const fresh = new PlanParts();
      expect(fresh.hash(fresh.take(structuredClone(plan)))).toBe(hash);
      expect(hash === otherHash).toBe(Bun.deepEquals(plan, other));
    }),
  );
});

test("settings that are everywhere the same are one part", () => {
  const parts = new PlanParts();
  const plan = {
    ...base,
    listeners: [
      listenerOf(
        "x",
        false,
        Array.from({ length: 1000 }, (_, i) => `h${i}`),
      ),
    ],
  };
  const size = [...parts.idsOf(parts.take(plan))].reduce((sum, id) => sum + parts.part(id).bytes, 0);
  expect(size).toBeLessThan(130 * 1000);
});

test("a part that is not there is an error, not a hole in the plan", () => {
  const parts = new PlanParts();
  const store = new PlanStore();
  expect(() => store.plan(parts.take(base), null)).toThrow(RangeError);
  expect(() => store.add(1, { x: { $: 99 } })).toThrow(RangeError);
});
