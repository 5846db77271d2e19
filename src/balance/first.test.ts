import { expect, test } from "bun:test";
import { candidate, fakeTools, weighted } from "./fake-tools.ts";
import { first } from "./first.ts";

test("fills one backend after the other, then has none", () => {
  const tools = fakeTools();
  tools.capacities.push(2, 1, 3);
  const picker = first.prepare(weighted(1, 9, 1), tools);
  const picks = Array.from({ length: 8 }, () => {
    const index = picker.pick(0);
    if (index >= 0) tools.loads[index] = (tools.loads[index] ?? 0) + 1;
    return index;
  });
  expect(picks).toEqual([0, 0, 1, 2, 2, 2, -1, -1]);
});

test("returns to an earlier backend as soon as it has room", () => {
  const tools = fakeTools();
  tools.capacities.push(1, 1);
  tools.loads.push(1, 0);
  const picker = first.prepare(weighted(1, 1), tools);
  expect(picker.pick(0)).toBe(1);
  tools.loads[0] = 0;
  expect(picker.pick(0)).toBe(0);
});

test("never leaves a first backend without a limit", () => {
  const tools = fakeTools();
  tools.loads[4] = 1_000_000;
  expect(first.prepare([candidate(4), candidate(2)], tools).pick(0)).toBe(4);
});
