import { expect, test } from "bun:test";
import fc from "fast-check";
import { atOnce } from "../../engine/slices.ts";
import type { Plan } from "../../plan.ts";
import { packed } from "./packed-plan.ts";
import { PlanParts } from "./plan-parts.ts";
import { plans } from "../../../test/fixtures/plan-arbitrary.ts";
import { type PartedPlan, PlanShelf } from "./plan-shelf.ts";

/** A plan as it comes from another process, which was told what is known. */
function unpacked(shelf: PlanShelf, plan: Plan, before: PartedPlan | null): Plan {
  const { ids } = shelf.known();
  const { manifest, parts } = structuredClone(packed(plan, digestsOf(shelf)));
  return atOnce(shelf.unpack(manifest, parts, ids, before));
}

function digestsOf({ parts }: PlanShelf): readonly string[] {
  return [...parts.all].map(({ digest }) => digest);
}

test("whatever comes after whatever: each plan comes out as it was, of the objects of the one before where nothing differs", () => {
  const turn = fc.record({ plan: plans, packs: fc.boolean(), takes: fc.boolean(), edits: fc.boolean() });
  fc.assert(
    fc.property(fc.array(turn, { minLength: 1, maxLength: 6 }), (turns) => {
      const shelf = new PlanShelf();
      let inForce: PartedPlan | null = null;
      for (const { plan, packs, takes, edits } of turns) {
        const given = packs ? unpacked(shelf, plan, inForce) : plan;
        expect(given).toEqual(plan);
        // As secrets are filled in after it was read.
        const [first, ...others] = given.pools;
        const asked = edits
          ? { ...given, pools: [{ ...first!, limits: { ...first!.limits, maxQueue: 7 } }, ...others] }
          : given;
        const next: PartedPlan = atOnce(shelf.take(asked, inForce));
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
        if (takes) inForce = next;
        if (inForce === null) continue;
        atOnce(shelf.keepOnly(inForce));
        expect(new Set(shelf.known().ids)).toEqual(new Set(inForce.ids));
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
