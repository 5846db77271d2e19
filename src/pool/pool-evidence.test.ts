import { expect, test } from "bun:test";
import { HealthWords, healthWordsBytes } from "../observe/health-words.ts";
import { DEFAULT_HEALTH, DEFAULT_PASSIVE, DEFAULT_TCP_PROBE, type HealthPlan } from "../health-plan.ts";
import { PoolEvidence } from "./pool-evidence.ts";

/** The evidence of a pool of two backends whose rows are 3 and 5, and its words. */
function evidence(plan: Partial<HealthPlan> = {}): { readonly of: PoolEvidence; readonly words: HealthWords } {
  const shape = { pools: 2, rows: 6 };
  const words = new HealthWords(new ArrayBuffer(healthWordsBytes(shape)), shape);
  return { of: new PoolEvidence(words, 1, [3, 5], { ...DEFAULT_HEALTH, ...plan }), words };
}

test("failures of the backend count, and nobody else's", () => {
  const { of, words } = evidence();
  for (const code of ["BACKEND_REFUSED", "BACKEND_RESET", "BACKEND_RESPONSE_TIMEOUT"] as const) of.failed(1, code);
  expect(words.failures(5)).toBe(3);
  for (const code of ["CLIENT_GONE", "BACKEND_SLOW_READER", "WEIR_DRAINED"] as const) of.failed(1, code);
  expect([words.failures(5), words.failures(3), words.strikes(5)]).toEqual([3, 0, 0]);
  for (let i = 0; i < 2; i++) of.failed(1, "BACKEND_REFUSED");
  expect([words.strikes(5), words.alarms(1), words.alarms(0)]).toEqual([1, 1, 0]);
});

test("an answer ends a row of failures, unless its status is set to be one", () => {
  const { of, words } = evidence({ passive: { ...DEFAULT_PASSIVE, statuses: [[502, 504]] } });
  of.failed(0, "BACKEND_REFUSED");
  of.answered(0, 503);
  expect(words.failures(3)).toBe(2);
  of.answered(0, 500);
  expect(words.failures(3)).toBe(0);
  of.failed(0, "BACKEND_REFUSED");
  of.connected(0);
  expect(words.failures(3)).toBe(0);
});

test("with passive off, or failures that do not eject, nothing is counted", () => {
  for (const passive of [null, { ...DEFAULT_PASSIVE, failures: null, statuses: [[500, 599]] as const }]) {
    const { of, words } = evidence({ passive });
    of.failed(0, "BACKEND_REFUSED");
    of.answered(0, 503);
    expect(words.failures(3)).toBe(0);
  }
});

test("a backend's wish to be drained is passed on, whatever is counted", () => {
  const { of, words } = evidence({ passive: null });
  of.asksToDrain(1);
  expect([words.notices(5), words.notices(3)]).toEqual([1, 0]);
});

test("a client is told to come back after an interval of the probe", () => {
  const after = (intervalMs: number): number =>
    evidence({ probe: { ...DEFAULT_TCP_PROBE, intervalMs } }).of.retryAfterSeconds;
  expect([after(20), after(5000), after(5001), evidence().of.retryAfterSeconds]).toEqual([1, 5, 6, 5]);
});

test("panic is what was published last", () => {
  const { of, words } = evidence();
  expect(of.panics).toBe(false);
  words.publish(1, [3, 5], { weights: [1, 1], flags: [1, 1], panic: true, scale: 1 });
  expect(of.panics).toBe(true);
});
