import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatStatusSet, hasStatus, parseStatusSet } from "./status-set.ts";

test("reads statuses and ranges", () => {
  expect(parseStatusSet("200")).toEqual([[200, 200]]);
  expect(parseStatusSet(" 200 - 204,301 ")).toEqual([
    [200, 204],
    [301, 301],
  ]);
});

test("refuses what is none, with the forms that are right", () => {
  for (const text of ["", "2xx", "200-", "399-200", "100", "600", "200;300", "200,"])
    expect(() => parseStatusSet(text)).toThrow("is no set of statuses; use statuses from 200 to 599");
});

const range = fc
  .tuple(fc.integer({ min: 200, max: 599 }), fc.integer({ min: 200, max: 599 }))
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

test("property: what is written is read back, and holds its statuses and no others", () => {
  fc.assert(
    fc.property(fc.array(range, { minLength: 1, maxLength: 5 }), fc.integer({ min: 100, max: 599 }), (set, status) => {
      expect(parseStatusSet(formatStatusSet(set))).toEqual(set);
      expect(hasStatus(set, status)).toBe(set.some(([first, last]) => first <= status && status <= last));
    }),
  );
});
