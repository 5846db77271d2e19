import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Random, seededRandom } from "../random.ts";
import { candidate, fakeTools, type FakeTools, weighted } from "./fake-tools.ts";
import type { Candidate } from "./policy.ts";
import { roundRobin } from "./round-robin.ts";
import { turnsToSkip } from "./turns-to-skip.ts";

/** Moves the cursor of some tools for a change. */
function go(tools: FakeTools, before: readonly Candidate[], after: readonly Candidate[]): void {
  tools.cursor = (tools.cursor + turnsToSkip(before, after, tools.cursor)) >>> 0;
}

/** The most that a backend is ever off its share, in turns, while weights rise and fall by one every few turns. */
function worstDeviation(random: Random, weights: number[], every: number, moves: boolean): number {
  const tools = fakeTools();
  tools.cursor = random.below(1000);
  const off = weights.map(() => 0);
  let worst = 0;
  for (let change = 0; change < 500; change++) {
    const before = weighted(...weights);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const picker = roundRobin.prepare(before, tools);
    for (let turn = 0; turn < every; turn++) {
      for (const [i, weight] of weights.entries()) off[i]! += weight / total;
      off[picker.pick(0)]! -= 1;
      worst = Math.max(worst, ...off.map(Math.abs));
    }
    const at = random.below(weights.length);
    weights[at] = Math.max(1, weights[at]! + random.below(3) - 1);
    if (moves) go(tools, before, weighted(...weights));
  }
  return worst;
}

test("after 500 changes of weights no backend is more than a few turns off its share", () => {
  for (const every of [1, 3, 10, 50]) {
    for (const weights of [
      [100, 10, 50],
      [3, 1, 4, 1, 5],
      [60, 60, 60, 60, 60, 60, 60, 60],
    ]) {
      const [without, moved] = [false, true].map((moves) =>
        worstDeviation(seededRandom(7), [...weights], every, moves),
      );
      expect(moved).toBeLessThan(8);
      expect(moved).toBeLessThan(without ?? NaN);
    }
  }
});

test("weights raised in proportion, as all of them at once, change nothing", () => {
  const given = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(given, fc.integer({ min: 1, max: 9 }), fc.nat({ max: 2 ** 32 - 1 }), (weights, factor, turn) => {
      const after = weighted(...weights.map((weight) => weight * factor));
      expect(turnsToSkip(weighted(...weights), after, turn)).toBe(0);
    }),
    { seed: 7 },
  );
});

test("goes on in the middle of a period as if the new weights had always been", () => {
  const tools = fakeTools();
  const before = weighted(1, 1, 1, 1, 1, 1, 1, 1);
  const after = weighted(1, 1, 1, 1, 1, 1, 1, 2);
  const old = roundRobin.prepare(before, tools);
  const firstHalf = [0, 1, 2, 3].map(() => old.pick(0));
  go(tools, before, after);
  const next = roundRobin.prepare(after, tools);
  const rest = [0, 1, 2, 3, 4].map(() => next.pick(0));
  expect([...firstHalf, ...rest].toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 7]);
});

test("workers that share the cursor go on exactly, though they change one after the other", () => {
  const tools = fakeTools();
  const before = weighted(2, 3, 4);
  const after = weighted(2, 3, 5);
  const workers = [0, 1, 2].map(() => roundRobin.prepare(before, tools));
  for (let i = 0; i < 13; i++) workers[i % 3]?.pick(0);
  go(tools, before, after);
  for (const i of [0, 1, 2]) {
    workers[i] = roundRobin.prepare(after, tools);
    for (const worker of workers) worker.pick(0);
  }
  const counts = [0, 0, 0];
  for (let i = 0; i < 100; i++) counts[workers[(i * i) % 3]?.pick(0) ?? -1]! += 1;
  expect(counts).toEqual([20, 30, 50]);
});

test("the cursor's end and beginning are no obstacle", () => {
  for (let turn = 2 ** 32 - 20; turn < 2 ** 32; turn++) {
    const skip = turnsToSkip(weighted(3, 1), weighted(5, 9), turn);
    expect(skip).toBeGreaterThanOrEqual(0);
    expect((turn + skip) % 2 ** 32).toBeWithin(0, 2 ** 32);
    expect(skip).toBeLessThan(20 + 28);
  }
});

test("where backends come or go, or turns are scattered, the cursor stays", () => {
  expect(turnsToSkip(weighted(1, 2), weighted(1, 2, 3), 77)).toBe(0);
  expect(turnsToSkip(weighted(1, 2), [candidate(0), candidate(4, 2)], 77)).toBe(0);
  const many = Array.from({ length: 3000 }, (_, i) => candidate(i, i + 1));
  expect(turnsToSkip(many, many.toSpliced(0, 1, candidate(0, 7)), 77)).toBe(0);
});
