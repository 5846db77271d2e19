import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { candidate, fakeTools } from "../balance/fake-tools.ts";
import { POLICIES } from "../balance/registry.ts";
import type { Policy } from "../balance/policy.ts";
import { HEALTH_FLAG, HealthWords, healthWordsBytes } from "../observe/health-words.ts";
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

    test("what was tried is read once in a pick, and not for each backend", () => {
      const all = pool(...Array.from({ length: 100 }, () => 1));
      let reads = 0;
      const tried = new Proxy<number[]>([], {
        get(list, key, self) {
          if (/^\d/.test(String(key))) reads += 1;
          return Reflect.get(list, key, self) as unknown;
        },
      });
      for (let next = all.pick(7, tried); next !== -1; next = all.pick(7, tried)) {
        expect(reads).toBe(tried.length);
        reads = 0;
        tried.push(next);
      }
      expect(tried.length).toBe(100);
    });
  });

describe("a pool whose health is kept", () => {
  /** A pool at the second place of a plan, and what its keeper publishes. */
  class Kept {
    readonly #words: HealthWords;
    readonly pool: Pool;

    constructor(name: string, weights: readonly number[]) {
      const shape = { pools: 2, rows: weights.length + 1 };
      this.#words = new HealthWords(new ArrayBuffer(healthWordsBytes(shape)), shape);
      const members = weights.map((weight, index) => candidate(index, weight));
      const health = { words: this.#words, pool: 1, rows: this.#rows(weights.length) };
      this.pool = new Pool("app", policy(name), members, fakeTools(), undefined, health);
    }

    #rows(count: number): number[] {
      return Array.from({ length: count }, (_, index) => index + 1);
    }

    publish(weights: readonly number[], flags: readonly number[] = []): void {
      this.#words.publish(1, this.#rows(weights.length), { weights, flags, panic: false, scale: 1 });
    }

    /** Says of backends that they have left the plan. */
    withdraw(...indexes: readonly number[]): void {
      this.#words.withdraw(
        1,
        indexes.map((index) => index + 1),
      );
    }

    shares(picks: number, key: (i: number) => number = () => 0): number[] {
      const counts: number[] = [];
      for (let i = 0; i < picks; i++) {
        const index = this.pool.pick(key(i), []);
        counts[index] = (counts[index] ?? 0) + 1;
      }
      return Array.from(counts, (count) => count ?? 0);
    }
  }

  test("goes by the plan until something is published, then by that", () => {
    const kept = new Kept("round-robin", [1, 1, 2]);
    expect(kept.shares(8)).toEqual([2, 2, 4]);
    kept.publish([3, 1, 0]);
    expect(kept.shares(8)).toEqual([6, 2]);
    kept.publish([0, 0, 0]);
    expect(kept.pool.pick(0, [])).toBe(-1);
    kept.publish([1, 1, 2]);
    expect(kept.shares(8)).toEqual([2, 2, 4]);
  });

  for (const name of ["round-robin", "maglev"])
    test(`an exchange of a former plan all of whose backends have left keeps them: there is no other for it: ${name}`, () => {
      const kept = new Kept(name, [1, 2]);
      kept.publish([1, 2]);
      kept.withdraw(0);
      expect([kept.pool.takesWork([1]), kept.pool.pick(0, [])]).toEqual([false, 1]);
      kept.withdraw(1);
      expect([kept.pool.takesWork([1]), kept.pool.takesWork([0])]).toEqual([true, true]);
      expect([kept.pool.pick(0, [1]), kept.pool.pick(0, [0])]).toEqual([0, 1]);
      // Drained by an operator they get none.
      kept.publish([0, 0], [HEALTH_FLAG.drain, HEALTH_FLAG.drain]);
      expect(kept.pool.pick(0, [])).toBe(-1);
    });

  test("holds a slow start to its share, whatever the policy, and tries it where there is no other", () => {
    for (const name of ["round-robin", "least-connections", "two-choices", "least-time", "first", "random"]) {
      const kept = new Kept(name, [1, 1, 1]);
      kept.publish([10, 1, 10], [0, HEALTH_FLAG.ramp, 0]);
      const [, newcomer = 0] = kept.shares(2100);
      expect(newcomer).toBeLessThan(150);
      expect(kept.pool.pick(0, [0, 2])).toBe(1);
    }
  });

  test("moves no key between the others while there is a slow start", () => {
    for (const name of ["ring", "rendezvous", "maglev"]) {
      const kept = new Kept(name, [1, 2, 1]);
      const owners = (): number[] => Array.from({ length: 200 }, (_, i) => kept.pool.pick((i + 1) * 7919, []));
      const before = owners();
      kept.publish([1, 2, 1]);
      expect(owners()).toEqual(before);
      kept.publish([1, 20, 10], [HEALTH_FLAG.ramp, 0, 0]);
      expect(owners()).toEqual(before);
    }
  });
});

test.each([...POLICIES.values()].filter(({ keyed }) => keyed))(
  "$name: a backend that is out takes only its own keys with it, and gets them back",
  (keyedPolicy) => {
    const shape = { pools: 1, rows: 5 };
    const words = new HealthWords(new ArrayBuffer(healthWordsBytes(shape)), shape);
    const rows = [0, 1, 2, 3, 4];
    const members = rows.map((index) => candidate(index, 1 + (index % 2)));
    const pool = new Pool("app", keyedPolicy, members, fakeTools(), undefined, { words, pool: 0, rows });
    const choices = (): number[] =>
      Array.from({ length: 500 }, (_, key) => pool.pick(Math.imul(key, 2_654_435_761) >>> 0, []));
    const publish = (...weights: number[]): void =>
      words.publish(0, rows, { weights, flags: rows.map(() => 0), panic: false, scale: 1 });
    const before = choices();
    publish(1, 2, 0, 2, 1);
    const without = choices();
    for (const [key, chosen] of before.entries()) {
      if (chosen === 2) expect(without[key]).not.toBe(2);
      else expect(without[key]).toBe(chosen);
    }
    publish(1, 2, 1, 2, 1);
    expect(choices()).toEqual(before);
    publish(0, 0, 0, 0, 0);
    expect(new Set(choices())).toEqual(new Set([-1]));
  },
);
