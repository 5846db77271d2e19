import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import golden from "../../test/fixtures/nginx-round-robin.json";
import { fakeTools, weighted } from "./fake-tools.ts";
import { roundRobin } from "./round-robin.ts";

/** nginx's `ngx_http_upstream_get_peer` as it is written, with no thought of speed. */
function nginx(weights: readonly number[], turns: number): number[] {
  const current = weights.map(() => 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Array.from({ length: turns }, () => {
    let best = -1;
    for (const [i, weight] of weights.entries()) {
      current[i]! += weight;
      if (best < 0 || current[i]! > current[best]!) best = i;
    }
    current[best]! -= total;
    return best;
  });
}

function chosen(weights: readonly number[], turns: number): number[] {
  const picker = roundRobin.prepare(weighted(...weights), fakeTools());
  return Array.from({ length: turns }, () => picker.pick(0));
}

test.each(golden.recordings)("chooses what nginx chose for weights $weights", ({ weights, chosen: recorded }) => {
  expect(chosen(weights, recorded.length)).toEqual(recorded);
});

test("chooses what nginx's algorithm chooses for any weights, ties among them", () => {
  const few = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 10 });
  const many = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(fc.oneof(few, many), fc.integer({ min: 1, max: 100 }), (weights, factor) => {
      const turns = 2 * weights.reduce((sum, weight) => sum + weight, 0);
      expect(
        chosen(
          weights.map((weight) => weight * factor),
          turns,
        ),
      ).toEqual(nginx(weights, turns));
    }),
    { seed: 7, numRuns: 400 },
  );
});

test("serves equal weights in list order", () => {
  expect(chosen([9, 9, 9, 9], 8)).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
});

test("keeps nginx's order for 10,000 backends of two weights", () => {
  const weights = Array.from({ length: 10_000 }, (_, i) => (i % 100 === 0 ? 3 : 1));
  const period = 10_200;
  const picks = chosen(weights, period);
  const counts = Array.from({ length: 10_000 }, () => 0);
  for (const i of picks) counts[i]! += 1;
  expect(counts).toEqual(weights);
  expect(picks.slice(0, 300)).toEqual(nginx(weights, 300));
});

describe("with too many different weights for a table", () => {
  const weights = Array.from({ length: 3000 }, (_, i) => 1 + ((i * 7919) % 3000));
  const total = weights.reduce((sum, weight) => sum + weight, 0);

  test.each([0, 2 ** 31, 2 ** 32 - 500_000])("no share is off by more than a few turns, from turn %d on", (start) => {
    const tools = fakeTools();
    tools.cursor = start;
    const picker = roundRobin.prepare(weighted(...weights), tools);
    const counts = Array.from({ length: weights.length }, () => 0);
    let worst = 0;
    for (let turn = 1; turn <= 1_000_000; turn++) {
      counts[picker.pick(0)]! += 1;
      if (turn % 50_000 > 0) continue;
      for (const [i, weight] of weights.entries())
        worst = Math.max(worst, Math.abs(counts[i]! - (turn * weight) / total));
    }
    expect(worst).toBeLessThan(6);
  });

  test("a heavy backend's turns do not come in a row", () => {
    const heavy = [1_000, ...Array.from({ length: 3000 }, (_, i) => 1 + (i % 2999))].map((weight, i) =>
      i === 0 ? 65_535 : weight,
    );
    const share = 65_535 / heavy.reduce((sum, weight) => sum + weight, 0);
    const picks = chosen(heavy, 20_000);
    const turns = picks.flatMap((backend, turn) => (backend === 0 ? [turn] : []));
    const gaps = turns.slice(1).map((turn, i) => turn - turns[i]!);
    expect(turns.length).toBeWithin(20_000 * share - 3, 20_000 * share + 3);
    expect(Math.max(...gaps)).toBeLessThan(3 / share);
    expect(Math.min(...gaps)).toBeGreaterThan(1 / share / 3);
  });
});
