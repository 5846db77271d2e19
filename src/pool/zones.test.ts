import { expect, test } from "bun:test";
import fc from "fast-check";
import { preferZone, type Zoned } from "./zones.ts";

const pool = (text: string): Zoned[] => [...text].map((zone) => ({ zone: zone === "-" ? null : zone, weight: 1 }));

function shareOf(own: string, backends: readonly Zoned[]): number {
  const times = preferZone(backends, own);
  const sum = (of: readonly Zoned[]): number =>
    of.reduce((total, { zone, weight }) => total + weight * (zone === own ? times.own : times.others), 0);
  return sum(backends.filter(({ zone }) => zone === own)) / sum(backends);
}

test("work stays in the own zone while that has its part of the capacity", () => {
  expect(shareOf("a", pool("aabb"))).toBe(1);
  expect(shareOf("a", pool("aaab"))).toBe(1);
  expect(shareOf("a", pool("aabbcc"))).toBe(1);
});

test("a zone with less keeps what it can carry", () => {
  // A quarter of the capacity and half of the work.
  expect(shareOf("a", pool("abbb"))).toBeCloseTo(0.5, 9);
});

test("there is no preference without a zone, without backends in it, or without others", () => {
  for (const [own, of] of [
    [null, "aabb"],
    ["c", "aabb"],
    ["a", "aaaa"],
  ] as const)
    expect(preferZone(pool(of), own)).toEqual({ own: 1, others: 1 });
});

test("backends that tell no zone are elsewhere", () => {
  expect(shareOf("a", pool("a---"))).toBeCloseTo(0.5, 9);
});

test("property: with a Weir in each of two zones and even work, every backend gets as much", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), (a, b) => {
      const backends = pool("a".repeat(a) + "b".repeat(b));
      const inA = 0.5 * shareOf("a", backends) + 0.5 * (1 - shareOf("b", backends));
      expect(inA).toBeCloseTo(a / (a + b), 9);
    }),
  );
});
