import { expect, test } from "bun:test";
import { fakeTime, type FakeTime } from "../../test/fixtures/fake-peer.ts";
import { parseAddress } from "../address.ts";
import type { Candidate } from "../balance/policy.ts";
import { turnsToSkip } from "../balance/turns-to-skip.ts";
import { DEFAULT_HEALTH, type HealthPlan } from "../health-plan.ts";
import { dial } from "../net/dial.ts";
import { Counters, countersBytes } from "../observe/counters.ts";
import { HEALTH_FLAG, HealthWords, healthWordsBytes } from "../observe/health-words.ts";
import { seededRandom } from "../random.ts";
import { HealthLoop, type PoolHealth } from "./health-loop.ts";

const QUIET: HealthPlan = { ...DEFAULT_HEALTH, slowStartMs: 0 };
const SHAPE = { workers: 1, rows: 8, cursors: 4 };
const WORDS = { pools: 4, rows: 8 };

/** A loop whose pools are told as plans tell them. Nothing is probed. */
class Bench {
  readonly time: FakeTime = fakeTime();
  readonly counters: Counters = new Counters(new ArrayBuffer(countersBytes(SHAPE)), SHAPE);
  readonly words: HealthWords = new HealthWords(new ArrayBuffer(healthWordsBytes(WORDS)), WORDS);
  readonly log: string[] = [];
  readonly loop: HealthLoop;

  constructor() {
    const line = (event: string): number => this.log.push(event);
    const { clock, wheel } = this.time;
    const log = { info: line, warn: line, error: line };
    const random = seededRandom(1);
    this.loop = new HealthLoop({
      dial,
      wheel,
      counters: this.counters,
      words: this.words,
      clock,
      random,
      log,
      zone: null,
    });
  }

  weights(rows: readonly number[]): number[] {
    return rows.map((row) => this.words.weight(row));
  }
}

/** @param at name, line and rows of the pool; a backend's port is its row */
function pool(
  [name, line, rows]: readonly [name: string, line: number, rows: readonly number[]],
  facts: { readonly weight?: number; readonly zones?: readonly string[] } = {},
): PoolHealth {
  const backends = rows.map((row, index) => {
    const id = `127.0.0.1:${row + 1}`;
    const zone = facts.zones?.[index] ?? null;
    return { id, address: parseAddress(id), weight: facts.weight ?? 1, state: "ready" as const, tier: 0, zone };
  });
  return { plan: { name, health: QUIET, backends }, rows, line };
}

test("a pool that has not changed is left alone, wherever it stands in the plan", () => {
  const bench = new Bench();
  const app = pool(["app", 2, [3, 4]]);
  bench.loop.configure([app]);
  const keeper = bench.loop.keeper("app");
  const version = bench.words.version(2);
  bench.loop.configure([pool(["other", 0, [0]]), { ...app }]);
  expect([bench.words.version(2), bench.words.version(0)]).toEqual([version, 1]);
  expect(bench.loop.keeper("app")).toBe(keeper);
  // One that has, with the same backends, is published anew, and what is known of them stays.
  for (let i = 0; i < 5; i++) bench.words.failed(2, 4, 5);
  bench.loop.tick();
  expect(bench.words.flags(4)).toBe(HEALTH_FLAG.ejected);
  bench.loop.configure([pool(["app", 2, [3, 4]], { weight: 2 })]);
  expect(bench.words.version(2)).toBeGreaterThan(version + 1);
  expect([bench.weights([3, 4]), bench.words.flags(4)]).toEqual([[2, 0], HEALTH_FLAG.ejected]);
});

test("what leaves a pool has work until every worker knows, and none after that", () => {
  const bench = new Bench();
  bench.loop.configure([pool(["app", 0, [0, 1, 2]])]);
  bench.loop.configure([pool(["app", 0, [0, 2, 5]])]);
  expect(bench.weights([0, 1, 2, 5])).toEqual([1, 1, 1, 1]);
  const version = bench.words.version(0);
  bench.loop.withdraw();
  expect(bench.weights([0, 1, 2, 5])).toEqual([1, 0, 1, 1]);
  expect(bench.words.flags(1)).toBe(HEALTH_FLAG.drain | HEALTH_FLAG.left);
  expect(bench.words.version(0)).toBe(version + 1);
  // It comes back.
  bench.loop.configure([pool(["app", 0, [0, 1, 2]])]);
  bench.loop.withdraw();
  expect(bench.weights([0, 1, 2, 5])).toEqual([1, 1, 1, 0]);
  expect(bench.words.flags(1)).toBe(0);
});

test("exchanges of a pool that is gone, or has none of its backends left, keep those they had", () => {
  const bench = new Bench();
  bench.loop.configure([pool(["app", 0, [0, 1]]), pool(["old", 1, [2]])]);
  bench.loop.configure([pool(["app", 0, [4, 5]])]);
  bench.loop.withdraw();
  expect(bench.weights([0, 1, 2, 4, 5])).toEqual([1, 1, 1, 1, 1]);
});

test("a change that was not made is forgotten", () => {
  const bench = new Bench();
  const before = pool(["app", 0, [0, 1]]);
  bench.loop.configure([before]);
  bench.loop.configure([pool(["app", 0, [0]])]);
  bench.loop.configure([before]);
  bench.loop.withdraw();
  expect(bench.weights([0, 1])).toEqual([1, 1]);
});

test("turns go on where they were when backends come and go", () => {
  const bench = new Bench();
  const turns = (...rows: number[]): Candidate[] =>
    rows.map((row, index) => ({ index, id: `127.0.0.1:${row + 1}`, weight: 3 }));
  bench.loop.configure([pool(["app", 3, [0, 1]], { weight: 3 })]);
  for (let i = 0; i < 4; i++) bench.counters.nextTurn(3);
  const skipped = turnsToSkip(turns(0, 1), turns(0, 1, 2), 4);
  bench.loop.configure([pool(["app", 3, [0, 1, 2]], { weight: 3 })]);
  expect(bench.counters.turn(3)).toBe(4 + skipped);
});

test("another zone is preferred from now on", () => {
  const bench = new Bench();
  const app = pool(["app", 0, [0, 1]], { zones: ["a", "b"] });
  bench.loop.configure([app], "a");
  expect(bench.weights([0, 1])).toEqual([1, 0]);
  bench.loop.configure([app], "b");
  expect(bench.weights([0, 1])).toEqual([0, 1]);
});
