import { expect, test } from "bun:test";
import { LatencyWindow } from "../pool/latency-window.ts";
import { Hedge } from "./hedge.ts";

test("by a time waits that time, by a quantile what the pool's answers keep to", () => {
  const time = { kind: "time", milliseconds: 50 } as const;
  expect(new Hedge({ after: time, budget: 0.02 }, null, 1).delayMs(0)).toBe(50);
  const latencies = new LatencyWindow();
  const hedge = new Hedge({ after: { kind: "quantile", q: 0.95 }, budget: 0.02 }, latencies, 1);
  expect(hedge.delayMs(0)).toBeNaN();
  for (let i = 0; i < 100; i++) latencies.add(i < 96 ? 10_000 : 900_000, 0);
  expect(hedge.delayMs(0)).toBeGreaterThanOrEqual(10);
  expect(hedge.delayMs(0)).toBeLessThan(13);
});

test("grants a part of the requests, and a few in any case, by the share of this worker", () => {
  const granted = (requests: number, workers: number): number => {
    const hedge = new Hedge({ after: { kind: "time", milliseconds: 1 }, budget: 0.02 }, null, workers);
    for (let i = 0; i < requests; i++) hedge.delayMs(0);
    let count = 0;
    for (; hedge.affordable(0); count += 1) hedge.spend(0);
    return count;
  };
  expect(granted(0, 1)).toBe(3);
  expect(granted(1000, 1)).toBe(23);
  expect(granted(1000, 3)).toBe(21);
});
