import { expect, test } from "bun:test";
import fc from "fast-check";
import { integerWeights } from "./integer-weights.ts";

const of = (...real: number[]): { weights: number[]; scale: number } => {
  const { weights, scale } = integerWeights(real);
  return { weights: [...weights], scale };
};

test("whole weights stay as they are", () => {
  expect(of(1, 5, 65_535)).toEqual({ weights: [1, 5, 65_535], scale: 1 });
  expect(of()).toEqual({ weights: [], scale: 1 });
});

test("a tenth of a weight of 1 is 1 of 10", () => {
  expect(of(1, 0.1)).toEqual({ weights: [10, 1], scale: 10 });
  expect(of(2, 1 * 0.3)).toEqual({ weights: [20, 3], scale: 10 });
});

test("where no common factor makes them whole, the smallest is still told apart", () => {
  expect(of(1, 1 / 3)).toEqual({ weights: [60, 20], scale: 60 });
  expect(of(65_535, 0.5).weights).toEqual([65_535, 1]);
});

test("property: keeps proportions within one in 40 where there is room, and is always a weight that policies take", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.01, max: 65_535, noNaN: true }), { minLength: 1, maxLength: 30 }),
      (real) => {
        const { weights, scale } = integerWeights(real);
        const least = Math.min(...real);
        const most = Math.max(...real);
        for (const [i, weight] of weights.entries()) {
          expect(weight).toBeGreaterThanOrEqual(1);
          if (most / least <= 65_535 / 21)
            expect(Math.abs(weight / (real[i]! * scale) - 1)).toBeLessThanOrEqual(1 / 40);
        }
      },
    ),
  );
});
