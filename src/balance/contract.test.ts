/** What every policy in the registry must keep, whatever it is. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { deviation } from "../../test/fixtures/deviation.ts";
import { crc32 } from "./crc32.ts";
import { candidate, fakeTools, type FakeTools, tally, weighted } from "./fake-tools.ts";
import { type Candidate, DEFAULT_OPTIONS, type Picker } from "./policy.ts";
import { DEFAULT_POLICY, POLICIES } from "./registry.ts";

/** How an idle pool is shared: by weight exactly in each period, by weight on average or nearly so, or all to the first. */
const IDLE_SHARES: Readonly<Record<string, "exact" | "average" | "nearly" | "first">> = {
  "round-robin": "exact",
  random: "average",
  "least-connections": "exact",
  "two-choices": "average",
  first: "first",
  "least-time": "average",
  rendezvous: "average",
  ring: "nearly",
  maglev: "average",
};

const SEED = 20_261;
const key = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const weights = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 65_535 }));
const keys = Array.from({ length: 3000 }, (_, i) => crc32(new TextEncoder().encode(`key-${i}`)));
/** Part of a pool, as what remains after some backends were taken out. */
const candidateSet = fc
  .uniqueArray(fc.record({ index: fc.nat(40), weight: weights }), {
    minLength: 1,
    maxLength: 12,
    selector: ({ index }) => index,
  })
  .map((drawn) => drawn.toSorted((a, b) => a.index - b.index).map((each) => candidate(each.index, each.weight)));
const loads = fc.array(fc.nat(6), { minLength: 41, maxLength: 41 });

function loaded(seed: number, state: readonly number[]): FakeTools {
  const tools = fakeTools(seed);
  tools.loads.push(...state);
  tools.cursor = seed >>> 0;
  return tools;
}

/** The candidates that remain under a mask, a bit for each. */
function masked(candidates: readonly Candidate[], mask: number): Candidate[] {
  return candidates.filter(({ index }) => (mask >> index) & 1);
}

function shares(candidates: readonly Candidate[], total: number): number[] {
  const sum = candidates.reduce((all, { weight }) => all + weight, 0);
  return candidates.map(({ weight }) => (total * weight) / sum);
}

function counts(candidates: readonly Candidate[], times: number, picker: Picker): number[] {
  let next = 0;
  const tallied = tally(times, () => picker.pick(keys[next++ % keys.length] ?? 0));
  return candidates.map(({ index }) => tallied.get(index) ?? 0);
}

test("the registry knows each policy by its own name, and the default", () => {
  for (const [name, policy] of POLICIES) expect(policy.name).toBe(name);
  expect(POLICIES.has(DEFAULT_POLICY)).toBe(true);
  expect(Object.keys(IDLE_SHARES).toSorted()).toEqual([...POLICIES.keys()].toSorted());
});

