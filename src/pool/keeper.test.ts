import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { HEALTH_FLAG, type Published } from "../observe/health-words.ts";
import { seededRandom } from "../random.ts";
import { type Advice, NO_ADVICE } from "./advice.ts";
import type { HealthEvent } from "./health-events.ts";
import {
  DEFAULT_HEALTH,
  DEFAULT_PASSIVE,
  DEFAULT_TCP_PROBE,
  type HealthPlan,
  type BackendFacts,
} from "../health-plan.ts";
import { HealthKeeper } from "./keeper.ts";
import type { ProbeOutcome } from "./probe-state.ts";

const PROBED: HealthPlan = { ...DEFAULT_HEALTH, probe: DEFAULT_TCP_PROBE };

const member = (index: number, of: Partial<BackendFacts> = {}): BackendFacts => ({
  id: `b${index}`,
  weight: 1,
  state: "ready",
  tier: 0,
  zone: null,
  ...of,
});
const members = (count: number): BackendFacts[] => Array.from({ length: count }, (_, index) => member(index));

/** A keeper whose evidence a test sets, and whose time it moves. */
class Bench {
  now = 90_000;
  readonly counts: { strikes: number; notices: number; attempts: number; failures: number }[] = [];
  readonly keeper: HealthKeeper = new HealthKeeper("app", null, seededRandom(1));
  readonly events: HealthEvent[] = [];
  published: Published | null = null;
  publications = 0;

  constructor(plan: HealthPlan, backends: readonly BackendFacts[]) {
    this.configure(plan, backends);
  }

  configure(plan: HealthPlan, backends: readonly BackendFacts[]): void {
    backends.forEach((_, index) => (this.counts[index] ??= { strikes: 0, notices: 0, attempts: 0, failures: 0 }));
    const of = (index: number): (typeof this.counts)[number] => this.counts[index]!;
    this.#evidence = {
      strikes: (index) => of(index).strikes,
      notices: (index) => of(index).notices,
      attempts: (index) => of(index).attempts,
      failures: (index) => of(index).failures,
    };
    this.keeper.configure(plan, backends, this.#evidence, this.now);
    this.look();
  }
  #evidence!: Parameters<HealthKeeper["look"]>[0];

