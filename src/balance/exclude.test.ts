import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { crc32 } from "./crc32.ts";
import { pickUntried } from "./exclude.ts";
import { fakeTools, tally, weighted } from "./fake-tools.ts";
import type { Picker } from "./policy.ts";
import { POLICIES } from "./registry.ts";

/** A picker that always gives the same answer, and counts how often it was asked. */
function stubborn(index: number): Pick<Picker, "pick"> & { asked: number } {
  return {
    asked: 0,
    pick() {
      this.asked++;
      return index;
    },
  };
}

test("is the picker's own choice, asked once, where nothing was tried", () => {
  const picker = stubborn(2);
  const tools = fakeTools();
  expect(pickUntried(picker, 0, weighted(1, 1, 1), [], tools)).toBe(2);
  expect(picker.asked).toBe(1);
  expect(tools.cursor).toBe(0);
});

test("asks a picker that insists on a tried backend no more than four times", () => {
  const picker = stubborn(0);
  expect(pickUntried(picker, 0, weighted(1, 1), [0], fakeTools())).toBe(1);
  expect(picker.asked).toBe(4);
});

test("finds none where every candidate was tried, or the policy has no room", () => {
  const tools = fakeTools();
  expect(pickUntried(stubborn(0), 0, weighted(1, 1, 1), [2, 0, 1], tools)).toBe(-1);
  expect(pickUntried(stubborn(-1), 0, weighted(1, 1, 1), [0], tools)).toBe(-1);
});

test("takes a picker that passes over what was tried at its word", () => {
  const picker: Pick<Picker, "pick"> = {
    pick: (_, tried = []) => [4, 2, 0].find((index) => !tried.includes(index)) ?? -1,
  };
  expect(pickUntried(picker, 9, weighted(1, 1, 1, 1, 1), [4], fakeTools())).toBe(2);
  expect(pickUntried(picker, 9, weighted(1, 1, 1, 1, 1), [2, 4], fakeTools())).toBe(0);
  expect(pickUntried(picker, 9, weighted(1, 1, 1, 1, 1), [2, 4, 0], fakeTools())).toBe(-1);
});

test("passes over untried backends that are full", () => {
  const tools = fakeTools();
  tools.capacities.push(5, 5, 5);
  tools.loads.push(0, 5, 4);
  for (let i = 0; i < 20; i++) expect(pickUntried(stubborn(0), 0, weighted(1, 1, 1), [0], tools)).toBe(2);
  tools.loads[2] = 5;
  expect(pickUntried(stubborn(0), 0, weighted(1, 1, 1), [0], tools)).toBe(-1);
});

test("sends a key that lost its backend to the same other one, and different keys to all", () => {
  const candidates = weighted(1, 1, 1, 1);
  const tools = fakeTools();
  const fallback = (key: number): number => pickUntried(stubborn(1), key, candidates, [1], tools);
  for (let key = 1; key < 50; key++) expect(fallback(key)).toBe(fallback(key));
  let key = 1;
  const counts = tally(3000, () => fallback(key++));
  for (const index of [0, 2, 3]) expect(counts.get(index)).toBeWithin(950, 1051);
});

test("shares what a dead backend would have got by weight", () => {
  const tools = fakeTools();
  const counts = tally(6000, () => pickUntried(stubborn(1), 0, weighted(1, 9, 2, 3), [1], tools));
  for (const [index, weight] of [
    [0, 1],
    [2, 2],
    [3, 3],
  ] as const) {
    expect(counts.get(index)).toBeWithin(weight * 1000 - 20, weight * 1000 + 21);
  }
});

describe.each([...POLICIES.values()])("$name", (policy) => {
  test("never chooses a tried backend, and finds an untried one while there is one", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(weights, fc.uniqueArray(fc.nat(9)), fc.nat(), (given, tried, key) => {
        const tools = fakeTools(key);
        const candidates = weighted(...given);
        const picked = pickUntried(policy.prepare(candidates, tools), key, candidates, tried, tools);
        const open = candidates.map(({ index }) => index).filter((index) => !tried.includes(index));
        if (open.length === 0) expect(picked).toBe(-1);
        else expect(open).toContain(picked);
      }),
      { seed: 7, numRuns: ["ring", "maglev"].includes(policy.name) ? 50 : 500 },
    );
  });

  test.each([
    ["equal", [1, 1, 1, 1, 1, 1]],
    ["very unequal", [1, 1, 1000, 1, 1, 1]],
  ])("does not lay a dead backend's load on its neighbour, weights %s", (_, weights) => {
    const dead = 2;
    const candidates = weighted(...weights);
    const tools = fakeTools();
    // The others are loaded alike, so that a policy that looks at load finds the dead one most attractive.
    tools.loads.push(...weights.map((weight, i) => (i === dead ? 0 : weight)));
    const picker = policy.prepare(candidates, tools);
    let request = 0;
    const counts = tally(6000, () => {
      const key = policy.keyed ? crc32(new TextEncoder().encode(`${request++}`)) : 0;
      const choice = picker.pick(key);
      return choice === dead ? pickUntried(picker, key, candidates, [dead], tools) : choice;
    });
    expect(counts.has(dead)).toBe(false);
    if (policy.name === "first") return; // one backend has all its load, and the dead one is not that
    const [least, most] = policy.name === "ring" ? [900, 1500] : [1040, 1360];
    for (const index of [0, 1, 3, 4, 5]) expect(counts.get(index)).toBeWithin(least, most);
  });
});
