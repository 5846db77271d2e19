import { expect, test } from "bun:test";
import fc from "fast-check";
import { candidate, weighted } from "./fake-tools.ts";
import { Line } from "./line.ts";
import { reduceWeights } from "./weights.ts";

/** The candidate at a position, found by walking. */
function walked(weights: Uint32Array, position: number): number {
  let i = 0;
  for (let rest = position; rest >= (weights[i] ?? 0); i++) rest -= weights[i] ?? 0;
  return i;
}

test("has every candidate where its weight puts it, from its first position to its last", () => {
  const weight = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 65_535 }));
  fc.assert(
    fc.property(fc.array(weight, { minLength: 1, maxLength: 60 }), fc.nat(), (given, anywhere) => {
      const reduced = reduceWeights(weighted(...given));
      const line = new Line(reduced);
      let start = 0;
      for (const [i, length] of reduced.weights.entries()) {
        expect(line.starts[i]).toBe(start);
        expect(line.at(start)).toBe(i);
        expect(line.at(start + length - 1)).toBe(i);
        start += length;
      }
      const position = anywhere % reduced.total;
      expect(line.at(position)).toBe(walked(reduced.weights, position));
    }),
    { seed: 7, numRuns: 500 },
  );
});

test("finds candidates at both ends of a line of nearly 2³²", () => {
  const reduced = reduceWeights(Array.from({ length: 65_537 }, (_, i) => candidate(i, 65_535 - (i & 1))));
  const line = new Line(reduced);
  expect(reduced.total).toBeGreaterThan(2 ** 31);
  for (const i of [0, 1, 40_000, 65_536]) {
    expect(line.at(line.starts[i] ?? 0)).toBe(i);
    expect(line.at((line.starts[i] ?? 0) + (reduced.weights[i] ?? 0) - 1)).toBe(i);
  }
});
