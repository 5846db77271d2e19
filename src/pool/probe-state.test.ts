import { expect, test } from "bun:test";
import fc from "fast-check";
import { seededRandom } from "../random.ts";
import { DEFAULT_TIMING } from "../health-plan.ts";
import {
  afterProbe,
  isChanging,
  isUp,
  nextProbeMs,
  type ProbeOutcome,
  type ProbeState,
  progress,
  startingAs,
} from "./probe-state.ts";

const passed: ProbeOutcome = { kind: "passed", tookMs: 1, advice: null };
const failed: ProbeOutcome = { kind: "failed", tookMs: 1, advice: null, code: "BACKEND_REFUSED", why: "refused" };

function run(from: ProbeState, outcomes: readonly ProbeOutcome[], timing = DEFAULT_TIMING): ProbeState {
  return outcomes.reduce((state, outcome, at) => afterProbe(state, outcome, at, timing), from);
}

test("is what it is assumed to be until its first probe, which settles it either way", () => {
  for (const assumed of ["up", "down"] as const) {
    expect(isUp(startingAs(assumed))).toBe(assumed === "up");
    expect(run(startingAs(assumed), [passed])).toEqual({ kind: "up", sinceMs: 0, failed: 0 });
    expect(run(startingAs(assumed), [failed])).toEqual({ kind: "down", sinceMs: 0, passed: 0, why: "refused" });
  }
});

test("goes down with the third failure in a row, and up with the second success", () => {
  const states = [passed, failed, failed, failed, passed, passed].map((_, i, all) =>
    run(startingAs("up"), all.slice(0, i + 1)),
  );
  expect(states.map(isUp)).toEqual([true, true, true, false, false, true]);
  expect(states.at(-1)).toEqual({ kind: "up", sinceMs: 5, failed: 0 });
});

test("one failure among successes is forgotten, and one success among failures too", () => {
  expect(run(startingAs("up"), [passed, failed, failed, passed, failed, failed])).toMatchObject({
    kind: "up",
    failed: 2,
  });
  expect(run(startingAs("up"), [failed, passed, failed, passed])).toMatchObject({ kind: "down", passed: 1 });
});

test("says how far a change has got", () => {
  const timing = DEFAULT_TIMING;
  expect(progress(startingAs("up"), timing)).toBe("not probed yet");
  expect(progress(run(startingAs("up"), [passed]), timing)).toBe("");
  expect(progress(run(startingAs("up"), [passed, failed, failed]), timing)).toBe("2 of 3 failed");
  expect(progress(run(startingAs("up"), [failed, passed]), timing)).toBe("1 of 2 passed");
});

test("is asked every 5 s, and every second while it is changing, give or take a tenth", () => {
  const random = seededRandom(1);
  const intervals = (state: ProbeState): number[] =>
    Array.from({ length: 2000 }, () => nextProbeMs(state, DEFAULT_TIMING, random));
  for (const [state, ms] of [
    [startingAs("up"), 5000],
    [run(startingAs("up"), [passed]), 5000],
    [run(startingAs("up"), [passed, failed]), 1000],
    [run(startingAs("up"), [failed]), 5000],
    [run(startingAs("up"), [failed, passed]), 1000],
  ] as const) {
    const all = intervals(state);
    expect(Math.min(...all)).toBeGreaterThanOrEqual(ms * 0.9);
    expect(Math.max(...all)).toBeLessThanOrEqual(ms * 1.1);
    expect(all.reduce((sum, one) => sum + one, 0) / all.length / ms).toBeCloseTo(1, 2);
  }
});

test("property: agrees with looking at the whole history", () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom("up" as const, "down" as const),
      (history, rise, fall, assumed) => {
        const timing = { ...DEFAULT_TIMING, rise, fall };
        let up = assumed === "up";
        for (const [i, ok] of history.entries()) {
          const last = history.slice(0, i + 1).reverse();
          const streak = last.findIndex((one) => one !== ok) === -1 ? last.length : last.findIndex((one) => one !== ok);
          if (i === 0) up = ok;
          else if (ok !== up && streak >= (ok ? rise : fall)) up = ok;
          const state = run(
            startingAs(assumed),
            history.slice(0, i + 1).map((one) => (one ? passed : failed)),
            timing,
          );
          expect(isUp(state)).toBe(up);
          expect(isChanging(state)).toBe(ok !== up);
        }
      },
    ),
  );
});
