import { expect, test } from "bun:test";
import fc from "fast-check";
import { atOnce } from "../../steps.ts";
import type { Plan } from "../../plan.ts";
import { planOf } from "../../../test/fixtures/cluster.ts";
import type { PartId } from "./manifest.ts";
import { packed } from "./packed-plan.ts";
import { PlanParts } from "./plan-parts.ts";
import { plans } from "../../../test/fixtures/plan-arbitrary.ts";
import { PartsOf } from "./parts-of-worker.ts";
import { PlanShelf } from "./plan-shelf.ts";
import { type ManifestedPlan, PlanStore } from "./plan-store.ts";

/** A plan as it comes from another process, which was told what is known. */
function unpacked(shelf: PlanShelf, plan: Plan, before: ManifestedPlan | null): Plan {
  const { ids } = atOnce(shelf.known());
  const { manifest, parts } = structuredClone(packed(plan, digestsOf(shelf)));
  return atOnce(shelf.unpack(manifest, parts, ids, before));
}

function digestsOf({ parts }: PlanShelf): readonly string[] {
  return [...parts.from(1)].map(({ digest }) => digest);
}

/** A shelf, and what it has forgotten. */
function remembering(): {
  readonly shelf: PlanShelf;
  tidied(inForce: ManifestedPlan): readonly PartId[];
  readonly forgotten: PartId[];
} {
  const forgotten: PartId[] = [];
  const shelf = new PlanShelf((part) => forgotten.push(part));
  const tidied = (inForce: ManifestedPlan): readonly PartId[] => {
    shelf.tidy(inForce);
    atOnce(shelf.swept());
    return forgotten.splice(0);
  };
  return { shelf, tidied, forgotten };
}

test("whatever comes after whatever: each plan comes out as it was, of the objects of the one before where nothing differs", () => {
  const turn = fc.record({ plan: plans, packs: fc.boolean(), takes: fc.boolean(), edits: fc.boolean() });
  fc.assert(
    fc.property(fc.array(turn, { minLength: 1, maxLength: 6 }), (turns) => {
      const { shelf, tidied } = remembering();
      const parts = new PartsOf(shelf.parts);
      const store = new PlanStore();
      let inForce: ManifestedPlan | null = null;
      for (const { plan, packs, takes, edits } of turns) {
        const given = packs ? unpacked(shelf, plan, inForce) : plan;
        expect(given).toEqual(plan);
        // As secrets are filled in after it was read.
        const [first, ...others] = given.pools;
        const asked = edits
          ? { ...given, pools: [{ ...first!, limits: { ...first!.limits, maxQueue: 7 } }, ...others] }
          : given;
        const next: ManifestedPlan = atOnce(shelf.take(asked, inForce));
        expect(next.plan).toEqual(asked);
        const hash = shelf.parts.hash(next.manifest);
        expect(hash).toBe(hashOf(asked));
        if (inForce !== null) {
          expect(next === inForce).toBe(hash === shelf.parts.hash(inForce.manifest));
          for (const pool of next.plan.pools) {
            const was = inForce.plan.pools.find(({ name }) => name === pool.name);
            expect(was === pool).toBe(was !== undefined && Bun.deepEquals(was, pool));
          }
        }
        // A worker gets what is new, whatever comes of the plan.
        for (const batch of parts.missing()) {
          for (const [id, content] of structuredClone(batch)) store.add(id, content);
          parts.took(batch);
        }
        expect(store.plan(next.manifest, null)).toEqual(asked);
        if (takes) {
          inForce = next;
          shelf.follow();
        }
        if (inForce === null) continue;
        const gone = tidied(inForce);
        for (const id of parts.of(gone)) store.forget(id);
        const { ids } = atOnce(shelf.known());
        expect(ids.length).toBe(shelf.parts.size);
        expect(ids.every((id) => typeof store.get(id) === "object" && !gone.includes(id))).toBe(true);
        expect([...shelf.parts.idsOf(inForce.manifest)].every((id) => ids.includes(id))).toBe(true);
        for (const id of gone) expect(() => store.get(id)).toThrow(RangeError);
      }
    }),
  );
});

