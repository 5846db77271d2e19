import { expect, test } from "bun:test";
import fc from "fast-check";
import { candidate, weighted } from "./fake-tools.ts";
import { reduceWeights } from "./weights.ts";

test("keeps indexes and proportions, and leaves no common factor", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 160 }), (base, factor) => {
      const given = base.map((each, i) => candidate(3 * i + 1, each * factor));
      const reduced = reduceWeights(given);
      expect([...reduced.indexes]).toEqual(given.map(({ index }) => index));
      const divisor = (given[0]?.weight ?? 0) / (reduced.weights[0] ?? 0);
      expect([...reduced.weights].map((weight) => weight * divisor)).toEqual(given.map(({ weight }) => weight));
      expect(reduced.total).toBe(reduced.weights.reduce((sum, weight) => sum + weight, 0));
      for (const prime of [2, 3, 5, 7]) expect([...reduced.weights].some((weight) => weight % prime > 0)).toBe(true);
    }),
    { seed: 7 },
  );
});

test("makes equal weights 1", () => {
  expect([...reduceWeights(weighted(50, 50, 50)).weights]).toEqual([1, 1, 1]);
});

test("keeps the sum within 32 bits in a pool of 200,000 heavy backends", () => {
  const heavy = Array.from({ length: 200_000 }, (_, i) => candidate(i, i === 0 ? 1 : 65_535 - (i % 2)));
  const { weights, total } = reduceWeights(heavy);
  expect(total).toBeLessThan(2 ** 32);
  expect(weights[0]).toBe(1);
  const scale = (weights[2] ?? 0) / 65_535;
  expect((weights[1] ?? 0) / 65_534 / scale).toBeWithin(0.9999, 1.0001);
});
