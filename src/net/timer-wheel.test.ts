import { reportDefectsTo } from "./defects.ts";
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Expiring, TICK_MS, Timer, TimerWheel } from "./timer-wheel.ts";

/** What a timer may be late by: a tick to the next slot, one to the next turn of the hand, one for reading the clock. */
const LATE_MS = 3 * TICK_MS;

/** A wheel whose clock a test moves; it ticks only while it has asked for it, as the engine does. */
class Bench {
  now: number;
  readonly wheel: TimerWheel;
  /** When the wheel is due to be advanced; infinite while it has asked for nothing. */
  tickAt = Number.POSITIVE_INFINITY;
  timesBusy = 0;

  constructor(startMs: number) {
    this.now = startMs;
    this.wheel = new TimerWheel({ now: () => this.now }, () => {
      this.timesBusy += 1;
      if (this.tickAt === Number.POSITIVE_INFINITY) this.tickAt = this.now + TICK_MS;
    });
  }

  /** Lets time pass, with every tick in its time. */
  run(ms: number): void {
    const end = this.now + ms;
    while (this.tickAt <= end) {
      this.now = this.tickAt;
      this.tick();
    }
    this.now = end;
  }

  /** Lets time pass without a tick: the process was stopped. What happens first after it reads the clock. */
  halt(ms: number): void {
    this.now += ms;
    this.wheel.refresh();
    if (this.tickAt < this.now) this.tickAt = this.now;
  }

  tick(): void {
    this.wheel.advance();
    this.tickAt = this.wheel.idle ? Number.POSITIVE_INFINITY : this.now + TICK_MS;
  }
}

/** Remembers when it expired. */
class Probe implements Expiring {
  readonly timer: Timer = new Timer(this);
  readonly expirations: number[] = [];
  readonly #bench: Bench;
  onExpired: () => void = () => {};

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  set(delayMs: number): void {
    this.#bench.wheel.set(this.timer, delayMs);
  }

  expired(): void {
    this.expirations.push(this.#bench.now);
    this.onExpired();
  }
}

test("a timer expires once", () => {
  const bench = new Bench(0);
  const probe = new Probe(bench);
  probe.set(1000);
  bench.run(10_000);
  expect(probe.expirations).toHaveLength(1);
});

test("a timer set after a long time of idleness counts from then", () => {
  const bench = new Bench(0);
  const probe = new Probe(bench);
  probe.set(100);
  bench.run(1000);
  expect(bench.wheel.idle).toBe(true);
  bench.run(3_600_000);
  probe.set(10_000);
  const due = bench.now + 10_000;
  bench.run(9_999);
  expect(probe.expirations).toHaveLength(1);
  bench.run(1 + LATE_MS);
  expect(probe.expirations).toHaveLength(2);
  expect(probe.expirations[1]).toBeGreaterThanOrEqual(due);
});

test("a timer set between two ticks is not early by the part of the tick that is over", () => {
  const bench = new Bench(0);
  const other = new Probe(bench);
  other.set(60_000);
  bench.run(TICK_MS - 1);
  const probe = new Probe(bench);
  probe.set(TICK_MS);
  const due = bench.now + TICK_MS;
  bench.run(1000);
  expect(probe.expirations[0]).toBeGreaterThanOrEqual(due);
});

test("a delay longer than a turn of the wheel is kept", () => {
  const bench = new Bench(12_345.6);
  const probe = new Probe(bench);
  const due = bench.now + 3_600_000;
  probe.set(3_600_000);
  bench.run(3_599_999);
  expect(probe.expirations).toEqual([]);
  bench.run(1 + LATE_MS);
  expect(probe.expirations[0]).toBeGreaterThanOrEqual(due);
});

test("a timer that is moved later again and again does not expire", () => {
  const bench = new Bench(0);
  const probe = new Probe(bench);
  for (let i = 0; i < 1000; i++) {
    probe.set(200);
    bench.run(199);
  }
  expect(probe.expirations).toEqual([]);
});

test("0 switches a timer off, and it may be set again", () => {
  const bench = new Bench(0);
  const probe = new Probe(bench);
  probe.set(100);
  probe.set(0);
  bench.run(1000);
  expect(probe.expirations).toEqual([]);
  expect(bench.wheel.idle).toBe(true);
  probe.set(100);
  bench.run(1000);
  expect(probe.expirations).toHaveLength(1);
});

test("asks to be advanced when the first timer is set, and is idle when the last is gone", () => {
  const bench = new Bench(0);
  const [a, b] = [new Probe(bench), new Probe(bench)];
  expect(bench.wheel.idle).toBe(true);
  a.set(100);
  b.set(200);
  expect(bench.timesBusy).toBe(1);
  bench.wheel.remove(a.timer);
  expect(bench.wheel.idle).toBe(false);
  bench.wheel.remove(b.timer);
  expect(bench.wheel.idle).toBe(true);
  b.set(100);
  expect(bench.timesBusy).toBe(2);
});

test("a timer set in an expiry that emptied the wheel asks to be advanced again, and expires", () => {
  const bench = new Bench(0);
  const probe = new Probe(bench);
  probe.onExpired = () => {
    if (probe.expirations.length < 5) probe.set(100);
  };
  probe.set(100);
  bench.run(5000);
  expect(probe.expirations).toHaveLength(5);
  expect(bench.wheel.idle).toBe(true);
});

test("removing timers inside an expiry, its neighbours too, stops just those", () => {
  const bench = new Bench(0);
  const probes = Array.from({ length: 10 }, () => new Probe(bench));
  for (const probe of probes) {
    probe.set(100);
    probe.onExpired = () => {
      for (const other of probes) if (other !== probe) bench.wheel.remove(other.timer);
    };
  }
  bench.run(1000);
  expect(probes.reduce((sum, { expirations }) => sum + expirations.length, 0)).toBe(1);
  expect(bench.wheel.idle).toBe(true);
});

test("an expiry that sets its own timer for the next tick does not hold up the hand", () => {
  const bench = new Bench(0);
  const probe = new Probe(bench);
  probe.onExpired = () => probe.set(1);
  probe.set(1);
  bench.run(1000);
  expect(probe.expirations.length).toBeGreaterThan(5);
  expect(probe.expirations.length).toBeLessThanOrEqual(1000 / TICK_MS);
});

test("ten thousand timers of one deadline expire together, each once", () => {
  const bench = new Bench(7);
  const probes = Array.from({ length: 10_000 }, () => new Probe(bench));
  for (const probe of probes) probe.set(30_000);
  bench.run(29_999);
  expect(probes.every(({ expirations }) => expirations.length === 0)).toBe(true);
  bench.run(LATE_MS + 1);
  expect(probes.every(({ expirations }) => expirations.length === 1)).toBe(true);
  expect(bench.wheel.idle).toBe(true);
});

type Step =
  | { readonly kind: "set"; readonly timer: number; readonly delayMs: number }
  | { readonly kind: "remove"; readonly timer: number }
  | { readonly kind: "run" | "halt"; readonly ms: number };

const TIMERS = 8;
const delays = fc.oneof(
  fc.integer({ min: -1, max: 200 }),
  fc.integer({ min: 0, max: 60_000 }),
  fc.double({ min: 0.1, max: 500, noNaN: true }),
);
const timers = fc.nat(TIMERS - 1);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("set" as const), timer: timers, delayMs: delays }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), timer: timers }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("run" as const), ms: fc.nat(300) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("run" as const), ms: fc.nat(40_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("halt" as const), ms: fc.nat(100_000) }) },
);