describe.each([...POLICIES.values()])("$name", (policy) => {
  /** Their tables take some milliseconds to make. */
  const runs = { seed: SEED, numRuns: ["ring", "maglev"].includes(policy.name) ? 20 : 100 };

  test("chooses candidates only, whatever their loads", () => {
    fc.assert(
      fc.property(candidateSet, loads, key, fc.integer(), (candidates, state, hash, seed) => {
        const picker = policy.prepare(candidates, loaded(seed, state));
        const indexes = candidates.map(({ index }) => index);
        for (let i = 0; i < 30; i++) expect(indexes).toContain(picker.pick((hash + i) >>> 0));
      }),
      runs,
    );
  });

  test("asks only for what it says that it learns", () => {
    for (const load of policy.loads.length > 0 ? policy.loads : [DEFAULT_OPTIONS.load])
      for (const maxLoadFactor of policy.keyed ? [null, 1.25] : [null]) {
        const asked = new Set<string>();
        const tools = {
          ...fakeTools(),
          inFlight: () => 1,
          totalInFlight: () => (asked.add("total"), 6),
          latency: () => (asked.add("latency"), 1),
          failing: () => (asked.add("failing"), 0.5),
        };
        const picker = policy.prepare(weighted(3, 1, 2), tools, { load, maxLoadFactor });
        for (let i = 0; i < 100; i++) picker.pick(keys[i] ?? 0);
        expect(asked.size > 0).toBe(policy.learns({ load, maxLoadFactor }));
      }
  });

  test("finds no backend only where none has room", () => {
    fc.assert(
      fc.property(
        candidateSet,
        loads,
        fc.array(fc.nat(6), { minLength: 41, maxLength: 41 }),
        (candidates, state, most) => {
          const tools = loaded(1, state);
          tools.capacities.push(...most);
          const picked = policy.prepare(candidates, tools).pick(7);
          const open = candidates.filter(({ index }) => (state[index] ?? 0) < (most[index] ?? 0));
          if (open.length > 0) expect(candidates.map(({ index }) => index)).toContain(picked);
        },
      ),
      runs,
    );
  });

  test("chooses the only candidate, whatever its weight and load", () => {
    fc.assert(
      fc.property(fc.nat(40), weights, loads, key, (index, only, state, hash) => {
        const picker = policy.prepare([candidate(index, only)], loaded(1, state));
        for (let i = 0; i < 5; i++) expect(picker.pick(hash)).toBe(index);
      }),
      runs,
    );
  });

  test("gives every backend work as load rises", () => {
    const candidates = weighted(3, 1, 10, 2, 1, 7);
    const tools = fakeTools();
    tools.capacities.push(...candidates.map(() => 200));
    const picker = policy.prepare(candidates, tools);
    for (let i = 0; i < 1200; i++) {
      const index = picker.pick(keys[i] ?? 0);
      if (index >= 0) tools.loads[index] = (tools.loads[index] ?? 0) + 1;
    }
    for (const { index } of candidates) expect(tools.loads[index] ?? 0).toBeGreaterThan(10);
  });

  test("shares an idle pool by weight, whichever backends are left", () => {
    const pool = weighted(5, 1, 1, 4, 2, 3);
    for (let mask = 1; mask < 1 << pool.length; mask++) {
      const left = masked(pool, mask);
      const tools = fakeTools(mask);
      tools.cursor = mask * 977; // anywhere in the cycle
      const picker = policy.prepare(left, tools);
      const period = left.reduce((sum, each) => sum + each.weight, 0);
      switch (IDLE_SHARES[policy.name]) {
        case "exact":
          for (let again = 0; again < 3; again++) {
            expect(counts(left, period, picker)).toEqual(left.map((each) => each.weight));
          }
          break;
        case "average":
          expect(deviation(counts(left, 3000, picker), shares(left, 3000))).toBeLessThan(5);
          break;
        case "nearly": {
          const expected = shares(left, 3000);
          for (const [i, count] of counts(left, 3000, picker).entries())
            expect(count / (expected[i] ?? NaN)).toBeWithin(0.65, 1.35);
          break;
        }
        case "first":
          expect(counts(left, period, picker)).toEqual(left.map((_, i) => (i === 0 ? period : 0)));
          break;
        case undefined:
          throw new Error(`say in IDLE_SHARES how ${policy.name} shares an idle pool`);
      }
    }
  });

  test("is prepared anew while other pickers of the pool still choose", () => {
    const tools = fakeTools();
    const before = weighted(1, 2, 3);
    const after = [candidate(1, 5), candidate(7, 1)];
    const old = policy.prepare(before, tools);
    for (let i = 0; i < 50; i++) old.pick(i);
    const fresh = policy.prepare(after, tools);
    for (let i = 0; i < 50; i++) {
      expect([1, 7]).toContain(fresh.pick(i));
      expect([0, 1, 2]).toContain(old.pick(i));
    }
  });

  test("makes the same choices again from the same seed, turn and loads", () => {
    fc.assert(
      fc.property(candidateSet, loads, fc.integer(), (candidates, state, seed) => {
        const [one, other] = [0, 1].map(() => policy.prepare(candidates, loaded(seed, state)));
        for (let i = 0; i < 20; i++) expect(one?.pick(i)).toBe(other?.pick(i) ?? NaN);
      }),
      runs,
    );
  });

  if (policy.keyed)
    test("chooses by the key alone, whatever the order of the list, the turn and what is in flight", () => {
      fc.assert(
        fc.property(candidateSet, loads, key, fc.integer(), (candidates, state, hash, seed) => {
          const picked = policy.prepare(candidates, fakeTools()).pick(hash);
          expect(policy.prepare(candidates.toReversed(), loaded(seed, state)).pick(hash)).toBe(picked);
        }),
        runs,
      );
    });

  test("goes on when the cursor starts again from 0", () => {
    const tools = fakeTools();
    tools.cursor = 2 ** 32 - 10;
    const picker = policy.prepare(weighted(2, 3, 1), tools);
    for (let i = 0; i < 20; i++) expect([0, 1, 2]).toContain(picker.pick(i));
  });

  test.each([
    ["equal weights", () => 1],
    ["a few weights", (i: number) => 1 + (i % 10)],
    ["10,000 weights", (i: number) => 1 + ((i * 40_503) % 65_535)],
    ["one heavy backend", (i: number) => (i === 5000 ? 65_535 : 1)],
  ])("balances 10,000 backends with %s", (_, weightOf) => {
    const candidates = Array.from({ length: 10_000 }, (__, i) => candidate(i * 2, weightOf(i)));
    const tools = fakeTools();
    const picker = policy.prepare(candidates, tools);
    for (let i = 0; i < 1000; i++) {
      const index = picker.pick(i);
      expect(index % 2).toBe(0);
      expect(index).toBeWithin(0, 20_000);
    }
  });
});

describe.each(["round-robin", "least-connections"])("%s", (name) => {
  test("is exact over several workers that share the cursor", () => {
    const tools = fakeTools();
    const candidates = weighted(1, 1, 1);
    const workers = Array.from({ length: 4 }, () => POLICIES.get(name)?.prepare(candidates, tools));
    const uneven = [0, 0, 1, 3, 3, 3, 2, 1];
    let request = 0;
    const tallied = tally(300, () => workers[uneven[request++ % uneven.length] ?? 0]?.pick(0) ?? -1);
    expect([...tallied.values()]).toEqual([100, 100, 100]);
  });
});
