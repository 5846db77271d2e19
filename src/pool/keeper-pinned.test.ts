import { expect, test } from "bun:test";
import { type AdminState, type BackendFacts, DEFAULT_HEALTH, type HealthPlan } from "../health-plan.ts";
import { HEALTH_FLAG } from "../observe/health-words.ts";
import { seededRandom } from "../random.ts";
import type { HealthEvent } from "./health-events.ts";
import { HealthKeeper } from "./keeper.ts";

const { drain, pinned, maintenance } = HEALTH_FLAG;
const KEEPS: HealthPlan = { ...DEFAULT_HEALTH, passive: null, pinnedMs: 10_000 };

/** A keeper of two backends, of which the first is in the state that a test gives. */
class Bench {
  now = 5000;
  notices = 0;
  flags: readonly number[] = [];
  readonly keeper: HealthKeeper = new HealthKeeper("app", null, seededRandom(1));
  readonly events: HealthEvent[] = [];
  readonly #evidence = {
    strikes: () => 0,
    notices: (index: number) => (index === 0 ? this.notices : 0),
    attempts: () => 0,
    failures: () => 0,
  };

  configure(state: AdminState, plan: HealthPlan = KEEPS): void {
    const backend = { weight: 1, tier: 0, zone: null };
    const members: BackendFacts[] = [
      { id: "a", state, ...backend },
      { id: "b", state: "ready", ...backend },
    ];
    this.keeper.configure(plan, members, this.#evidence, this.now);
    this.look();
  }

  look(): void {
    const { published, events } = this.keeper.look(this.#evidence, this.now);
    if (published !== null) this.flags = Array.from(published.flags);
    this.events.push(...events);
  }

  /** Lets time pass, looking only when the keeper wants it. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (let looks = 0; this.keeper.nextLook(this.now) <= end; looks++) {
      if (looks > 100) throw new Error("looks without end");
      this.now = Math.max(this.now, this.keeper.nextLook(this.now));
      this.look();
    }
    this.now = end;
  }
}

test("a backend that drains keeps its clients until the deadline, which is said", () => {
  const bench = new Bench();
  bench.configure("drain");
  expect(bench.flags).toEqual([drain | pinned, 0]);
  bench.pass(9999);
  expect(bench.flags).toEqual([drain | pinned, 0]);
  expect(bench.events).toEqual([]);
  bench.pass(1);
  expect(bench.flags).toEqual([drain, 0]);
  expect(bench.events).toEqual([
    { level: "info", event: "backend moves pinned clients", fields: { pool: "app", backend: "a", drainedMs: 10_000 } },
  ]);
});

test("the deadline counts from the beginning of each drain", () => {
  const bench = new Bench();
  bench.configure("drain");
  bench.pass(9000);
  bench.configure("drain");
  bench.pass(1000);
  expect(bench.flags).toEqual([drain, 0]);
  bench.configure("ready");
  expect(bench.flags[0]! & (drain | pinned)).toBe(0);
  bench.configure("drain");
  expect(bench.flags).toEqual([drain | pinned, 0]);
});

test("a drain that a response asked for has the same deadline, however often it is asked for", () => {
  const bench = new Bench();
  bench.configure("ready");
  for (let second = 0; second < 10; second++) {
    bench.notices += 1;
    bench.look();
    expect(bench.flags).toEqual([drain | pinned, 0]);
    bench.pass(1000);
  }
  expect(bench.flags).toEqual([drain, 0]);
});

test("maintenance keeps nobody, nor does a pool without affinity or without a time for it", () => {
  const bench = new Bench();
  bench.configure("drain");
  bench.configure("maintenance");
  expect(bench.flags).toEqual([maintenance, 0]);
  bench.configure("drain", { ...KEEPS, pinnedMs: 0 });
  expect(bench.flags).toEqual([drain, 0]);
  expect(bench.keeper.nextLook(bench.now)).toBe(Infinity);
});
