import { expect, test } from "bun:test";
import fc from "fast-check";
import { shareTiers, type Tier } from "./tiers.ts";

const tiers = (...of: readonly (readonly [healthy: number, backends: number])[]): Tier[] =>
  of.map(([healthy, backends], tier) => ({ tier, healthy, backends }));
const shares = (of: Tier[], panicBelow = 0.5): string[] =>
  shareTiers(of, panicBelow).map(({ share, panic }) => `${Math.round(share * 100)}${panic ? "!" : ""}`);

test("the first tier takes all until fewer than 71 % of it are healthy", () => {
  expect(shares(tiers([100, 100], [100, 100]))).toEqual(["100", "0"]);
  expect(shares(tiers([72, 100], [100, 100]))).toEqual(["100", "0"]);
  // The table of Envoy's documentation on priority levels.
  expect(shares(tiers([71, 100], [100, 100]))).toEqual(["99", "1"]);
  expect(shares(tiers([50, 100], [100, 100]))).toEqual(["70", "30"]);
  expect(shares(tiers([25, 100], [100, 100]))).toEqual(["35", "65"]);
  expect(shares(tiers([0, 100], [100, 100]))).toEqual(["0", "100"]);
});

test("where all together do not cover the work, they share it in proportion and panic", () => {
  expect(shares(tiers([25, 100], [25, 100]))).toEqual(["50!", "50!"]);
});

test("a reserve that is well keeps the others from panic", () => {
  expect(shares(tiers([0, 4], [2, 2]))).toEqual(["0", "100"]);
  expect(shares(tiers([1, 4], [3, 4]))).toEqual(["35", "65"]);
});

test("with nobody healthy the first tier gets all, unless panic is off", () => {
  expect(shares(tiers([0, 4], [0, 4]))).toEqual(["100!", "0!"]);
  expect(shares(tiers([0, 4], [0, 4]), 0)).toEqual(["0", "0"]);
});

const some = fc
  .array(
    fc.integer({ min: 1, max: 50 }).chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n))),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  .map((all) => tiers(...all));
const threshold = fc.double({ min: 0, max: 1, noNaN: true });

test("property: shares sum to all, unless nobody is healthy and none may panic", () => {
  fc.assert(
    fc.property(some, threshold, (of, panicBelow) => {
      const all = shareTiers(of, panicBelow);
      const sum = all.reduce((total, { share }) => total + share, 0);
      const nobody = of.every(({ healthy }) => healthy === 0);
      expect(sum).toBeCloseTo(nobody && panicBelow === 0 ? 0 : 1, 9);
      for (const { share, healthy, panic } of all) {
        expect(share).toBeGreaterThanOrEqual(0);
        if (share > 0) expect(healthy > 0 || panic).toBe(true);
      }
    }),
  );
});

test("property: one tier panics exactly when too few are healthy", () => {
  fc.assert(
    fc.property(some, threshold, ([only], panicBelow) => {
      expect(shareTiers([only!], panicBelow)[0]?.panic).toBe(only!.healthy / only!.backends < panicBelow);
    }),
  );
});

test("property: a tier never gets less for having one more healthy", () => {
  fc.assert(
    fc.property(some, ([first, ...rest]) => {
      if (first!.healthy === first!.backends) return;
      const [before] = shareTiers([first!, ...rest], 0.5);
      const [after] = shareTiers([{ ...first!, healthy: first!.healthy + 1 }, ...rest], 0.5);
      if (before!.panic === after!.panic) expect(after!.share).toBeGreaterThanOrEqual(before!.share - 1e-9);
    }),
  );
});
