import { expect, test } from "bun:test";
import fc from "fast-check";
import { planOf } from "../../test/fixtures/cluster.ts";
import type { BackendPlan, ListenerPlan, Plan, PoolPlan } from "../plan.ts";
import { type Manifest, PlanParts, PlanStore } from "./plan-parts.ts";

const base = planOf({ backends: [1] });

/** Plans that differ a little from each other: what a sequence of reloads is made of. */
const plans: fc.Arbitrary<Plan> = fc
  .record({
    shutdownMs: fc.constantFrom(1000, 2000),
    trustedProxies: fc.subarray(["10.0.0.0/8", "::1"]),
    pools: fc.uniqueArray(
      fc.record({ name: fc.constantFrom("a", "b", "c"), weights: someWeights(), cookie: someCookie() }),
      {
        selector: ({ name }) => name,
        minLength: 1,
      },
    ),
    listeners: fc.uniqueArray(fc.record({ name: fc.constantFrom("x", "y"), via: fc.boolean(), hosts: someHosts() }), {
      selector: ({ name }) => name,
      minLength: 1,
    }),
  })
  .map(({ shutdownMs, trustedProxies, pools, listeners }) => ({
    ...base,
    shutdownMs,
    trustedProxies,
    pools: pools.map(({ name, weights, cookie }) => poolOf(name, weights, cookie)),
    listeners: listeners.map(({ name, via, hosts }) => listenerOf(name, via, hosts)),
  }));

function someWeights(): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 });
}

function someCookie(): fc.Arbitrary<string | null> {
  return fc.constantFrom(null, "weir", "$");
}

function someHosts(): fc.Arbitrary<(string | null)[]> {
  return fc.uniqueArray(fc.constantFrom(null, "a.example", "b.example", '{"$":1}'), { minLength: 1 });
}

function poolOf(name: string, weights: readonly number[], cookie: string | null): PoolPlan {
  const [pool] = base.pools;
  const [backend] = pool!.backends;
  const backends = weights.map((weight, i): BackendPlan => ({ ...backend!, id: `127.0.0.1:${i}`, weight }));
  const affinity = cookie === null ? null : { cookie, ttlSeconds: null, path: "/", secret: "s" };
  return { ...pool!, name, affinity, backends };
}

function listenerOf(name: string, via: boolean, hosts: readonly (string | null)[]): ListenerPlan {
  const [listener] = base.listeners;
  const [route] = listener!.routes;
  return { ...listener!, name, via, routes: hosts.map((host) => ({ ...route!, host })) };
}

/** What a worker does with a manifest, given the parts that it has not. */
function told(parts: PlanParts, store: PlanStore, manifest: Manifest, known: Set<number>, before: Plan | null): Plan {
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
      let before: Plan | null = null;
      for (const plan of sequence) {
        const manifest = parts.take(plan);
        const after = told(parts, store, manifest, known, before);
        expect(after).toEqual(plan);
        if (before !== null) {
          shared(before.pools, after.pools, ({ backends }) => backends);
          shared(before.listeners, after.listeners, ({ routes }) => routes);
        }
        const live = parts.idsOf(manifest);
        const gone = [...known].filter((id) => !live.has(id));
        for (const id of gone) known.delete(id);
        store.forget(gone);
        parts.keepOnly(live);
        before = after;
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
