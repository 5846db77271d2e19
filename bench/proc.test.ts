import { expect, test } from "bun:test";
import { parseStat } from "./proc.ts";

test("reads parent, start and both kinds of time, with those of children waited for, whatever the name is", () => {
  // The fields of proc(5) as their own numbers, 4 to 24, but for the name and the state.
  const numbers = Array.from({ length: 21 }, (_, index) => index + 4).join(" ");
  expect(parseStat(1, `1 (a) S 9 (b) S ${numbers}\n`)).toEqual({
    pid: 1,
    parent: 4,
    startedAt: 22,
    userTicks: 14 + 16,
    kernelTicks: 15 + 17,
  });
});
