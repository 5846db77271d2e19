import { expect, test } from "bun:test";
import fc from "fast-check";
import { editDistance, nearest } from "./suggest.ts";

const KEYS = ["listeners", "pools", "keepAlive", "maxConnections", "weight", "via"];

test.each([
  ["listner", "listeners"],
  ["pool", "pools"],
  ["keep_alive", "keepAlive"],
  ["max-connections", "maxConnections"],
  ["wieght", "weight"],
  ["vai", "via"],
  ["backends", null],
  ["x", null],
  ["x".repeat(1000), null],
])("%s is probably %p", (word, meant) => {
  expect(nearest(word, KEYS)).toBe(meant);
});

test("what has no letter in common is not meant", () => {
  expect(nearest("7", ["0", "1"])).toBeNull();
  expect(nearest("a", ["ab"])).toBe("ab");
});

test("the distance is a count of edits", () => {
  const word = fc.stringMatching(/^[ab]{0,6}$/);
  expect(editDistance("kitten", "sitting")).toBe(3);
  expect(editDistance("ab", "ba")).toBe(1);
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      expect(distance).toBe(editDistance(b, a));
      expect(distance === 0).toBe(a === b);
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
    }),
  );
});
