import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { candidate, fakeTools } from "../balance/fake-tools.ts";
import { POLICIES } from "../balance/registry.ts";
import type { Policy } from "../balance/policy.ts";
import { Pool } from "./pool.ts";

function policy(name: string): Policy {
  const found = POLICIES.get(name);
  if (found === undefined) throw new Error(name);
  return found;
}

for (const name of POLICIES.keys())
  describe(name, () => {
    const pool = (...weights: number[]): Pool =>
      new Pool(
        "app",
        policy(name),
        weights.map((weight, index) => candidate(index, weight)),
        fakeTools(),
      );

    test("a pool none of whose backends takes new work gives none", () => {
      expect(pool().pick(0, [])).toBe(-1);
      expect(pool(0, 0).pick(0, [])).toBe(-1);
    });

    test("property: a backend of weight 0, or one that was tried, is never chosen while there is another", () => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 6 }),
          fc.array(fc.nat(5), { maxLength: 6 }),
          (weights, tried) => {
            const chosen = pool(...weights).pick(0, tried);
            const left = weights.flatMap((weight, index) => (weight > 0 && !tried.includes(index) ? [index] : []));
            if (left.length === 0) expect(chosen).toBe(-1);
            else expect(left).toContain(chosen);
          },
        ),
      );
    });

    test("property: trying again and again comes to every backend that takes new work, once", () => {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 6 }), (weights) => {
          const all = pool(...weights);
          const tried: number[] = [];
          for (let next = all.pick(0, tried); next !== -1; next = all.pick(0, tried)) tried.push(next);
          expect([...tried].sort()).toEqual(weights.flatMap((weight, index) => (weight > 0 ? [index] : [])));
        }),
      );
    });
  });
