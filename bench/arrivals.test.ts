import { expect, test } from "bun:test";
import { seededRandom } from "../src/random.ts";
import { arrivals } from "./arrivals.ts";

function first(count: number, rate: number, seed: number): readonly number[] {
  return arrivals(rate, seededRandom(seed)).take(count).toArray();
}

test("come at the rate, in order, the same for the same seed", () => {
  const moments = first(20_000, 500, 7);
  expect((moments.at(-1) ?? 0) / 20_000).toBeCloseTo(2, 1);
  expect(moments).toEqual(moments.toSorted((a, b) => a - b));
  expect(first(20_000, 500, 7)).toEqual(moments);
  expect(first(20_000, 500, 8)).not.toEqual(moments);
});

test("gaps are exponential: their standard deviation is their mean, and 1 in e is longer than it", () => {
  const moments = first(20_000, 1000, 3);
  const gaps = moments.map((moment, index) => moment - (moments[index - 1] ?? 0));
  const variance = gaps.reduce((sum, gap) => sum + (gap - 1) ** 2, 0) / gaps.length;
  expect(Math.sqrt(variance)).toBeCloseTo(1, 1);
  expect(gaps.filter((gap) => gap > 1).length / gaps.length).toBeCloseTo(1 / Math.E, 1);
});
