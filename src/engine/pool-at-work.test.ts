import { describe, expect, test } from "bun:test";
import { planOf } from "../../test/fixtures/cluster.ts";
import { fakeTime } from "../../test/fixtures/fake-peer.ts";
import { systemWallClock } from "../clock.ts";
import type { PolicyPlan, PoolPlan } from "../plan.ts";
import { seededRandom } from "../random.ts";
import { enterPool, isUnchanged, makePool, type PoolAtWork, type PoolPlace, type PoolTools } from "./pool-at-work.ts";
import { sharedStateBytes, sharedStateOver } from "./shared-state.ts";
import { atOnce } from "../steps.ts";

const SHAPE = { workers: 1, rows: 10, cursors: 1 };
const POOL_ROW = 9;

/** Makes pools one after another, as plans follow each other. */
class Bench {
  readonly #shared = sharedStateOver(new ArrayBuffer(sharedStateBytes(SHAPE)), SHAPE);
  readonly tools: PoolTools;
  dials = 0;

  constructor() {
    const { clock, wheel } = fakeTime();
    this.tools = {
      section: 0,
      workers: 1,
      ...this.#shared,
      random: seededRandom(1),
      clock,
      wallClock: systemWallClock,
      tick: () => () => {},
      wheel,
      dial: () => void (this.dials += 1),
      retired: () => undefined,
      sums: new Set(),
    };
  }

  inFlight(row: number): number {
    return this.#shared.counters.inFlight(row);
  }

  make(plan: PoolPlan, before: PoolAtWork | null = null, asksLatency = false): PoolAtWork {
    const rows = plan.backends.map(({ address }) => (address.kind === "tcp" ? address.port : 0));
    return atOnce(makePool(this.tools, plan, { rows, row: POOL_ROW, line: 0, asksLatency }, before));
  }
}

/** A pool of backends whose ports are their rows. */
function planWith(name: string, ports: readonly number[], more: Partial<PoolPlan> = {}): PoolPlan {
  const plan = planOf({ backends: ports, policy: name }).pools[0]!;
  return { ...plan, ...more };
}

const withPolicy = (plan: PoolPlan, name: string): PoolPlan => ({
  ...plan,
  policy: { ...plan.policy, name } satisfies PolicyPlan,
});