  look(): void {
    const { published, events } = this.keeper.look(this.#evidence, this.now);
    if (published !== null) {
      this.published = published;
      this.publications += 1;
    }
    this.events.push(...events);
  }

  /** Lets time pass, looking whenever the keeper wants it. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (let looks = 0; this.keeper.nextLook(this.now) <= end; looks++) {
      if (looks > 1000) throw new Error("looks without end");
      this.now = Math.max(this.now, this.keeper.nextLook(this.now));
      this.look();
    }
    this.now = end;
  }

  probe(index: number, outcome: "passed" | "failed" | Partial<Advice>, times = 1): number {
    const advice = typeof outcome === "string" ? null : { ...NO_ADVICE, ...outcome };
    const result: ProbeOutcome =
      outcome === "failed"
        ? { kind: "failed", tookMs: 1, advice: null, code: "BACKEND_REFUSED", why: "cannot connect: ECONNREFUSED" }
        : { kind: "passed", tookMs: 1, advice };
    let next = 0;
    for (let i = 0; i < times; i++) next = this.keeper.probed(`b${index}`, result, this.now);
    return next;
  }

  /** As workers tell of failures in a row. */
  strike(...indexes: readonly number[]): void {
    for (const index of indexes) this.counts[index]!.strikes += 1;
    this.look();
  }

  get weights(): number[] {
    return Array.from(this.published?.weights ?? []);
  }

  get flags(): number[] {
    return Array.from(this.published?.flags ?? []);
  }

  get told(): string[] {
    return this.events.map(({ event, fields }) =>
      fields["backend"] === undefined ? event : `${event}: ${String(fields["backend"])}`,
    );
  }
}

describe("probes", () => {
  test("at Weir's own start all have work, at once and with their plain weights", () => {
    const bench = new Bench(PROBED, [member(0, { weight: 3 }), member(1)]);
    expect(bench.weights).toEqual([3, 1]);
    expect([bench.publications, bench.told]).toEqual([1, []]);
  });

  test("a backend goes down, comes back in a slow start, and the weights are plain again in the end", () => {
    const bench = new Bench(PROBED, members(3));
    for (const index of [0, 1, 2]) bench.probe(index, "passed");
    bench.probe(1, "failed", 2);
    bench.pass(0);
    expect(bench.weights).toEqual([1, 1, 1]);
    bench.probe(1, "failed");
    bench.pass(0);
    expect(bench.weights).toEqual([1, 0, 1]);
    expect(bench.flags).toEqual([0, HEALTH_FLAG.down, 0]);
    expect(bench.events.at(-1)).toEqual({
      level: "warn",
      event: "backend down",
      fields: {
        pool: "app",
        backend: "b1",
        why: "3 of 3 probes failed: cannot connect: ECONNREFUSED",
        code: "BACKEND_REFUSED",
      },
    });
    bench.probe(1, "passed", 2);
    bench.pass(0);
    expect(bench.weights).toEqual([10, 1, 10]);
    expect(bench.flags).toEqual([0, HEALTH_FLAG.ramp, 0]);
    const before = bench.publications;
    bench.pass(15_000);
    // Half of its weight: 2 to 1.
    expect(bench.weights).toEqual([2, 1, 2]);
    bench.pass(15_000);
    expect(bench.weights).toEqual([1, 1, 1]);
    expect(bench.flags).toEqual([0, 0, 0]);
    expect(bench.publications - before).toBeLessThanOrEqual(10);
    expect(bench.told).toContain("backend up: b1");
  });

  test("backends that start as down have no slow start when their first probe passes, and one when they fail first", () => {
    const plan: HealthPlan = { ...PROBED, probe: { ...DEFAULT_TCP_PROBE, start: "down" }, panicBelow: 0 };
    const bench = new Bench(plan, members(3));
    expect(bench.weights).toEqual([0, 0, 0]);
    bench.probe(0, "passed");
    bench.probe(1, "failed");
    bench.pass(0);
    expect(bench.weights).toEqual([1, 0, 0]);
    bench.probe(1, "passed", 2);
    bench.probe(2, "passed");
    bench.pass(0);
    expect(bench.weights).toEqual([10, 1, 10]);
  });

  test("a backend that joins has a slow start", () => {
    const bench = new Bench(PROBED, members(2));
    bench.configure(PROBED, members(3));
    expect(bench.weights).toEqual([10, 10, 1]);
  });

  test("a backend that was in maintenance at Weir's own start comes back when it is ready", () => {
    const bench = new Bench(DEFAULT_HEALTH, [member(0), member(1, { state: "maintenance" })]);
    bench.configure(DEFAULT_HEALTH, members(2));
    expect(bench.weights).toEqual([10, 1]);
  });

  test("what is known of a backend stays when the pool changes, in another order too", () => {
    const bench = new Bench(PROBED, members(4));
    bench.probe(1, "failed");
    bench.pass(0);
    bench.configure(PROBED, [member(3), member(1), member(0)]);
    expect(bench.weights).toEqual([1, 0, 1]);
  });

  test("another question leaves the answer open until the next probe", () => {
    const bench = new Bench(PROBED, members(3));
    bench.probe(1, "failed");
    bench.configure({ ...PROBED, probe: { ...DEFAULT_TCP_PROBE, port: 81 } }, members(3));
    expect(bench.weights).toEqual([1, 0, 1]);
    bench.probe(1, "passed");
    bench.pass(0);
    expect(bench.weights[1]).toBeGreaterThan(0);
  });

  test("without probes nobody is down", () => {
    const bench = new Bench(PROBED, members(3));
    bench.probe(1, "failed");
    bench.pass(0);
    bench.configure(DEFAULT_HEALTH, members(3));
    expect(bench.weights[1]).toBeGreaterThan(0);
  });

  test("a backend that has left the pool is no longer asked about", () => {
    const bench = new Bench(PROBED, members(2));
    expect(bench.keeper.probed("gone", { kind: "passed", tookMs: 1, advice: null }, bench.now)).toBe(5000);
    expect(bench.probe(0, "passed")).toBeGreaterThan(4000);
    expect(bench.probe(0, "failed")).toBeLessThan(1200);
  });
});

describe("what a backend says of itself", () => {
  test("drain takes it out, ready brings it back", () => {
    const bench = new Bench(PROBED, members(3));
    bench.probe(2, { state: "drain" });
    bench.pass(0);
    expect(bench.weights).toEqual([1, 1, 0]);
    expect(bench.flags).toEqual([0, 0, HEALTH_FLAG.drain]);
    bench.probe(2, {});
    bench.pass(0);
    expect(bench.weights).toEqual([10, 10, 1]);
  });

  test("half of its weight is half, and goes back to all", () => {
    const bench = new Bench(PROBED, members(2));
    bench.probe(0, { weightPercent: 50 });
    bench.pass(0);
    expect(bench.weights).toEqual([1, 2]);
    bench.probe(0, {});
    bench.pass(0);
    expect(bench.weights).toEqual([1, 1]);
  });

  test("it cannot overrule its operator", () => {
    const bench = new Bench(PROBED, [member(0, { state: "maintenance" }), member(1)]);
    bench.probe(0, { state: "ready" });
    bench.pass(0);
    expect(bench.weights).toEqual([0, 1]);
  });

  test("a response that asks for a drain counts for a minute", () => {
    const bench = new Bench(DEFAULT_HEALTH, members(2));
    bench.counts[0]!.notices += 3;
    bench.look();
    expect(bench.weights).toEqual([0, 1]);
    bench.counts[0]!.notices += 1;
    bench.look();
    expect(bench.told).toEqual(["backend drains: b0"]);
    bench.pass(59_999);
    expect(bench.weights).toEqual([0, 1]);
    bench.pass(1);
    expect(bench.weights[0]).toBeGreaterThan(0);
  });

  test("a probe that says ready ends what a response began", () => {
    const bench = new Bench(PROBED, members(2));
    bench.counts[0]!.notices += 1;
    bench.look();
    bench.probe(0, {});
    bench.look();
    expect(bench.weights).toEqual([0, 1]);
    bench.probe(0, { state: "ready" });
    bench.look();
    expect(bench.weights[0]).toBeGreaterThan(0);
  });
});

describe("ejection", () => {
  test("what a row counted before it was this backend's is no evidence, nor is a row that begins anew", () => {
    const bench = new Bench(DEFAULT_HEALTH, members(4));
    bench.counts[1]!.strikes = 7;
    bench.configure(DEFAULT_HEALTH, members(4));
    expect(bench.weights).toEqual([1, 1, 1, 1]);
    bench.counts[1]!.strikes = 0;
    bench.look();
    expect(bench.weights).toEqual([1, 1, 1, 1]);
    bench.strike(1);
    expect(bench.weights).toEqual([1, 0, 1, 1]);
  });

  test("failures in a row eject for 10 s; then there is a slow start", () => {
    const bench = new Bench(DEFAULT_HEALTH, members(3));
    bench.strike(1);
    expect(bench.weights).toEqual([1, 0, 1]);
    expect(bench.flags).toEqual([0, HEALTH_FLAG.ejected, 0]);
    expect(bench.events.at(-1)?.fields).toEqual({
      pool: "app",
      backend: "b1",
      why: "5 failures in a row",
      forMs: 10_000,
      inARow: 1,
    });
    bench.pass(9_999);
    expect(bench.weights).toEqual([1, 0, 1]);
    bench.pass(1);
    expect(bench.weights).toEqual([10, 1, 10]);
    bench.strike(1);
    bench.pass(19_999);
    expect(bench.weights).toEqual([1, 0, 1]);
  });

  test("never more than half of a pool, which is said once", () => {
    const bench = new Bench({ ...DEFAULT_HEALTH, panicBelow: 0 }, members(5));
    bench.strike(0, 1, 2, 3, 4);
    expect(bench.weights).toEqual([0, 0, 1, 1, 1]);
    bench.strike(2);
    bench.strike(2);
    expect(bench.told.filter((line) => line === "backend not ejected: b2")).toHaveLength(1);
  });

  test("of a pool that has become smaller, those who would be back first come back", () => {
    const bench = new Bench({ ...DEFAULT_HEALTH, panicBelow: 0 }, members(4));
    bench.strike(0);
    bench.pass(1000);
    bench.strike(1);
    bench.configure({ ...DEFAULT_HEALTH, panicBelow: 0 }, members(3));
    expect(bench.flags.map((flags) => flags & HEALTH_FLAG.ejected)).toEqual([0, HEALTH_FLAG.ejected, 0]);
  });

  test("an outlier of a window is ejected, with as many requests as it takes", () => {
    const bench = new Bench(DEFAULT_HEALTH, members(6));
    const window = (attempts: number): void => {
      for (const [index, counts] of bench.counts.entries()) {
        counts.attempts += attempts;
        if (index === 4) counts.failures += attempts;
      }
      bench.pass(10_000);
    };
    window(99);
    expect(bench.told).toEqual([]);
    window(100);
    expect(bench.told).toEqual(["backend ejected: b4"]);
    expect(bench.weights).toEqual([1, 1, 1, 1, 0, 1]);
  });

  test("a dead worker's counts, taken out of the totals, are no evidence", () => {
    const bench = new Bench(DEFAULT_HEALTH, members(6));
    for (const counts of bench.counts) Object.assign(counts, { attempts: 1000, failures: 10 });
    bench.pass(10_000);
    for (const counts of bench.counts) Object.assign(counts, { attempts: 100, failures: 1 });
    bench.pass(10_000);
    expect(bench.told).toEqual([]);
  });

  test("who is down anyway takes nobody's place among the ejected", () => {
    const bench = new Bench({ ...PROBED, panicBelow: 0 }, members(3));
    bench.probe(0, "failed");
    bench.strike(0);
    bench.strike(1);
    expect(bench.weights).toEqual([0, 0, 1]);
    expect(bench.flags[0]).toBe(HEALTH_FLAG.down);
  });

  test("who is down when its time is served is not said to be back", () => {
    const bench = new Bench({ ...PROBED, panicBelow: 0 }, members(3));
    bench.strike(1);
    bench.probe(1, "failed");
    bench.pass(10_000);
    bench.strike(2);
    bench.pass(10_000);
    expect(bench.told.filter((line) => line.startsWith("backend back"))).toEqual(["backend back: b2"]);
  });

  test("switched off, there is none", () => {
    const bench = new Bench({ ...DEFAULT_HEALTH, passive: null }, members(4));
    bench.strike(0, 1, 2, 3);
    expect(bench.weights).toEqual([1, 1, 1, 1]);
    expect(bench.keeper.nextLook(bench.now)).toBe(Infinity);
  });
});

describe("the pool", () => {
  test("panics with fewer than half healthy, and says so loudly and once", () => {
    const bench = new Bench(PROBED, members(4));
    for (const index of [0, 1, 2]) bench.probe(index, "failed");
    bench.pass(1000);
    expect([bench.published?.panic, ...bench.weights]).toEqual([true, 1, 1, 1, 1]);
    bench.probe(0, "passed", 2);
    bench.pass(1000);
    expect(bench.published?.panic).toBe(false);
    const loud = bench.events.filter(({ event }) => event.startsWith("pool"));
    expect(loud.map(({ level, event, fields }) => [level, event, fields["healthy"]])).toEqual([
      ["error", "pool panics", "1 of 4"],
      ["info", "pool calm", "2 of 4"],
    ]);
  });

  test("whatever happens between two looks is one change", () => {
    const bench = new Bench(PROBED, members(100));
    const before = bench.publications;
    for (let index = 0; index < 40; index++) bench.probe(index, "failed");
    bench.pass(0);
    expect(bench.publications - before).toBe(1);
  });

  test("a second tier takes over, and that is said", () => {
    const bench = new Bench(PROBED, [member(0), member(1, { tier: 1 })]);
    expect(bench.weights).toEqual([1, 0]);
    bench.probe(0, "failed");
    bench.pass(0);
    expect(bench.weights).toEqual([0, 1]);
    expect(bench.events.at(-1)?.fields["shares"]).toBe("1: 100 %");
  });

  test("that has nobody left says so", () => {
    const bench = new Bench({ ...PROBED, panicBelow: 0 }, members(1));
    bench.probe(0, "failed");
    bench.pass(0);
    expect(bench.weights).toEqual([0]);
    expect(bench.told).toEqual(["backend down: b0", "pool empty"]);
  });
});

type Step =
  | { readonly kind: "probe"; readonly index: number; readonly passed: boolean; readonly times: number }
  | { readonly kind: "advise"; readonly index: number; readonly drain: boolean; readonly weightPercent: number }
  | { readonly kind: "strike"; readonly indexes: readonly number[] }
  | { readonly kind: "notice"; readonly index: number }
  | { readonly kind: "traffic"; readonly failures: readonly number[] }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "configure"; readonly size: number; readonly probed: boolean };

