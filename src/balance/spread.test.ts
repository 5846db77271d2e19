import { expect, test } from "bun:test";
import fc from "fast-check";
import { spread } from "./spread.ts";

test("stays below n", () => {
  const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(word, fc.integer({ min: 1, max: 2 ** 32 - 1 }), (turn, n) => {
      const place = spread(turn, n);
      expect(Number.isInteger(place)).toBe(true);
      expect(place).toBeWithin(0, n);
    }),
    {
      seed: 7,
      examples: [
        [0, 1],
        [2 ** 32 - 1, 2 ** 32 - 1],
      ],
      numRuns: 1000,
    },
  );
});

test.each([1, 2, 3, 4, 5, 6, 7, 8, 12, 100])("is even for turns in steps of %d", (step) => {
  for (const n of [2, 3, 4, 5, 7, 10]) {
    const counts = Array.from({ length: n }, () => 0);
    for (let i = 0; i < 1000 * n; i++) counts[spread((i * step) >>> 0, n)]! += 1;
    for (const count of counts) expect(count).toBeWithin(970, 1031);
  }
});

test("is never off by more than a few turns, after any number of them", () => {
  // Stretches of the range of many lengths and places, each counted along the way.
  const stretches = [
    [0, 0.5],
    [0.1, 0.11],
    [0.3, 0.9],
    [0.75, 0.7501],
    [0.999, 1],
  ] as const;
  const n = 2 ** 31;
  const seen = stretches.map(() => 0);
  let worst = 0;
  for (let turn = 0; turn < 3_000_000; turn++) {
    const place = spread(turn, n) / n;
    for (const [i, [from, to]] of stretches.entries()) {
      if (place >= from && place < to) seen[i]! += 1;
      if ((turn & 63) === 0) worst = Math.max(worst, Math.abs(seen[i]! - (turn + 1) * (to - from)));
    }
  }
  expect(worst).toBeLessThan(4);
});
