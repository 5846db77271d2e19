/** What every policy that chooses by a key must keep, with bounded load and without. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { seededRandom } from "../random.ts";
import { candidate, fakeTools, weighted } from "./fake-tools.ts";
import { type Candidate, DEFAULT_OPTIONS, type Policy, type PolicyOptions } from "./policy.ts";
import { POLICIES } from "./registry.ts";

const KEYED = [...POLICIES.values()].filter(({ keyed }) => keyed);
const dice = seededRandom(3);
const keys = Array.from({ length: 20_000 }, () => dice.below(2 ** 32));

function bounded(maxLoadFactor: number): PolicyOptions {
  return { ...DEFAULT_OPTIONS, maxLoadFactor };
}

function choices(policy: Policy, candidates: readonly Candidate[], tools = fakeTools()): number[] {
  const picker = policy.prepare(candidates, tools);
  return keys.map((key) => picker.pick(key));
}

/** The part of the keys whose choice differs, those left out that had or have one of these backends. */
function moved(before: readonly number[], after: readonly number[], but: readonly number[]): number {
  const differ = before.filter(
    (index, i) => index !== after[i] && !but.includes(index) && !but.includes(after[i] ?? -1),
  );
  return differ.length / before.length;
}

/** Shares of a backend among choices. */
function share(chosen: readonly number[], index: number): number {
  return chosen.filter((each) => each === index).length / chosen.length;
}

