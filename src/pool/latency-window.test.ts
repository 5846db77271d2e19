import { expect, test } from "bun:test";
import fc from "fast-check";
import { LatencyWindow } from "./latency-window.ts";

test("nobody knows before there are a hundred", () => {
  const window = new LatencyWindow();
  for (let i = 0; i < 99; i++) window.add(1000, 0);
  expect(window.quantile(0.95, 0)).toBeNaN();
  window.add(1000, 0);
  expect(window.quantile(0.95, 0)).toBeGreaterThanOrEqual(1000);
});

test("property: a quantile is that of all answers, up to the width of a bucket", () => {
  const latencies = fc.array(fc.integer({ min: 4, max: 10_000_000 }), { minLength: 100, maxLength: 400 });
  fc.assert(
    fc.property(latencies, fc.constantFrom(0.5, 0.9, 0.95, 0.99), (all, q) => {
      const window = new LatencyWindow();
      for (const each of all) window.add(each, 5);
      const exact = all.toSorted((a, b) => a - b)[Math.ceil(q * all.length) - 1]!;
      const found = window.quantile(q, 5);
      expect(found).toBeGreaterThan(exact);
      expect(found).toBeLessThanOrEqual(exact * 1.25 + 1);
    }),
  );
});

test("what is older than twenty seconds is forgotten, what is younger than ten is not", () => {
  const window = new LatencyWindow();
  for (let i = 0; i < 200; i++) window.add(1_000_000, 0);
  for (let now = 1000; now <= 9000; now += 1000) window.add(1_000_000, now);
  expect(window.quantile(0.5, 9_999)).toBeGreaterThan(900_000);
  for (let i = 0; i < 200; i++) window.add(100, 10_000);
  expect(window.quantile(0.95, 11_000)).toBeGreaterThan(900_000);
  for (let i = 0; i < 200; i++) window.add(100, 20_000);
  expect(window.quantile(0.95, 20_200)).toBeLessThan(200);
  // Nothing for two windows: nobody knows any more.
  expect(window.quantile(0.95, 60_000)).toBeNaN();
});
