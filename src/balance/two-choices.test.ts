import { expect, test } from "bun:test";
import fc from "fast-check";
import { deviation } from "../../test/fixtures/deviation.ts";
import { fakeTools, tally, weighted } from "./fake-tools.ts";
import { twoChoices } from "./two-choices.ts";

const PICKS = 120_000;

/** How often each pair of backends was compared; a pair is `lower * 100 + higher`. */
function pairs(weights: readonly number[]): Map<number, number> {
  const tools = fakeTools(5);
  const picker = twoChoices.prepare(weighted(...weights), tools);
  return tally(PICKS, () => {
    tools.asked.length = 0;
    picker.pick(0);
    const [low = -1, high = -1] = tools.asked.toSorted((a, b) => a - b);
    expect(tools.asked.length).toBe(2);
    return low * 100 + high;
  });
}

/** The chance of drawing two backends, in either order, by weight and without putting the first back. */
function chance(weights: readonly number[], a: number, b: number): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const [weightA = 0, weightB = 0] = [weights[a], weights[b]];
  return ((weightA / total) * weightB) / (total - weightA) + ((weightB / total) * weightA) / (total - weightB);
}

test.each([[[1, 1, 1]], [[7, 7, 7, 7, 7, 7]], [[1, 2, 3, 4]], [[10, 1, 1, 5]], [[65_535, 1, 2]]])(
  "compares two different backends, each pair as often as weights say: %j",
  (weights) => {
    const seen = pairs(weights);
    const all = weights.flatMap((_, a) => weights.flatMap((__, b) => (a < b ? [{ a, b }] : [])));
    const observed = all.map(({ a, b }) => seen.get(a * 100 + b) ?? 0);
    expect(observed.reduce((sum, count) => sum + count, 0)).toBe(PICKS);
    expect(
      deviation(
        observed,
        all.map(({ a, b }) => PICKS * chance(weights, a, b)),
      ),
    ).toBeLessThan(5);
  },
);

test("never takes the busier of the two, for its weight", () => {
  const backend = fc.record({ weight: fc.integer({ min: 1, max: 50 }), load: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(backend, { minLength: 2, maxLength: 10 }), fc.integer(), (backends, seed) => {
      const tools = fakeTools(seed);
      tools.loads.push(...backends.map(({ load }) => load));
      const picker = twoChoices.prepare(weighted(...backends.map(({ weight }) => weight)), tools);
      for (let i = 0; i < 20; i++) {
        tools.asked.length = 0;
        const index = picker.pick(0);
        expect(new Set(tools.asked).size).toBe(2);
        expect(tools.asked).toContain(index);
        const chosen = backends[index]!;
        const other = backends[tools.asked.find((asked) => asked !== index) ?? -1]!;
        expect(chosen.load * other.weight).toBeLessThanOrEqual(other.load * chosen.weight);
      }
    }),
    { seed: 7, numRuns: 300 },
  );
});

test("keeps shares by weight where backends are as loaded as their weights", () => {
  const tools = fakeTools(5);
  const weights = [1, 2, 5];
  tools.loads.push(10, 20, 50);
  const picker = twoChoices.prepare(weighted(...weights), tools);
  const counts = tally(80_000, () => picker.pick(0));
  expect(
    deviation(
      weights.map((_, i) => counts.get(i) ?? 0),
      [10_000, 20_000, 50_000],
    ),
  ).toBeLessThan(5);
});

test("brings in-flight counts into the proportion of the weights", () => {
  const tools = fakeTools(5);
  const weights = [1, 2, 5, 8];
  const picker = twoChoices.prepare(weighted(...weights), tools);
  for (let i = 0; i < 16_000; i++) {
    const index = picker.pick(0);
    tools.loads[index] = (tools.loads[index] ?? 0) + 1;
  }
  for (const [i, weight] of weights.entries())
    expect(tools.loads[i]).toBeWithin(weight * 1000 - 15, weight * 1000 + 16);
});

test("two backends are always compared with each other, however unequal", () => {
  const tools = fakeTools();
  tools.loads.push(65_536, 1);
  const picker = twoChoices.prepare(weighted(65_535, 1), tools);
  for (let i = 0; i < 100; i++) expect(picker.pick(0)).toBe(1 - Number(tools.loads[1]! > 1));
});