describe.each(KEYED)("$name", (policy) => {
  /** Keys that may move without need: exactly none, but for a table that is filled anew. */
  const stray = policy.name === "maglev" ? 0.06 : 0;
  const pool = weighted(1, 2, 3, 4, 5, 1, 2, 3, 4, 5);

  test("removing a backend moves its own keys, to all others", () => {
    const before = choices(policy, pool);
    const after = choices(
      policy,
      pool.filter(({ index }) => index !== 4),
    );
    expect(moved(before, after, [4])).toBeLessThanOrEqual(stray);
    const heirs = after.filter((_, i) => before[i] === 4);
    for (const { index } of pool) if (index !== 4) expect(share(heirs, index)).toBeGreaterThan(0.01);
  });

  test("adding a backend moves its share to it, and no other key", () => {
    const before = choices(policy, pool);
    const after = choices(policy, [candidate(77, 3), ...pool]);
    expect(moved(before, after, [77])).toBeLessThanOrEqual(stray);
    expect(share(after, 77)).toBeWithin(0.8 * (3 / 33), 1.2 * (3 / 33));
  });

  test("raising a weight moves keys to that backend, and no others", () => {
    const before = choices(policy, pool);
    const after = choices(
      policy,
      pool.map((each) => (each.index === 3 ? { ...each, weight: 6 } : each)),
    );
    expect(moved(before, after, [3])).toBeLessThanOrEqual(stray);
    const left = before.filter((index, i) => index === 3 && after[i] !== 3);
    expect(left.length / before.length).toBeLessThanOrEqual(stray);
  });

  test("a backend that is full or down loses its own keys, and has them again after", () => {
    const tools = fakeTools();
    const picker = policy.prepare(pool, tools);
    const before = keys.map((key) => picker.pick(key));
    tools.capacities[4] = 0;
    const without = keys.map((key) => picker.pick(key));
    expect(share(without, 4)).toBe(0);
    expect(moved(before, without, [4])).toBe(0);
    tools.capacities[4] = 1;
    expect(keys.map((key) => picker.pick(key))).toEqual(before);
  });

  test("an exchange that was tried goes where its key would go without the tried backend", () => {
    const tools = fakeTools();
    const picker = policy.prepare(pool, tools);
    for (const key of keys.slice(0, 500)) {
      const first = picker.pick(key);
      const second = picker.pick(key, [first]);
      tools.capacities[first] = 0;
      expect(picker.pick(key)).toBe(second);
      tools.capacities[first] = Infinity;
      expect(picker.pick(key, [first, second])).not.toBe(second);
    }
    expect(picker.pick(keys[0] ?? 0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])).toBe(-1);
  });

  test("one heavy backend among many light ones may be down", () => {
    const heavy = Array.from({ length: 300 }, (_, i) => candidate(i, i === 9 ? 65_535 : 1));
    const tools = fakeTools();
    tools.capacities[9] = 0;
    const chosen = choices(policy, heavy, tools);
    expect(Math.min(...chosen)).toBeGreaterThanOrEqual(0);
    expect(share(chosen, 9)).toBe(0);
    expect(new Set(chosen).size).toBeGreaterThan(200);
  });

  describe("with bounded load", () => {
    const backends = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 12 });
    const factor = fc.constantFrom(1.01, 1.1, 1.25, 1.5, 2, 4);

    test("property: no backend ever has more than its bound, whatever the keys", () => {
      fc.assert(
        fc.property(backends, factor, fc.array(fc.nat(20), { minLength: 1, maxLength: 120 }), (given, c, requests) => {
          const tools = fakeTools();
          const picker = policy.prepare(weighted(...given), tools, bounded(c));
          const total = given.reduce((sum, weight) => sum + weight, 0);
          for (const [m, request] of requests.entries()) {
            const index = picker.pick(keys[request] ?? 0);
            const load = (tools.loads[index] ?? 0) + 1;
            tools.loads[index] = load;
            expect(load).toBeLessThanOrEqual(Math.ceil((c * (m + 1) * (given[index] ?? 0)) / total));
          }
        }),
        { seed: 7, numRuns: policy.name === "maglev" ? 60 : 300 },
      );
    });

    test("property: only keys of full backends move", () => {
      fc.assert(
        fc.property(backends, factor, fc.array(fc.nat(30), { minLength: 12, maxLength: 12 }), (given, c, loads) => {
          const tools = fakeTools();
          const state = loads.slice(0, given.length);
          tools.loads.push(...state);
          const free = policy.prepare(weighted(...given), tools);
          const picker = policy.prepare(weighted(...given), tools, bounded(c));
          const total = given.reduce((sum, weight) => sum + weight, 0);
          const quota = c * (state.reduce((sum, load) => sum + load, 0) + 1);
          for (const key of keys.slice(0, 60)) {
            const own = free.pick(key);
            if ((state[own] ?? 0) < Math.ceil((quota * (given[own] ?? 0)) / total)) expect(picker.pick(key)).toBe(own);
            else expect(picker.pick(key)).not.toBe(own);
          }
        }),
        { seed: 7, numRuns: policy.name === "maglev" ? 60 : 300 },
      );
    });

    test("one key that everybody asks for is spread as far as the bound says, and no further", () => {
      const tools = fakeTools();
      const picker = policy.prepare(weighted(1, 1, 1, 1, 1, 1, 1, 1), tools, bounded(2));
      for (let i = 0; i < 400; i++) {
        const index = picker.pick(12_345);
        tools.loads[index] = (tools.loads[index] ?? 0) + 1;
      }
      const used = tools.loads.filter((load) => load > 0);
      expect(used.length).toBeWithin(4, 6);
      expect(Math.max(...used)).toBe(100);
    });

    test("shares keep to weights under keys of any popularity", () => {
      const tools = fakeTools();
      const given = [1, 2, 3, 4];
      const picker = policy.prepare(weighted(...given), tools, bounded(1.1));
      const random = seededRandom(5);
      for (let i = 0; i < 10_000; i++) {
        const zipf = Math.floor(100 ** (random.below(2 ** 32) / 2 ** 32)); // a few keys make most requests
        const index = picker.pick(keys[zipf] ?? 0);
        tools.loads[index] = (tools.loads[index] ?? 0) + 1;
      }
      for (const [i, weight] of given.entries()) expect(tools.loads[i]).toBeLessThanOrEqual(1100 * weight);
    });

    test("where the only room is a backend's that was tried or takes none, another goes over its bound", () => {
      const tools = fakeTools();
      tools.loads.push(9, 0);
      const picker = policy.prepare(weighted(1, 1), tools, bounded(1.25));
      expect(picker.pick(1)).toBe(1);
      expect(picker.pick(1, [1])).toBe(0);
      tools.capacities.push(Infinity, 0);
      expect(picker.pick(1)).toBe(0);
      tools.capacities[0] = 9;
      expect(picker.pick(1)).toBe(-1);
    });
  });
});

test("rendezvous shares exactly by weight, however unequal", () => {
  const policy = POLICIES.get("rendezvous");
  const picker = policy?.prepare(weighted(1, 10, 100, 1000), fakeTools());
  const picks = 400_000;
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < picks; i++) counts[picker?.pick(dice.below(2 ** 32)) ?? -1]! += 1;
  for (const [i, count] of counts.entries()) {
    const expected = (picks * 10 ** i) / 1111;
    expect(Math.abs(count - expected)).toBeLessThan(4 * Math.sqrt(expected));
  }
});
