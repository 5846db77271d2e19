import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  causeText,
  countedEjections,
  eject,
  type Ejection,
  type EjectionCause,
  findOutliers,
  mostEjected,
  NEVER_EJECTED,
  pardon,
  release,
} from "./ejection.ts";
import { DEFAULT_PASSIVE } from "../health-plan.ts";

const plan = DEFAULT_PASSIVE;
const rules = DEFAULT_PASSIVE.successRate!;
const cause: EjectionCause = { kind: "failures", inARow: 5 };

test("ejects for 10 s times the ejections in a row", () => {
  let state: Ejection = NEVER_EJECTED;
  let now = 1000;
  for (const times of [1, 2, 3]) {
    state = eject(state, cause, now, plan);
    expect(state).toEqual({ kind: "ejected", until: now + times * 10_000, cause, inARow: times });
    expect(release(state, now + times * 10_000 - 1)).toBe(state);
    now += times * 10_000;
    state = release(state, now);
    expect(state).toEqual({ kind: "in", inARow: times, sinceMs: now });
  }
  // However late somebody looks.
  const late = release(eject(NEVER_EJECTED, cause, 0, plan), 25_000);
  expect(late).toEqual({ kind: "in", inARow: 1, sinceMs: 10_000 });
});

test("an ejection in a row is forgotten for behaving as long as it lasted", () => {
  const state: Ejection = { kind: "in", inARow: 3, sinceMs: 0 };
  const counted = (now: number): number => countedEjections(state, now, plan);
  expect([0, 29_999, 30_000, 49_999, 50_000, 59_999, 60_000].map(counted)).toEqual([3, 3, 2, 2, 1, 1, 0]);
});

test("is ejected for 5 minutes at most, and that many count", () => {
  let state: Ejection = NEVER_EJECTED;
  let now = 0;
  for (let i = 0; i < 100; i++) {
    state = eject(state, cause, now, plan);
    if (state.kind === "ejected") now = state.until;
    state = release(state, now);
  }
  const last = eject(state, cause, now, plan);
  expect(last).toMatchObject({ inARow: 30, until: now + 300_000 });
});

test("an ejected backend is not ejected again, and a pardoned one is in at once", () => {
  const state = eject(NEVER_EJECTED, cause, 0, plan);
  expect(eject(state, cause, 5000, plan)).toBe(state);
  expect(pardon(state, 5000)).toEqual({ kind: "in", inARow: 1, sinceMs: 5000 });
  expect(pardon(NEVER_EJECTED, 5000)).toBe(NEVER_EJECTED);
});

test("one backend alone is never ejected", () => {
  expect([0, 1, 2, 3, 4, 5].map((n) => mostEjected(n, plan))).toEqual([0, 0, 1, 1, 2, 2]);
});

function samples(...failures: readonly number[]): { attempts: number; failures: number }[] {
  return failures.map((each) => ({ attempts: 1000, failures: each }));
}

test("one of five that fails is an outlier", () => {
  const [only, ...none] = findOutliers(samples(0, 0, 500, 0, 0), rules);
  expect(none).toEqual([]);
  expect(only).toMatchObject({ index: 2, cause: { kind: "success-rate", rate: 0.5, mean: 0.9 } });
  expect(causeText(only!.cause)).toBe("success rate 50.0 %, below 52.0 % where the pool has 90.0 %");
});

test("nobody is an outlier among fewer than five, or with fewer than a hundred requests", () => {
  expect(findOutliers(samples(0, 0, 0, 1000), rules)).toEqual([]);
  const few = { attempts: 99, failures: 99 };
  expect(findOutliers([...samples(0, 0, 0, 0, 0), few], rules)).toEqual([]);
});

test("a failure in a thousand is no outlier, although the others had none", () => {
  expect(findOutliers(samples(0, 0, 0, 0, 0, 0, 0, 0, 0, 1), rules)).toEqual([]);
});

test("property: where all fail alike nobody is an outlier", () => {
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 100 }), fc.nat(1000), (n, failures) => {
      expect(findOutliers(samples(...new Array<number>(n).fill(failures)), rules)).toEqual([]);
    }),
  );
});

test("property: outliers are fewer than half, below the others, and come worst first", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { maxLength: 40 }), (failures) => {
      const found = findOutliers(samples(...failures), rules);
      // At most 1 in 1 + 1.9² can be so far below the mean (Cantelli).
      expect(found.length).toBeLessThanOrEqual(failures.length / (1 + 1.9 ** 2));
      const worst = found.map(({ index }) => failures[index]!);
      expect(worst).toEqual(failures.toSorted((a, b) => b - a).slice(0, found.length));
    }),
  );
});

test("property: the time of an ejection grows with those before it and never passes the bound", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400_000), { minLength: 1, maxLength: 50 }), (pauses) => {
      let state: Ejection = NEVER_EJECTED;
      let now = 0;
      for (const pause of pauses) {
        const before = countedEjections(state, now + pause, plan);
        now += pause;
        state = eject(state, cause, now, plan);
        if (state.kind !== "ejected") throw new Error("not ejected");
        expect(state.inARow).toBe(Math.min(30, before + 1));
        expect(state.until - now).toBe(Math.min(300_000, 10_000 * state.inARow));
        now = state.until;
        state = release(state, now);
      }
    }),
  );
});
