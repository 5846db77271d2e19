import { expect, test } from "bun:test";
import { deviation } from "../../test/fixtures/deviation.ts";
import { fakeTools, tally, weighted } from "./fake-tools.ts";
import { random } from "./random.ts";

test.each([[[1, 1, 1]], [[1, 2, 3, 4]], [[1000, 1, 10]], [[65_535, 65_534]]])("draws by weight: %j", (weights) => {
  const picker = random.prepare(weighted(...weights), fakeTools(3));
  const draws = 200_000;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const counts = tally(draws, () => picker.pick(0));
  expect(
    deviation(
      weights.map((_, i) => counts.get(i) ?? 0),
      weights.map((weight) => (draws * weight) / total),
    ),
  ).toBeLessThan(5);
});

test("a draw does not depend on the one before", () => {
  const picker = random.prepare(weighted(1, 1, 1), fakeTools(3));
  let last = picker.pick(0);
  const pairs = tally(90_000, () => {
    const now = picker.pick(0);
    const pair = last * 3 + now;
    last = now;
    return pair;
  });
  const counts = Array.from({ length: 9 }, (_, pair) => pairs.get(pair) ?? 0);
  expect(
    deviation(
      counts,
      Array.from({ length: 9 }, () => 10_000),
    ),
  ).toBeLessThan(5);
});

test("has no regard to load", () => {
  const tools = fakeTools();
  const picker = random.prepare(weighted(1, 1), tools);
  tools.loads[0] = 1000;
  expect(tally(1000, () => picker.pick(0)).get(0)).toBeGreaterThan(400);
  expect(tools.asked).toEqual([]);
});
