import { expect, test } from "bun:test";
import fc from "fast-check";
import { deviation } from "../../test/fixtures/deviation.ts";
import { fakeTools, tally, weighted } from "./fake-tools.ts";
import { leastTime } from "./least-time.ts";
import { DEFAULT_OPTIONS } from "./policy.ts";
import { twoChoices } from "./two-choices.ts";

const backend = fc.record({
  weight: fc.integer({ min: 1, max: 50 }),
  load: fc.nat(20),
  latency: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1_000_000 })),
});

test("never takes the one of the two that is to answer later", () => {
  fc.assert(
    fc.property(fc.array(backend, { minLength: 2, maxLength: 10 }), fc.integer(), (backends, seed) => {
      const tools = fakeTools(seed);
      tools.loads.push(...backends.map(({ load }) => load));
      tools.latencies.push(...backends.map(({ latency }) => latency));
      const picker = leastTime.prepare(weighted(...backends.map(({ weight }) => weight)), tools);
      const mean = backends.reduce((sum, { weight }) => sum + weight, 0) / backends.length;
      const time = (index: number): number => {
        const { weight, load, latency } = backends[index]!;
        return Math.max(1, latency) * (load / (weight / mean) + 1);
      };
      for (let i = 0; i < 20; i++) {
        tools.asked.length = 0;
        const index = picker.pick(0);
        expect(new Set(tools.asked).size).toBe(2);
        expect(tools.asked).toContain(index);
        for (const other of tools.asked) expect(time(index)).toBeLessThanOrEqual(time(other) * (1 + 1e-12));
      }
    }),
    { seed: 7, numRuns: 300 },
  );
});

test("of two, the faster until the slower would answer first", () => {
  const tools = fakeTools();
  tools.latencies.push(1000, 5000);
  const picker = leastTime.prepare(weighted(1, 1), tools);
  for (const [load, expected] of [
    [0, 0],
    [3, 0],
    [5, 1],
  ] as const) {
    tools.loads[0] = load;
    for (let i = 0; i < 10; i++) expect(picker.pick(0)).toBe(expected);
  }
});

test("shares by weight where latencies are equal and loads are as their weights", () => {
  for (const scale of [0, 10]) {
    const tools = fakeTools(5);
    const weights = [1, 2, 5];
    tools.latencies.push(700, 700, 700);
    tools.loads.push(...weights.map((weight) => weight * scale));
    const picker = leastTime.prepare(weighted(...weights), tools);
    const counts = tally(80_000, () => picker.pick(0));
    expect(
      deviation(
        weights.map((_, i) => counts.get(i) ?? 0),
        [10_000, 20_000, 50_000],
      ),
    ).toBeLessThan(5);
  }
});

test("goes by what is in flight where no latency is known", () => {
  const tools = fakeTools();
  tools.loads.push(4, 3);
  const picker = leastTime.prepare(weighted(1, 1), tools);
  for (let i = 0; i < 10; i++) expect(picker.pick(0)).toBe(1);
});

test("takes one of infinite latency only where there is no other", () => {
  const tools = fakeTools();
  tools.latencies.push(Infinity, 1e9, Infinity);
  tools.loads.push(0, 1000, 0);
  const picker = leastTime.prepare(weighted(1, 1, 1), tools);
  const counts = tally(900, () => picker.pick(0));
  expect(counts.get(1)).toBeWithin(550, 650);
});

test("is what two-choices is with load peak-ewma", () => {
  const [one, other] = [leastTime, twoChoices].map((policy) => {
    const tools = fakeTools(9);
    tools.latencies.push(10, 40, 20, 30);
    return policy.prepare(weighted(1, 2, 3, 4), tools, { ...DEFAULT_OPTIONS, load: "peak-ewma" });
  });
  for (let i = 0; i < 200; i++) expect(one?.pick(0)).toBe(other?.pick(0) ?? NaN);
});
