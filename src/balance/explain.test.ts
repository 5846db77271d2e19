/** What the explanation of every policy in the registry must keep. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { candidate, fakeTools, type FakeTools } from "./fake-tools.ts";
import { DEFAULT_OPTIONS, type PolicyOptions } from "./policy.ts";
import { POLICIES } from "./registry.ts";

const SIZE = 12;
const SEED = 20_262;
const state = fc.record({
  candidates: fc
    .uniqueArray(fc.record({ index: fc.nat(SIZE - 1), weight: fc.integer({ min: 1, max: 9 }) }), {
      minLength: 1,
      maxLength: 8,
      selector: ({ index }) => index,
    })
    .map((drawn) => drawn.toSorted((a, b) => a.index - b.index).map((each) => candidate(each.index, each.weight))),
  loads: fc.array(fc.nat(6), { minLength: SIZE, maxLength: SIZE }),
  capacities: fc.array(fc.oneof(fc.constant(Infinity), fc.nat(8)), { minLength: SIZE, maxLength: SIZE }),
  latencies: fc.array(fc.nat(5000), { minLength: SIZE, maxLength: SIZE }),
  failures: fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })), {
    minLength: SIZE,
    maxLength: SIZE,
  }),
  seed: fc.nat(),
  key: fc.nat(2 ** 32 - 1),
});

type State = typeof state extends fc.Arbitrary<infer T> ? T : never;

function toolsOf({ loads, capacities, latencies, failures, seed }: State): FakeTools {
  const tools = fakeTools(seed);
  tools.loads.push(...loads);
  tools.capacities.push(...capacities);
  tools.latencies.push(...latencies);
  tools.failures.push(...failures);
  tools.cursor = seed;
  return tools;
}

const forms = [...POLICIES.values()].flatMap((policy) => {
  const loads = policy.loads.length > 0 ? policy.loads : [DEFAULT_OPTIONS.load];
  const factors = policy.keyed ? [null, 1.25] : [null];
  const all = loads.flatMap((load) => factors.map((maxLoadFactor): PolicyOptions => ({ load, maxLoadFactor })));
  return all.map((options) => ({
    policy,
    options,
    name: `${policy.name} ${options.load} ${options.maxLoadFactor ?? ""}`,
  }));
});

describe.each(forms)("$name", ({ policy, options }) => {
  const runs = { seed: SEED, numRuns: ["ring", "maglev"].includes(policy.name) ? 30 : 500 };

  test("property: explains what the next pick chooses, or all that it may choose", () => {
    fc.assert(
      fc.property(state, (drawn) => {
        const picker = policy.prepare(drawn.candidates, toolsOf(drawn), options);
        // Some are well into their cycle.
        for (let i = 0; i < drawn.seed % 5; i++) picker.pick(i);
        const told = picker.explain(drawn.key);
        const next = picker.pick(drawn.key);
        if (told.choice !== null) expect(told.choice).toBe(next);
        expect(told.candidates.map(({ index }) => index)).toEqual(drawn.candidates.map(({ index }) => index));
        const possible = told.candidates.filter(({ odds }) => odds !== 0).map(({ index }) => index);
        if (next === -1) expect([told.choice, possible]).toEqual([-1, []]);
        else expect(possible).toContain(next);
      }),
      runs,
    );
  });

  test("property: changes nothing: the same cursor, the same dice", () => {
    fc.assert(
      fc.property(state, (drawn) => {
        const [tools, others] = [toolsOf(drawn), toolsOf(drawn)];
        const asked = policy.prepare(drawn.candidates, tools, options);
        const silent = policy.prepare(drawn.candidates, others, options);
        for (let i = 0; i < 10; i++) {
          expect(asked.explain(drawn.key + i)).toEqual(asked.explain(drawn.key + i));
          expect(asked.pick(drawn.key + i)).toBe(silent.pick(drawn.key + i));
        }
        expect([tools.cursor, tools.random.below(2 ** 32)]).toEqual([others.cursor, others.random.below(2 ** 32)]);
      }),
      runs,
    );
  });

  test("property: odds add up to one, and are those of many picks", () => {
    fc.assert(
      fc.property(state, (drawn) => {
        const tools = toolsOf(drawn);
        const picker = policy.prepare(drawn.candidates, tools, options);
        const told = picker.explain(drawn.key);
        const sum = told.candidates.reduce((all, { odds }) => all + (odds ?? NaN), 0);
        expect(sum).toBeCloseTo(told.choice === -1 ? 0 : 1, 9);
        if (told.choice !== null) return;
        const picks = 4000;
        const counts = new Map<number, number>();
        for (let i = 0; i < picks; i++) {
          const index = picker.pick(drawn.key);
          counts.set(index, (counts.get(index) ?? 0) + 1);
        }
        // Five deviations of a binomial count, the widest there is.
        for (const { index, odds } of told.candidates)
          expect(Math.abs((counts.get(index) ?? 0) / picks - (odds ?? NaN))).toBeLessThan((5 * 0.5) / Math.sqrt(picks));
      }),
      { ...runs, numRuns: Math.min(100, runs.numRuns) },
    );
  });

  test("says what it compares, and why", () => {
    const told = policy.prepare([candidate(0), candidate(1)], fakeTools(), options).explain(7);
    expect(told.compares).not.toBe("");
    expect(told.why).not.toBe("");
    for (const { score } of told.candidates)
      expect(score).toSatisfy((value) => value === null || Number.isFinite(value));
  });
});

test("of two that are drawn always, the better one is a choice and no draw", () => {
  const tools = fakeTools();
  tools.loads.push(3, 1);
  for (const name of ["two-choices", "least-time"])
    expect(
      POLICIES.get(name)
        ?.prepare([candidate(0), candidate(1)], tools)
        .explain(0).choice,
    ).toBe(1);
});

test("a turn of the cursor says how long each has to wait", () => {
  const tools = fakeTools();
  tools.cursor = 4;
  const told = POLICIES.get("round-robin")
    ?.prepare([candidate(0), candidate(1), candidate(2)], tools)
    .explain(0);
  expect(told?.candidates.map(({ score }) => score)).toEqual([2, 0, 1]);
});

test("one that is full or has more than its share is told to be so", () => {
  const tools = fakeTools();
  tools.loads.push(0, 30, 0);
  tools.capacities.push(0, Infinity, Infinity);
  const candidates = [candidate(0), candidate(1), candidate(2)];
  for (const name of ["ring", "maglev", "rendezvous"]) {
    const picker = POLICIES.get(name)?.prepare(candidates, tools, { load: "in-flight", maxLoadFactor: 1.25 });
    const refused = picker?.explain(1).candidates.map((each) => each.refused);
    expect(refused).toEqual(["full", "over its share of what is in flight", ""]);
  }
});
