import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { PeakEwma } from "./peak-ewma.ts";

const MS = 1000;

/** Estimates of backends that each gave one answer at time 0, in milliseconds. */
function answered(...milliseconds: readonly number[]): PeakEwma {
  const estimates = new PeakEwma(milliseconds.length + 1);
  for (const [index, each] of milliseconds.entries()) estimates.answered(index, each * MS, 0);
  return estimates;
}

test("a slow answer is believed at once, a fast one bit by bit", () => {
  const estimates = answered(10);
  estimates.answered(0, 80 * MS, 100);
  expect(estimates.latency(0, 100)).toBe(80 * MS);
  estimates.answered(0, 10 * MS, 200);
  expect(estimates.latency(0, 200)).toBeWithin(79 * MS, 80 * MS);
});

test("a peak is forgotten with a constant of 10 s", () => {
  const estimates = answered(10);
  estimates.answered(0, 110 * MS, 0);
  estimates.answered(0, 10 * MS, 10_000);
  expect(estimates.latency(0, 10_000)).toBeCloseTo((10 + 100 / Math.E) * MS, 6);
});

test("a slow backend that is not asked nears the fastest of the pool", () => {
  const estimates = answered(10, 12, 14, 1000);
  const seen = [0, 5_000, 20_000, 50_000, 100_000].map((now) => estimates.latency(3, now) / MS);
  expect(seen[0]).toBe(1000);
  expect(seen).toEqual(seen.toSorted((a, b) => b - a));
  expect(seen[3]).toBeLessThan(18);
  expect(seen[4]).toBeWithin(10, 10.1);
});

test("a fast backend that is not asked, as one that hangs is not, never looks better than it was", () => {
  const estimates = answered(10, 50, 50, 50);
  expect(estimates.latency(0, 1e6)).toBe(10 * MS);
});

describe("a backend that has not answered", () => {
  test("has what is usual in its pool", () => {
    expect(answered(10, 20, 30).latency(3, 0)).toBe(10 * MS); // as of the first answer, for a second
    expect(answered(10, 20, 30).latency(3, 1_500)).toBe(20 * MS);
    expect(answered(10, 20, 9000).latency(3, 1_500)).toBe(20 * MS);
  });

  test("has nothing where nobody has", () => {
    expect(answered().latency(0, 5)).toBe(0);
  });

  test("has no latency of a failure that came fast", () => {
    const estimates = answered();
    estimates.failed(0, 3, 0);
    estimates.answered(0, 20 * MS, 100_000);
    expect(estimates.latency(0, 100_000)).toBe(20 * MS);
  });
});

describe("failures", () => {
  test("make a backend look slow, however fast they come", () => {
    const estimates = answered(10, 10);
    for (let i = 1; i <= 5; i++) estimates.failed(0, 1, i);
    expect(estimates.failing(0, 5)).toBeCloseTo(5 / 11, 3);
    expect(estimates.latency(0, 5)).toBeGreaterThan(400 * MS);
    expect(estimates.latency(1, 5)).toBe(10 * MS);
  });

  test("make one look slow that never answered, in a pool that never did", () => {
    const estimates = answered();
    estimates.failed(0, 1, 0);
    expect(estimates.latency(0, 0)).toBeGreaterThan(100 * MS);
  });

  test("that are few change little", () => {
    const estimates = answered(10);
    for (let i = 1; i <= 1000; i++) {
      if (i === 500) estimates.failed(0, 1, i);
      else estimates.answered(0, 10 * MS, i);
    }
    expect(estimates.failing(0, 1000)).toBe(0);
    expect(estimates.latency(0, 1000)).toBe(10 * MS);
  });

  test("are forgotten: one within 15 s, many within a minute", () => {
    const estimates = answered(10, 10);
    estimates.failed(0, 1, 0);
    for (let i = 0; i < 100; i++) estimates.failed(1, 1, 0);
    expect([estimates.failing(0, 0), estimates.failing(1, 0)].every((part) => part > 0)).toBe(true);
    expect(estimates.failing(0, 15_000)).toBe(0);
    expect(estimates.failing(1, 15_000)).toBeGreaterThan(0.5);
    expect(estimates.failing(1, 60_000)).toBe(0);
  });

  test("that came late, as time-outs do, are slow answers too", () => {
    const estimates = answered(10, 10);
    estimates.failed(0, 5000 * MS, 100);
    expect(estimates.latency(0, 100)).toBeGreaterThan(5000 * MS);
    estimates.failed(0, 1, 200);
    expect(estimates.latency(0, 200)).toBeGreaterThan(4900 * MS);
  });
});

test("what is known of a backend goes with it when the pool changes", () => {
  const before = answered(10, 70);
  before.failed(1, 1, 0);
  const after = new PeakEwma(3);
  after.adopt(2, before, 1);
  expect(after.failing(2, 0)).toBe(before.failing(1, 0));
  expect(after.latency(0, 0)).toBeGreaterThan(0);
  expect(after.latency(2, 0)).toBeGreaterThan(70 * MS);
});

/** What may happen, milliseconds after the event before it. */
const event = fc.record({
  index: fc.nat(3),
  microseconds: fc.nat(60_000_000),
  failed: fc.boolean(),
  after: fc.oneof(fc.nat(50), fc.nat(100_000)),
});

test("property: estimates stay within what was seen, and a failure makes none better", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const estimates = new PeakEwma(4);
      let now = 0;
      let slowest = 0;
      for (const { index, microseconds, failed, after } of events) {
        now += after;
        slowest = Math.max(slowest, microseconds, 1);
        const before = estimates.latency(index, now);
        if (failed) estimates.failed(index, microseconds, now);
        else estimates.answered(index, microseconds, now);
        for (let i = 0; i < 4; i++) {
          expect(estimates.failing(i, now)).toBeWithin(0, 1);
          expect(estimates.latency(i, now)).toBeWithin(0, 101 * slowest + 1_000_001);
        }
        if (failed) expect(estimates.latency(index, now)).toBeGreaterThanOrEqual(before * (1 - 1e-9));
      }
    }),
    { seed: 7, numRuns: 500 },
  );
});
