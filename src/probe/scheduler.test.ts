import { expect, test } from "bun:test";
import fc from "fast-check";
import { FakePeer, fakeTime, type FakeTime } from "../../test/fixtures/fake-peer.ts";
import { type Address, formatAddress, parseAddress } from "../address.ts";
import type { Receiver } from "../net/connection.ts";
import { TICK_MS } from "../net/timer-wheel.ts";
import { DEFAULT_HTTP_PROBE, DEFAULT_TCP_PROBE, type ProbePlan } from "../health-plan.ts";
import { afterProbe, nextProbeMs, type ProbeOutcome, type ProbeState, startingAs } from "../pool/probe-state.ts";
import { seededRandom } from "../random.ts";
import { ProbeScheduler, type ProbeTarget } from "./scheduler.ts";

const target = (index: number, plan: ProbePlan = DEFAULT_TCP_PROBE, pool = "app"): ProbeTarget => {
  const address = parseAddress(`10.0.${index >> 8}.${index & 255}:80`);
  return { pool, backend: formatAddress(address), address, plan };
};
const targets = (count: number): ProbeTarget[] => Array.from({ length: count }, (_, index) => target(index));

type Network = "open" | "refuse" | "silent";

/** A scheduler on a network that a test makes, with the states that probes lead to. */
class Bench {
  readonly time: FakeTime = fakeTime();
  network: (address: Address) => Network = () => "open";
  readonly dialled: { readonly at: number; readonly address: string; readonly receiver: Receiver }[] = [];
  readonly outcomes: { readonly target: ProbeTarget; readonly outcome: ProbeOutcome }[] = [];
  readonly states: Map<string, ProbeState> = new Map<string, ProbeState>();
  mostRunning = 0;
  onSettled: () => void = () => {};
  readonly scheduler: ProbeScheduler;

  constructor(atOnce?: number) {
    const random = seededRandom(7);
    this.scheduler = new ProbeScheduler({
      wheel: this.time.wheel,
      dial: (address, receiver) => {
        this.dialled.push({ at: this.time.clock.now(), address: formatAddress(address), receiver });
        this.mostRunning = Math.max(this.mostRunning, this.scheduler.running);
        const network = this.network(address);
        if (network === "open") receiver.opened(new FakePeer());
        else if (network === "refuse") receiver.refused(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
      },
      settled: (of, outcome) => {
        this.outcomes.push({ target: of, outcome });
        this.onSettled();
        const key = `${of.pool} ${of.backend} ${of.plan.type}`;
        const state = afterProbe(this.states.get(key) ?? startingAs("up"), outcome, 0, of.plan);
        this.states.set(key, state);
        return nextProbeMs(state, of.plan, random);
      },
      ...(atOnce === undefined ? {} : { atOnce }),
    });
  }

  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += TICK_MS) this.time.pass(TICK_MS);
  }

  /** Probes begun in each tick since a time. */
  perTick(since: number): number[] {
    const counts = new Array<number>(Math.round((this.time.clock.now() - since) / TICK_MS)).fill(0);
    for (const { at } of this.dialled) if (at > since) counts[Math.round((at - since) / TICK_MS) - 1]! += 1;
    return counts;
  }
}

test("10,000 backends cause no burst: not at the start, not in a minute, and not when all of them fail", () => {
  const bench = new Bench();
  bench.scheduler.setTargets(targets(10_000));
  for (const [network, ms] of [
    ["open", 60_000],
    ["refuse", 5_500],
    ["refuse", 60_000],
    ["open", 60_000],
  ] as const) {
    const since = bench.time.clock.now();
    bench.network = () => network;
    bench.pass(ms);
    const perTick = bench.perTick(since);
    // The mean of the time at hand: probes are five times as many while all states change.
    const around = (tick: number): number => {
      const window = perTick.slice(Math.max(0, tick - 20), tick + 20);
      return window.reduce((sum, count) => sum + count, 0) / window.length;
    };
    const mean = perTick.reduce((sum, count) => sum + count, 0) / perTick.length;
    for (const [tick, count] of perTick.entries()) expect(count).toBeLessThanOrEqual(2 * Math.max(mean, around(tick)));
    expect(mean).toBeGreaterThan(90);
  }
  expect(bench.outcomes.length).toBe(bench.dialled.length);
});

test("each is probed every 5 s, give or take a tenth and the wheel's ticks", () => {
  const bench = new Bench();
  bench.scheduler.setTargets(targets(20));
  bench.pass(60_000);
  for (const { backend } of targets(20)) {
    const at = bench.dialled.filter(({ address }) => address === backend).map((each) => each.at);
    const gaps = at.slice(1).map((each, i) => each - at[i]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(4500);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5500 + 4 * TICK_MS);
  }
});