const SIZE = 8;
const index = fc.nat(SIZE - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("probe" as const),
    index,
    passed: fc.boolean(),
    times: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constant("advise" as const), index, drain: fc.boolean(), weightPercent: fc.nat(100) }),
  fc.record({ kind: fc.constant("strike" as const), indexes: fc.array(index, { maxLength: SIZE }) }),
  fc.record({ kind: fc.constant("notice" as const), index }),
  fc.record({
    kind: fc.constant("traffic" as const),
    failures: fc.array(fc.nat(200), { minLength: SIZE, maxLength: SIZE }),
  }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.oneof(fc.nat(3000), fc.nat(100_000)) }),
  fc.record({ kind: fc.constant("configure" as const), size: fc.integer({ min: 1, max: SIZE }), probed: fc.boolean() }),
);

function play(script: readonly Step[], check: (bench: Bench, size: number) => void): Bench {
  let size = SIZE;
  const bench = new Bench(PROBED, members(size));
  for (const each of script) {
    if (each.kind === "probe") bench.probe(each.index, each.passed ? "passed" : "failed", each.times);
    else if (each.kind === "advise")
      bench.probe(each.index, { state: each.drain ? "drain" : null, weightPercent: each.weightPercent });
    else if (each.kind === "strike") bench.strike(...each.indexes);
    else if (each.kind === "notice") bench.counts[each.index]!.notices += 1;
    else if (each.kind === "traffic")
      each.failures.forEach((failures, at) => {
        bench.counts[at]!.attempts += 200;
        bench.counts[at]!.failures += failures;
      });
    else if (each.kind === "pass") bench.pass(each.ms);
    else {
      size = each.size;
      bench.configure(each.probed ? PROBED : DEFAULT_HEALTH, members(size));
    }
    bench.look();
    check(bench, size);
  }
  return bench;
}

