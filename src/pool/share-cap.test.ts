import { describe, expect, test } from "bun:test";
import { fakeTools, type FakeTools, weighted } from "../balance/fake-tools.ts";
import type { Policy } from "../balance/policy.ts";
import { POLICIES } from "../balance/registry.ts";
import { ShareCap } from "./share-cap.ts";

/** A newcomer with a tenth of the weight of each of four others. */
const CANDIDATES = weighted(10, 10, 1, 10, 10);
const NEWCOMER = 2;
const SHARE = 1 / 41;

/** Exchanges that last as long as it takes for `atOnce` of them to be in flight: the newcomer's share of them. */
function shareOfNewcomer(policy: Policy, atOnce: number, capped: boolean, tools: FakeTools = fakeTools()): number {
  const cap = new ShareCap(CANDIDATES, capped ? [NEWCOMER] : [], tools);
  const picker = policy.prepare(CANDIDATES, cap.tools);
  const open: number[] = [];
  let newcomer = 0;
  const times = 20_000;
  for (let i = 0; i < times; i++) {
    const index = cap.pick(picker, 0);
    if (index === NEWCOMER) newcomer += 1;
    tools.loads[index] = (tools.loads[index] ?? 0) + 1;
    open.push(index);
    if (open.length >= atOnce) {
      // Now this and now that one ends: those that were begun last are not the last to end.
      const [ended] = open.splice(tools.random.below(open.length), 1);
      tools.loads[ended!]! -= 1;
    }
  }
  return newcomer / times;
}

const keyless = [...POLICIES.values()].filter(({ keyed }) => !keyed);

for (const policy of keyless)
  describe(policy.name, () => {
    for (const atOnce of [1, 3, 8, 100])
      test(`a newcomer has its share and no more with ${atOnce} in flight`, () => {
        const share = shareOfNewcomer(policy, atOnce, true);
        expect(share).toBeLessThanOrEqual(SHARE * 1.15 + 0.001);
      });
  });

test("without it, least-connections sends a newcomer many times its share", () => {
  const policy = POLICIES.get("least-connections")!;
  expect(shareOfNewcomer(policy, 8, false)).toBeGreaterThan(4 * SHARE);
});

test("where policies keep to weights, it costs a newcomer little of its share", () => {
  for (const name of ["round-robin", "random"])
    expect(shareOfNewcomer(POLICIES.get(name)!, 8, true)).toBeGreaterThan(SHARE * 0.85);
});

test("where all others are full, a newcomer gets what there is", () => {
  const tools = fakeTools();
  const cap = new ShareCap(weighted(1, 10), [0], tools);
  const picker = POLICIES.get("first")!.prepare(weighted(1, 10), cap.tools);
  tools.capacities[1] = 0;
  expect(Array.from({ length: 50 }, () => cap.pick(picker, 0))).toEqual(new Array<number>(50).fill(0));
});

test("a newcomer that could take nothing for long does not get it all at once", () => {
  const tools = fakeTools();
  const candidates = weighted(1, 9);
  const cap = new ShareCap(candidates, [0], tools);
  const picker = POLICIES.get("first")!.prepare(candidates, cap.tools);
  const picks = (times: number): number[] => Array.from({ length: times }, () => cap.pick(picker, 0));
  tools.capacities[0] = 0;
  expect(new Set(picks(1000))).toEqual(new Set([1]));
  tools.capacities[0] = Infinity;
  expect(picks(20).filter((index) => index === 0).length).toBeLessThanOrEqual(4 + 2);
});

test("property: it never keeps a pool from choosing, though all of it are in a slow start", () => {
  for (const policy of keyless) {
    const tools = fakeTools();
    const all = weighted(1, 1, 1);
    const cap = new ShareCap(all, [0, 1, 2], tools);
    const picker = policy.prepare(all, cap.tools);
    for (let i = 0; i < 1000; i++) expect([0, 1, 2]).toContain(cap.pick(picker, 0));
  }
});
