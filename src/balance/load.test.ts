import { expect, test } from "bun:test";
import { fakeTools, tally, weighted } from "./fake-tools.ts";
import { leastConnections } from "./least-connections.ts";
import { loadOf } from "./load.ts";
import { leastTime } from "./least-time.ts";
import { twoChoices } from "./two-choices.ts";

test("is what is in flight where nothing fails", () => {
  const tools = fakeTools();
  tools.loads.push(7, 1);
  expect(loadOf(tools, 0, 1, 2)).toBe(7);
});

test("a backend all of whose attempts fail is heavier than a healthy one could be, in a pool of two or of many", () => {
  for (const backends of [2, 3, 50]) {
    const tools = fakeTools();
    tools.failures.push(1);
    tools.loads.push(0, ...Array.from({ length: backends - 1 }, () => 6));
    expect(loadOf(tools, 0, 1, backends)).toBeGreaterThan(6);
  }
});

test.each([leastConnections, twoChoices])(
  "$name: one that fails at once has no traffic, in an idle pool or a busy one",
  (policy) => {
    for (const load of [0, 1, 40]) {
      const tools = fakeTools();
      tools.failures.push(0, 1);
      tools.loads.push(load, 0, load, load);
      const picker = policy.prepare(weighted(1, 1, 1, 1), tools);
      const counts = tally(900, () => picker.pick(0));
      expect(counts.has(1)).toBe(false);
      for (const index of [0, 2, 3]) expect(counts.get(index)).toBeGreaterThan(200);
    }
  },
);

test.each([leastConnections, twoChoices])("$name: shares are by weight where all fail alike", (policy) => {
  const tools = fakeTools();
  tools.failures.push(0.5, 0.5, 0.5);
  const picker = policy.prepare(weighted(1, 2, 5), tools);
  for (let i = 0; i < 8000; i++) {
    const index = picker.pick(0);
    tools.loads[index] = (tools.loads[index] ?? 0) + 1;
  }
  for (const [i, weight] of [1, 2, 5].entries())
    expect(tools.loads[i]).toBeWithin(weight * 1000 - 20, weight * 1000 + 21);
});

test.each([leastConnections, twoChoices, leastTime])(
  "$name: one that looks endlessly busy is taken only where there is no other",
  (policy) => {
    for (const failing of [0, 0.5]) {
      const tools = { ...fakeTools(), totalInFlight: () => 900 };
      tools.failures.push(failing, failing, failing);
      tools.loads.push(Infinity, 900, Infinity);
      const picker = policy.prepare(weighted(1, 5, 1), tools);
      const counts = tally(700, () => picker.pick(0));
      expect(counts.get(1)).toBeGreaterThan(550); // two-choices draws both of the others now and then
      tools.loads[1] = Infinity;
      for (let i = 0; i < 30; i++) expect(picker.pick(0)).toBeWithin(0, 3);
    }
  },
);
