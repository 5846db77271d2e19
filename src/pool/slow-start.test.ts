import { expect, test } from "bun:test";
import fc from "fast-check";
import { nextRampStep, rampFactor } from "./slow-start.ts";

test("begins with a tenth, and has all after 30 s", () => {
  const at = (now: number): number => rampFactor(99_000 + now, 99_000, 30_000);
  expect([0, 2999, 15_000, 26_999, 30_000, 1e9].map(at)).toEqual([0.1, 0.1, 0.5, 0.8, 1, 1]);
});

test("no time is no ramp", () => {
  expect(rampFactor(0, 0, 0)).toBe(1);
});

const times = fc.record({
  since: fc.double({ min: 0, max: 1e9, noNaN: true }),
  elapsed: fc.double({ min: 0, max: 1e5, noNaN: true }),
  rampMs: fc.integer({ min: 1, max: 1e6 }),
});

test("property: within a tenth of the line, never 0, and in whole tenths", () => {
  fc.assert(
    fc.property(times, ({ since, elapsed, rampMs }) => {
      const factor = rampFactor(since + elapsed, since, rampMs);
      expect(factor).toBeGreaterThanOrEqual(0.1);
      expect(Math.abs(factor - Math.min(1, elapsed / rampMs))).toBeLessThanOrEqual(0.1 + 1e-6);
      expect(Math.round(factor * 10)).toBeCloseTo(factor * 10, 9);
    }),
  );
});

test("property: stays as it is until the next step, and never falls", () => {
  fc.assert(
    fc.property(times, ({ since, elapsed, rampMs }) => {
      const now = since + elapsed;
      const next = nextRampStep(now, rampMs);
      expect(next).toBeGreaterThan(now);
      const factor = rampFactor(now, since, rampMs);
      expect(rampFactor(next, since, rampMs)).toBeGreaterThanOrEqual(factor);
      expect(rampFactor((now + next) / 2, since, rampMs)).toBeGreaterThanOrEqual(factor);
    }),
  );
});

test("property: going from step to step ends after as many as there are", () => {
  fc.assert(
    fc.property(times, ({ since, rampMs }) => {
      let now = since;
      let steps = 0;
      while (rampFactor(now, since, rampMs) < 1) {
        now = nextRampStep(now, rampMs);
        steps += 1;
      }
      expect(steps).toBeLessThanOrEqual(11);
    }),
  );
});