test("few backends are all known soon", () => {
  const bench = new Bench();
  bench.scheduler.setTargets(targets(3));
  bench.pass(200);
  expect(bench.outcomes).toHaveLength(3);
});

test("two probes of one address share nothing", () => {
  const bench = new Bench();
  bench.network = (address) => (address.kind === "tcp" && address.port === 81 ? "refuse" : "open");
  bench.scheduler.setTargets([
    target(1),
    target(1, DEFAULT_TCP_PROBE, "other"),
    target(1, { ...DEFAULT_HTTP_PROBE, port: 81 }),
  ]);
  bench.pass(20_000);
  expect([...bench.states].map(([key, { kind }]) => [key, kind]).sort()).toEqual([
    ["app 10.0.0.1:80 http", "down"],
    ["app 10.0.0.1:80 tcp", "up"],
    ["other 10.0.0.1:80 tcp", "up"],
  ]);
  // Each at its own time.
  const first = bench.dialled.slice(0, 3).map(({ at }) => at);
  expect(bench.dialled.length).toBeGreaterThanOrEqual(9);
  expect(first).toHaveLength(3);
});

test("no more are under way at a time than may be; the others have their turn", () => {
  const bench = new Bench(10);
  bench.network = () => "silent";
  bench.scheduler.setTargets(targets(50));
  bench.pass(13_000);
  expect(bench.mostRunning).toBe(10);
  expect(new Set(bench.outcomes.map(({ target: { backend } }) => backend)).size).toBe(50);
  expect(
    bench.outcomes.every(({ outcome }) => outcome.kind === "failed" && outcome.code === "BACKEND_CONNECT_TIMEOUT"),
  ).toBe(true);
});

test("thousands that fail while they are dialled do so one after the other, not one within the other", () => {
  const bench = new Bench(1);
  bench.network = () => "silent";
  bench.scheduler.setTargets(targets(20_000));
  bench.pass(1900);
  bench.network = () => "refuse";
  bench.pass(5000);
  expect(bench.outcomes.length).toBeGreaterThanOrEqual(20_000);
});

test("targets that stay keep their rhythm, those that go are given up, those that come are begun with", () => {
  const bench = new Bench();
  bench.network = () => "silent";
  bench.scheduler.setTargets(targets(2));
  bench.pass(100);
  expect(bench.scheduler.running).toBe(2);
  bench.scheduler.setTargets([target(0, { ...DEFAULT_TCP_PROBE, intervalMs: 60_000 }), target(2)]);
  expect(bench.scheduler.running).toBe(1);
  const late = new FakePeer();
  bench.dialled.find(({ address }) => address === target(1).backend)?.receiver.opened(late);
  expect(late.over).toBe("terminate");
  bench.pass(2500);
  expect(bench.outcomes.map(({ target: { backend, plan } }) => [backend, plan.intervalMs])).toEqual([
    [target(0).backend, 60_000],
    [target(2).backend, 5000],
  ]);
});

test("a target that is taken off the list when its outcome is told is not probed again", () => {
  const bench = new Bench();
  bench.scheduler.setTargets(targets(1));
  bench.onSettled = () => bench.scheduler.setTargets([]);
  bench.pass(20_000);
  expect(bench.dialled).toHaveLength(1);
  expect(bench.time.wheel.idle).toBe(true);
});

test("closed, nothing is under way and no timer is left", () => {
  const bench = new Bench(5);
  bench.network = (address) => (formatAddress(address).endsWith("1:80") ? "open" : "silent");
  bench.scheduler.setTargets(targets(30));
  bench.pass(1000);
  bench.scheduler.close();
  expect(bench.scheduler.running).toBe(0);
  expect(bench.time.wheel.idle).toBe(true);
  const before = bench.dialled.length;
  bench.pass(10_000);
  expect(bench.dialled).toHaveLength(before);
});

test("property: whatever the targets become, each is probed and only those, and never more at once than may be", () => {
  const lists = fc.array(fc.record({ members: fc.uniqueArray(fc.nat(12)), ms: fc.nat(12_000) }), { maxLength: 8 });
  fc.assert(
    fc.property(
      lists,
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom<Network>("open", "refuse", "silent"),
      (script, atOnce, network) => {
        const bench = new Bench(atOnce);
        bench.network = () => network;
        for (const { members, ms } of script) {
          bench.scheduler.setTargets(members.map((index) => target(index)));
          const before = bench.dialled.length;
          bench.pass(ms);
          const wanted = new Set(members.map((index) => target(index).backend));
          const probed = new Set(bench.dialled.slice(before).map(({ address }) => address));
          expect([...probed].every((address) => wanted.has(address))).toBe(true);
          expect(bench.mostRunning).toBeLessThanOrEqual(atOnce);
          if (network !== "silent" && ms > 6000) expect(probed.size).toBe(wanted.size);
        }
        bench.scheduler.close();
        expect(bench.time.wheel.idle).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});
