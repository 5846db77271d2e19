/** The figures of the paper (Eisenbud et al., NSDI 2016, section 5.3), with 1,000 backends and 65,537 places. */
import { describe, expect, test } from "bun:test";
import { candidate, fakeTools, weighted } from "./fake-tools.ts";
import { maglev, tableOf } from "./maglev.ts";
import type { Candidate, Policy } from "./policy.ts";
import { rendezvous } from "./rendezvous.ts";
import { ring } from "./ring.ts";

const PLACES = 65_537;
const thousand = Array.from({ length: 1000 }, (_, i) => candidate(i));

/** Places of each backend. */
function count(owners: Iterable<number>, backends: number): number[] {
  const places = Array.from({ length: backends }, () => 0);
  for (const owner of owners) places[owner]! += 1;
  return places;
}

/** What another policy makes of as many keys as the table has places. */
function filledBy(policy: Policy): number[] {
  const picker = policy.prepare(thousand, fakeTools());
  return Array.from({ length: PLACES }, (_, i) => picker.pick(Math.floor((i * 2 ** 32) / PLACES)));
}

function percent(part: number): string {
  return `${(100 * part).toFixed(2)} %`.padStart(8);
}

describe("spread over 1,000 backends", () => {
  // Over-provision: by how much a backend must be larger than the mean to bear its share. The paper's figures, where it has any.
  const rows = [
    { name: "maglev", owners: [...tableOf(thousand)], paper: null, most: 0.01 },
    { name: "rendezvous", owners: filledBy(rendezvous), paper: 0.495, most: 0.495 },
    { name: "ring", owners: filledBy(ring), paper: 0.297, most: 0.4 },
  ].map(({ name, owners, paper, most }) => {
    const places = count(owners, thousand.length);
    const even = PLACES / thousand.length;
    return { name, paper, most, over: Math.max(...places) / even - 1, under: Math.min(...places) / even - 1 };
  });

  test("is as the paper has it: at most 1 % off, where other hashes need half as much again", () => {
    console.log("65,537 keys over 1,000 backends   largest share  smallest  paper's largest");
    for (const { name, over, under, paper } of rows) {
      console.log(
        name.padEnd(33),
        percent(over).padStart(14),
        percent(under).padStart(9),
        paper === null ? "" : percent(paper).padStart(16),
      );
    }
    for (const { over, most } of rows) expect(over).toBeLessThan(most);
    expect(rows[0]?.under).toBeGreaterThan(-0.01);
  });
});

test("few keys move beside those of backends that go", () => {
  console.log("of 1,000 backends go   keys that lost theirs  keys that moved without need");
  const before = tableOf(thousand);
  for (const [go, most] of [
    [1, 0.01],
    [10, 0.03],
    [50, 0.04],
    [100, 0.045],
  ] as const) {
    const left = thousand.filter(({ index }) => index % (1000 / go) > 0);
    const after = tableOf(left);
    let lost = 0;
    let stray = 0;
    for (const [place, i] of before.entries()) {
      if (i % (1000 / go) === 0) lost++;
      else if (left[after[place] ?? -1]?.index !== i) stray++;
    }
    console.log(String(go).padStart(20), percent(lost / PLACES).padStart(23), percent(stray / PLACES).padStart(29));
    expect(lost / PLACES).toBeWithin(0.98 * (go / 1000), 1.02 * (go / 1000));
    expect(stray / PLACES).toBeLessThan(most);
  }
});

test.each([
  ["1 to 10, 1,000 backends", 1000, (i: number) => 1 + (i % 10), 0.08],
  ["1 to 65,535, 20 backends", 20, (i: number) => 1 + ((i * 40_503) % 65_535), 0.01],
])("places are by weight: %s", (_, n, weightOf, most) => {
  const candidates = Array.from({ length: n }, (__, i) => candidate(i, weightOf(i)));
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  const places = count(tableOf(candidates), n);
  for (const [i, { weight }] of candidates.entries()) {
    const even = (PLACES * weight) / total;
    expect(Math.abs((places[i] ?? 0) - even)).toBeLessThanOrEqual(Math.max(1, even * most));
  }
});

test("each of 60,000 backends has a place", () => {
  const many = Array.from({ length: 60_000 }, (_, i) => ({ ...candidate(i, 1 + (i % 3)), id: `backend-${i}` }));
  expect(new Set(tableOf(many)).size).toBe(many.length);
});

test("a list in another order, as another balancer may have it, gives the same table", () => {
  const owners = (list: readonly Candidate[]): string[] => Array.from(tableOf(list), (i) => list[i]?.id ?? "");
  const pool = weighted(3, 1, 4, 1, 5);
  expect(owners(pool.toReversed())).toEqual(owners(pool));
});

test("keys that follow each other go to places that have nothing to do with each other", () => {
  const picker = maglev.prepare(weighted(1, 1), fakeTools());
  let same = 0;
  for (let key = 0; key < 10_000; key++) same += Number(picker.pick(key) === picker.pick(key + 1));
  expect(same).toBeWithin(4_800, 5_200);
});