test("is never early and late by at most three ticks, whatever is set, moved, removed or halted", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      fc.array(steps, { maxLength: 60 }),
      // What the expiry of one timer does to another: sets or removes it.
      fc.array(fc.record({ timer: timers, delayMs: fc.option(delays) }), { minLength: TIMERS, maxLength: TIMERS }),
      (start, script, reactions) => {
        const bench = new Bench(start);
        /** The naive model: when each timer is due, and from when on a tick could see it. */
        const due = new Array<number>(TIMERS).fill(Number.POSITIVE_INFINITY);
        let resumed = start;
        let reactionsLeft = 100;
        const set = (i: number, delayMs: number): void => {
          due[i] = delayMs > 0 ? bench.now + delayMs : Number.POSITIVE_INFINITY;
          probes[i]?.set(delayMs);
        };
        const remove = (i: number): void => {
          due[i] = Number.POSITIVE_INFINITY;
          const probe = probes[i];
          if (probe !== undefined) bench.wheel.remove(probe.timer);
        };
        const probes = Array.from({ length: TIMERS }, (_, i) => {
          const probe = new Probe(bench);
          probe.onExpired = () => {
            expect(bench.now).toBeGreaterThanOrEqual(due[i] ?? 0);
            expect(bench.now).toBeLessThanOrEqual(Math.max(due[i] ?? 0, resumed) + LATE_MS);
            due[i] = Number.POSITIVE_INFINITY;
            const reaction = reactions[i];
            if (reaction === undefined || reactionsLeft-- <= 0) return;
            if (reaction.delayMs === null) remove(reaction.timer);
            else set(reaction.timer, reaction.delayMs);
          };
          return probe;
        });
        for (const step of script) {
          if (step.kind === "set") set(step.timer, step.delayMs);
          else if (step.kind === "remove") remove(step.timer);
          else if (step.kind === "run") bench.run(step.ms);
          else {
            bench.halt(step.ms);
            resumed = bench.now;
          }
          const overdue = due.filter((at) => Math.max(at, resumed) + LATE_MS < bench.now);
          expect(overdue).toEqual([]);
        }
        reactionsLeft = 0;
        bench.run(200_000);
        expect(due.every((at) => at === Number.POSITIVE_INFINITY)).toBe(true);
        expect(bench.wheel.idle).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

test("what throws when it expires is told as a defect, and the others expire all the same", () => {
  const clock = { time: 0, now: () => clock.time };
  const wheel = new TimerWheel(clock, () => {});
  const told: unknown[] = [];
  reportDefectsTo((error) => told.push(error));
  let expired = 0;
  const broken = {
    expired() {
      throw new Error("broken");
    },
  };
  const sound = {
    expired() {
      expired += 1;
    },
  };
  for (const owner of [sound, broken, sound]) wheel.set(new Timer(owner), 100);
  clock.time = 1000;
  wheel.advance();
  expect([expired, told.length]).toEqual([2, 1]);
});
