import { expect, test } from "bun:test";
import fc from "fast-check";
import { fakeTools, tally, weighted } from "./fake-tools.ts";
import { leastConnections } from "./least-connections.ts";
import { roundRobin } from "./round-robin.ts";

test("never chooses a backend heavier than another", () => {
  const backend = fc.record({ weight: fc.integer({ min: 1, max: 12 }), load: fc.nat(30) });
  fc.assert(
    fc.property(fc.array(backend, { minLength: 1, maxLength: 10 }), fc.nat(), (backends, turn) => {
      const tools = fakeTools();
      tools.cursor = turn;
      tools.loads.push(...backends.map(({ load }) => load));
      const picker = leastConnections.prepare(weighted(...backends.map(({ weight }) => weight)), tools);
      for (let i = 0; i < 12; i++) {
        const { load, weight } = backends[picker.pick(0)]!;
        for (const other of backends) expect(load * other.weight).toBeLessThanOrEqual(other.load * weight);
      }
    }),
    { seed: 7, numRuns: 500 },
  );
});

test("serves an idle pool in round robin's order", () => {
  const weights = weighted(5, 1, 2);
  const idle = leastConnections.prepare(weights, fakeTools());
  const turns = roundRobin.prepare(weights, fakeTools());
  for (let i = 0; i < 24; i++) expect(idle.pick(0)).toBe(turns.pick(0));
});

test("takes turns among the tied, busy or idle", () => {
  const tools = fakeTools();
  tools.loads.push(4, 4, 4);
  const picker = leastConnections.prepare(weighted(1, 1, 1), tools);
  expect(Array.from({ length: 6 }, () => picker.pick(0))).toEqual([0, 1, 2, 0, 1, 2]);
});

test("shares the turns of a busy backend among all others, not with its neighbour alone", () => {
  const tools = fakeTools();
  tools.loads.push(0, 0, 5, 0, 0);
  const picker = leastConnections.prepare(weighted(1, 1, 1, 1, 1), tools);
  const counts = tally(1000, () => picker.pick(0));
  for (const index of [0, 1, 3, 4]) expect(counts.get(index)).toBeWithin(245, 256);
});

test("shares ties by weight", () => {
  const tools = fakeTools();
  tools.loads.push(50, 1, 3, 6); // as heavy for their weights, but for the first
  const picker = leastConnections.prepare(weighted(1, 1, 3, 6), tools);
  const counts = tally(1100, () => picker.pick(0));
  expect(counts.get(1)).toBeWithin(105, 116);
  expect(counts.get(2)).toBeWithin(320, 341);
  expect(counts.get(3)).toBeWithin(650, 671);
});

test.each([1, 2, 3, 4, 5, 6, 7])("is even when requests come %d at a time", (together) => {
  for (const backends of [2, 3, 4, 5]) {
    const tools = fakeTools();
    const picker = leastConnections.prepare(weighted(...Array.from({ length: backends }, () => 1)), tools);
    const counts = Array.from({ length: backends }, () => 0);
    for (let burst = 0; burst < 600; burst++) {
      tools.loads.splice(0, Infinity, ...Array.from({ length: backends }, () => 0));
      for (let i = 0; i < together; i++) {
        const index = picker.pick(0);
        tools.loads[index]! += 1;
        counts[index]! += 1;
      }
    }
    const even = (600 * together) / backends;
    for (const count of counts) expect(count).toBeWithin(even * 0.98, even * 1.02 + 1);
  }
});

test("looks at one backend only where the one whose turn it is has nothing in flight", () => {
  const tools = fakeTools();
  const picker = leastConnections.prepare(weighted(1, 1, 1, 1), tools);
  picker.pick(0);
  expect(tools.asked).toEqual([0]);
});
