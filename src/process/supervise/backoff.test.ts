import { describe, expect, test } from "bun:test";
import { afterDeath, type Backoff, fresh, LONGEST_WAIT_MS, STABLE_MS } from "./backoff.ts";

function waits(lives: readonly number[]): number[] {
  let backoff: Backoff = fresh;
  return lives.map((lived) => {
    const step = afterDeath(backoff, lived);
    backoff = step.backoff;
    return step.waitMs;
  });
}

describe("a process that dies", () => {
  test("is replaced at once the first time", () => {
    expect(waits([5])).toEqual([0]);
  });

  test("waits twice as long each time it dies young, up to a limit", () => {
    expect(waits(Array<number>(10).fill(5))).toEqual([0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    expect(waits(Array<number>(2000).fill(0)).at(-1)).toBe(LONGEST_WAIT_MS);
  });

  test("begins anew once it has lived long enough", () => {
    expect(waits([5, 5, 5, STABLE_MS, 5])).toEqual([0, 100, 200, 0, 100]);
  });
});