const scripts = fc.array(step, { maxLength: 60 });

test("property: the same inputs give the same outputs", () => {
  fc.assert(
    fc.property(scripts, (script) => {
      const [a, b] = [play(script, () => {}), play(script, () => {})];
      expect(a.events).toEqual(b.events);
      expect(a.published).toEqual(b.published);
      expect(a.publications).toBe(b.publications);
    }),
  );
});

test("property: at most half are ejected, what is published is what holds, and there is work for somebody who may take it", () => {
  fc.assert(
    fc.property(scripts, (script) => {
      play(script, (bench, size) => {
        const { keeper, published } = bench;
        if (published === null) throw new Error("nothing published");
        const taking = keeper.backends.filter(
          (_, at) => (bench.flags[at]! & (HEALTH_FLAG.drain | HEALTH_FLAG.maintenance)) === 0,
        );
        const able = taking.filter(({ advice }) => advice.weightPercent > 0);
        const ejected = able.filter(({ ejection }) => ejection.kind === "ejected");
        expect(ejected.length).toBeLessThanOrEqual(able.length * DEFAULT_PASSIVE.maxEjected);
        expect(bench.weights).toHaveLength(size);
        for (const [at, flags] of bench.flags.entries()) {
          const { probe, ejection } = keeper.backends[at]!;
          expect((flags & HEALTH_FLAG.down) !== 0).toBe(
            probe.kind === "down" || (probe.kind === "starting" && probe.assumed === "down"),
          );
          expect((flags & HEALTH_FLAG.ejected) !== 0).toBe(ejection.kind === "ejected");
          if ((flags & (HEALTH_FLAG.drain | HEALTH_FLAG.maintenance)) !== 0) expect(bench.weights[at]).toBe(0);
          if ((flags & (HEALTH_FLAG.down | HEALTH_FLAG.ejected)) !== 0 && !published.panic)
            expect(bench.weights[at]).toBe(0);
        }
        expect(bench.weights.some((weight) => weight > 0)).toBe(able.length > 0);
      });
    }),
    { numRuns: 200 },
  );
});

test("property: with nothing going on, all is plain again within minutes, and the keeper sleeps but for its window", () => {
  fc.assert(
    fc.property(scripts, (script) => {
      const bench = play(script, () => {});
      bench.configure(DEFAULT_HEALTH, members(SIZE));
      bench.pass(1_000_000);
      expect(bench.weights).toEqual(new Array<number>(SIZE).fill(1));
      expect(bench.flags).toEqual(new Array<number>(SIZE).fill(0));
      expect(bench.keeper.nextLook(bench.now)).toBeGreaterThan(bench.now);
    }),
  );
});