function hashOf(plan: Plan): string {
  const parts = new PlanParts();
  return parts.hash(parts.take(structuredClone(plan)));
}

test("what is known is not packed, and of what is changed only that", () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const shelf = new PlanShelf();
      atOnce(shelf.take(plan, null));
      const digests = digestsOf(shelf);
      expect(packed(plan, digests).parts).toEqual([]);
      const changed = packed({ ...plan, shutdownMs: 3_000 }, digests).parts.flat();
      expect(changed.map(([{ shutdownMs }]) => shutdownMs)).toEqual([3_000]);
    }),
  );
});

test("a plan that was packed for what is not here any more is an error, not a hole in the plan", () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const shelf = new PlanShelf();
      const { manifest, parts } = packed(plan, ["gone"]);
      expect(() => atOnce(shelf.unpack(manifest, parts, [], null))).toThrow(RangeError);
    }),
  );
});

test("what is not followed is forgotten at once, and what plans before have left when it is much", () => {
  const { shelf, tidied } = remembering();
  const backends = (from: number): Plan => planOf({ backends: Array.from({ length: 900 }, (_, i) => from + i) });
  let inForce = atOnce(shelf.take(backends(1), null));
  shelf.follow();
  const { size } = shelf.parts;
  expect(tidied(inForce)).toEqual([]);
  atOnce(shelf.take(backends(1001), inForce));
  expect(tidied(inForce).length).toBe(1800); // a backend is two parts
  expect(shelf.parts.size).toBe(size);
  let most = 0;
  for (let round = 1; round <= 20; round++) {
    inForce = atOnce(shelf.take(backends(2000 + 1000 * round), inForce));
    shelf.follow();
    tidied(inForce);
    most = Math.max(most, shelf.parts.size);
  }
  expect(most).toBeGreaterThan(size);
  expect(most).toBeLessThanOrEqual(1.5 * size + 1000);
});

/** A shelf that has much to forget. */
function grown(): ReturnType<typeof remembering> & { readonly inForce: ManifestedPlan } {
  const all = remembering();
  const { shelf } = all;
  const big = planOf({ backends: Array.from({ length: 2000 }, (_, i) => i + 1) });
  atOnce(shelf.take(big, null));
  shelf.follow();
  const inForce = atOnce(shelf.take(planOf({ backends: Array.from({ length: 2000 }, (_, i) => i + 4001) }), null));
  atOnce(shelf.take(planOf({ backends: Array.from({ length: 2000 }, (_, i) => i + 8001) }), null));
  const last = atOnce(shelf.take(inForce.plan, null));
  shelf.follow();
  shelf.tidy(last);
  return { ...all, inForce: last };
}

test("a worker that starts while others forget parts gets none without what it refers to", () => {
  const { shelf, inForce } = grown();
  const steps = shelf.swept();
  let starts = 0;
  for (; steps.next().done !== true; starts++) {
    const store = new PlanStore();
    for (const [id, content] of new PartsOf(shelf.parts).missing().flat()) store.add(id, content);
    store.plan(inForce.manifest, null);
  }
  expect(starts).toBeGreaterThan(20);
});

test("whoever comes while it forgets finds all of it done, and workers are told of all", () => {
  for (const steps of [1, 10, 30]) {
    const { shelf, inForce, forgotten } = grown();
    const before = shelf.parts.size;
    const sweep = shelf.swept();
    for (let i = 0; i < steps; i++) sweep.next();
    // As where another plan is refused before it is taken apart.
    if (steps === 10) shelf.tidy(inForce);
    const { ids } = atOnce(shelf.known());
    expect(new Set(ids)).toEqual(new Set(shelf.parts.idsOf(inForce.manifest)));
    expect(forgotten.length).toBe(before - ids.length);
    expect(sweep.next().done).toBe(true);
    expect(atOnce(shelf.take(inForce.plan, inForce))).toBe(inForce);
  }
});
