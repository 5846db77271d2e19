import { expect, test } from "bun:test";
import { NO_ADVICE, readAdvice } from "./advice.ts";

test("reads the state and the weight that a backend wants", () => {
  expect(readAdvice("drain", null)).toEqual({ state: "drain", weightPercent: 100 });
  expect(readAdvice("Maintenance", "50")).toEqual({ state: "maintenance", weightPercent: 50 });
  expect(readAdvice("ready", "0 %")).toEqual({ state: "ready", weightPercent: 0 });
});

test("a backend may lower its weight, not raise it", () => {
  expect(readAdvice(null, "250%").weightPercent).toBe(100);
});

test("what is not understood says nothing", () => {
  for (const [state, weight] of [
    [null, null],
    ["", ""],
    ["up", "half"],
    ["constructor", "-5"],
    ["draining", "5.5"],
  ] as const)
    expect(readAdvice(state, weight)).toEqual(NO_ADVICE);
});
