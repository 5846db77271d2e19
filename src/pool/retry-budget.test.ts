import { expect, test } from "bun:test";
import fc from "fast-check";
import { RetryBudget } from "./retry-budget.ts";

/** Makes a retry, if the budget affords it. */
function withdraw(budget: RetryBudget, now: number): boolean {
  const affords = budget.affords(now);
  if (affords) budget.spend(now);
  return affords;
}

function withdrawAll(budget: RetryBudget, now: number): number {
  let granted = 0;
  while (granted < 1e6 && withdraw(budget, now)) granted += 1;
  return granted;
}

test("without requests there are 3 retries a second, 30 at once", () => {
  const budget = new RetryBudget();
  expect(withdrawAll(budget, 0)).toBe(30);
  expect(withdrawAll(budget, 9_999)).toBe(0);
  expect(withdrawAll(budget, 10_000)).toBe(30);
});

test("a fifth of the requests of 10 s may be repeated", () => {
  const budget = new RetryBudget();
  for (let now = 0; now < 10_000; now += 10) budget.request(now);
  expect(withdrawAll(budget, 9_999)).toBe(200 + 30);
});

test("requests that are 10 s old count no more", () => {
  const budget = new RetryBudget();
  for (let i = 0; i < 1000; i++) budget.request(500);
  expect(withdrawAll(budget, 10_000)).toBe(30);
});

test("a ratio of 0 and no floor grants none", () => {
  const budget = new RetryBudget({ ratio: 0, floorPerSecond: 0, windowMs: 10_000 });
  for (let i = 0; i < 1000; i++) budget.request(i);
  expect(withdraw(budget, 1000)).toBe(false);
});

test("a clock that starts anywhere, and long pauses, make no difference", () => {
  for (const start of [0, 1, 5_000, 123_456_789.5]) {
    const budget = new RetryBudget();
    budget.request(start);
    budget.request(start + 86_400_000);
    expect(withdrawAll(budget, start + 86_400_000)).toBe(30);
  }
});

type Step = { readonly waitMs: number; readonly requests: number; readonly retries: number };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    waitMs: fc.oneof(fc.nat(50), fc.nat(3_000), fc.nat(30_000)),
    requests: fc.oneof(fc.nat(5), fc.nat(300)),
    retries: fc.oneof(fc.constant(0), fc.nat(400)),
  }),
  { maxLength: 40 },
);

test("property: in any stretch of time, no more than a fifth of the requests, the floor and the burst", () => {
  fc.assert(
    fc.property(steps, fc.double({ min: 0, max: 1e6, noNaN: true }), (script, start) => {
      const budget = new RetryBudget();
      const events: { at: number; requests: number; retries: number }[] = [];
      let now = start;
      for (const { waitMs, requests, retries } of script) {
        now += waitMs;
        for (let i = 0; i < requests; i++) budget.request(now);
        let granted = 0;
        for (let i = 0; i < retries; i++) if (withdraw(budget, now)) granted += 1;
        events.push({ at: now, requests, retries: granted });
      }
      for (const from of events)
        for (const to of events) {
          if (to.at < from.at) continue;
          const within = events.filter(({ at }) => at >= from.at && at <= to.at);
          const paying = events.filter(({ at }) => at > from.at - 10_000 && at <= to.at);
          const retries = within.reduce((sum, each) => sum + each.retries, 0);
          const requests = paying.reduce((sum, each) => sum + each.requests, 0);
          const seconds = (to.at - from.at) / 1000;
          expect(retries).toBeLessThanOrEqual(0.2 * requests + 3 * (seconds + 12) + 1e-9);
        }
    }),
  );
});

test("property: what is asked for within the budget is granted", () => {
  fc.assert(
    fc.property(steps, (script) => {
      const budget = new RetryBudget();
      let now = 0;
      for (const { waitMs, requests } of script) {
        now += waitMs;
        // A retry for every fifth request, at once.
        for (let i = 0; i < requests; i++) {
          budget.request(now);
          if (i % 5 === 4) expect(withdraw(budget, now)).toBe(true);
        }
      }
    }),
  );
});