describe("a pool that follows another", () => {
  test("has the links of the backends that stay, and what is known of them", () => {
    const bench = new Bench();
    const first = bench.make(planWith("least-time", [1, 2]), null, true);
    first.learnt!.answered(1, 5_000, 0);
    first.learnt!.answered(0, 100, 0);
    const second = bench.make(planWith("least-time", [3, 2]), first, true);
    expect(second.live.links[1]).toBe(first.live.links[1]);
    expect(second.live.links[0]).not.toBe(first.live.links[0]);
    expect(second.learnt!.latency(1, 0)).toBe(5_000);
    expect(second.live.budget).toBe(first.live.budget);
    expect(second.live.latencies).toBe(first.live.latencies);
    expect(bench.make(second.plan, second).live.latencies).toBeNull();
    expect(bench.make(planWith("least-time", [3, 2]), second).learnt).toBe(second.learnt);
    expect(bench.dials).toBe(0);
  });

  test("has another budget where that is another", () => {
    const bench = new Bench();
    const first = bench.make(planWith("random", [1]));
    const second = bench.make(planWith("random", [1], { retryBudget: { ratio: 0.5, floorPerSecond: 1 } }), first);
    expect(second.live.budget).not.toBe(first.live.budget);
  });

  test("has the limits that were learnt of the backends that stay", () => {
    const bench = new Bench();
    const plan = planWith("random", [1, 2]);
    const auto = (ports: readonly number[]): PoolPlan => {
      const { backends } = planWith("random", ports);
      return { ...plan, backends: backends.map((each) => ({ ...each, maxInFlight: "auto" as const })) };
    };
    const first = bench.make(auto([1, 2]));
    const second = bench.make(auto([2, 3]), first);
    expect(second.room!.limitOf(0).learnt).toBe(first.room!.limitOf(1).learnt);
    expect(second.room!.limitOf(1).learnt).not.toBe(first.room!.limitOf(0).learnt);
  });

  test("counts what is in flight in it, from whenever on that is asked", () => {
    const bench = new Bench();
    const plan = planWith("random", [1, 2]);
    const plain = bench.make(plan);
    const [one, two] = plain.live.links;
    one!.row.begin();
    two!.row.begin();
    expect([1, 2, POOL_ROW].map((row) => bench.inFlight(row))).toEqual([1, 1, 0]);
    const summed = bench.make(withPolicy(plan, "least-time"), plain);
    enterPool(bench.tools, summed, plain, []);
    expect(bench.inFlight(POOL_ROW)).toBe(2);
    one!.row.end();
    one!.row.begin();
    one!.row.begin();
    expect([1, 2, POOL_ROW].map((row) => bench.inFlight(row))).toEqual([2, 1, 3]);
    const again = bench.make(plan, summed);
    enterPool(bench.tools, again, summed, []);
    for (const { row } of [one!, one!, two!]) row.end();
    expect([1, 2, POOL_ROW].map((row) => bench.inFlight(row))).toEqual([0, 0, 0]);
  });

  test("goes on counting where nobody asks, for what a gate of a plan before lets in at a backend that was removed", () => {
    const bench = new Bench();
    const first = bench.make(planWith("least-time", [1, 2]));
    enterPool(bench.tools, first, null, []);
    const [one, two] = first.live.links;
    const second = bench.make(planWith("random", [2, 3]), first);
    one!.retire();
    enterPool(bench.tools, second, first, [{ link: one!, row: 1 }]);
    // Nothing is at the one that has left: nobody knows it any more.
    const third = bench.make(planWith("least-time", [2, 3]), second);
    enterPool(bench.tools, third, second, []);
    // As a gate takes slots: of the pool, and of the backend.
    const { counters } = bench.tools;
    counters.row(0, POOL_ROW).begin();
    counters.row(0, 1).begin();
    for (const link of [two!, third.live.links[1]!]) link.row.begin();
    expect([1, 2, 3, POOL_ROW].map((row) => bench.inFlight(row))).toEqual([1, 1, 1, 3]);
    for (const link of [one!, two!, third.live.links[1]!]) link.row.end();
    expect([1, 2, 3, POOL_ROW].map((row) => bench.inFlight(row))).toEqual([0, 0, 0, 0]);
  });

  test("counts right with a backend that was away, busy as it is", () => {
    const bench = new Bench();
    const both = planWith("least-time", [1, 2]);
    const first = bench.make(both);
    const [one, two] = first.live.links;
    one!.row.begin();
    two!.row.begin();
    const without = bench.make(planWith("least-time", [2]), first);
    one!.retire();
    enterPool(bench.tools, without, first, [{ link: one!, row: 1 }]);
    expect(bench.inFlight(POOL_ROW)).toBe(2);
    const tools = { ...bench.tools, retired: () => one };
    const place: PoolPlace = { rows: [1, 2], row: POOL_ROW, line: 0, asksLatency: false };
    const back = atOnce(makePool(tools, both, place, without));
    enterPool(tools, back, without, [{ link: one!, row: 1 }]);
    expect([back.live.links[0] === one, one!.isRetired]).toEqual([true, false]);
    for (const { row } of [one!, two!]) row.end();
    expect([1, 2, POOL_ROW].map((row) => bench.inFlight(row))).toEqual([0, 0, 0]);
  });

  test("counts right what is let in at a backend that has left, by the gate of a plan before, after another one is back", () => {
    const bench = new Bench();
    const both = planWith("least-time", [1, 2]);
    const first = bench.make(both);
    const [one, two] = first.live.links;
    const second = bench.make(planWith("least-time", [2]), first);
    one!.retire();
    enterPool(bench.tools, second, first, [{ link: one!, row: 1 }]);
    // The second leaves, and the first is back.
    const place: PoolPlace = { rows: [1], row: POOL_ROW, line: 0, asksLatency: false };
    const tools = { ...bench.tools, retired: () => one };
    const third = atOnce(makePool(tools, planWith("least-time", [1]), place, second));
    two!.row.begin();
    two!.retire();
    enterPool(
      tools,
      third,
      second,
      [one!, two!].map((link, index) => ({ link, row: index + 1 })),
    );
    // As a gate takes slots: of the pool, and of the backend.
    const { counters } = bench.tools;
    counters.row(0, POOL_ROW).begin();
    counters.row(0, 2).begin();
    for (let i = 0; i < 2; i++) two!.row.end();
    expect([1, 2, POOL_ROW].map((row) => bench.inFlight(row))).toEqual([0, 0, 0]);
  });

  test("is the same where plan, place and what is asked of it are", () => {
    const bench = new Bench();
    const pool = bench.make(planWith("random", [1, 2]));
    const { plan, place } = pool;
    expect(isUnchanged(pool, plan, { ...place, rows: [1, 2] })).toBe(true);
    expect(isUnchanged(pool, { ...plan }, place)).toBe(false);
    for (const other of [{ rows: [2, 1] }, { row: 8 }, { line: 1 }, { asksLatency: true }])
      expect(isUnchanged(pool, plan, { ...place, ...other })).toBe(false);
  });
});
