import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Leaving, Leavings } from "./leaving.ts";
import type { Ending } from "./mode.ts";

const DRAIN = { requestsMs: 1_000, tunnelsMs: 5_000 };

/** A clock and the timers by it. */
class Time {
  nowMs = 0;
  readonly #timers: Set<{ at: number; everyMs: number; tick: () => void }> = new Set();
  readonly clock = { now: (): number => this.nowMs };
  readonly tick = (everyMs: number, tick: () => void): (() => void) => {
    const timer = { at: this.nowMs + everyMs, everyMs, tick };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  get set(): number {
    return this.#timers.size;
  }

  pass(milliseconds: number): void {
    const until = this.nowMs + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.nowMs = next.at;
      next.at += next.everyMs;
      next.tick();
    }
    this.nowMs = until;
  }
}

/** Requests and tunnels that are at it, and when they were ended. */
class Work implements Leaving {
  requests = 0;
  tunnels = 0;
  readonly ended: string[] = [];
  readonly #time: Time;

  constructor(time: Time) {
    this.#time = time;
  }

  end(what: Ending): void {
    if (this[what] > 0) this.ended.push(`${this[what]} ${what} at ${this.#time.nowMs}`);
    this[what] = 0;
  }

  get over(): boolean {
    return this.requests + this.tunnels === 0;
  }
}

describe("what has left", () => {
  test("ends at the deadlines of its plan", () => {
    const time = new Time();
    const leavings = new Leavings(time.clock, time.tick);
    const work = Object.assign(new Work(time), { requests: 2, tunnels: 1 });
    leavings.add(work, DRAIN);
    time.pass(10_000);
    expect(work.ended).toEqual(["2 requests at 1000", "1 tunnels at 5000"]);
    expect([leavings.list, time.set]).toEqual([[], 0]);
  });

  test("has no deadline while nothing is left of it", () => {
    const time = new Time();
    const leavings = new Leavings(time.clock, time.tick);
    const idle = new Work(time);
    leavings.add(idle, DRAIN);
    expect(time.set).toBe(0);
    const work = Object.assign(new Work(time), { requests: 1 });
    leavings.add(work, DRAIN);
    work.requests = 0;
    leavings.sweep();
    expect([leavings.list, time.set]).toEqual([[], 0]);
  });

  test("has none by a plan without deadlines", () => {
    const time = new Time();
    const leavings = new Leavings(time.clock, time.tick);
    const work = Object.assign(new Work(time), { requests: 1, tunnels: 1 });
    leavings.add(work, { requestsMs: 0, tunnelsMs: 0 })();
    time.pass(1e9);
    expect(work.ended).toEqual([]);
    leavings.sweep();
    expect(leavings.list).toEqual([work]);
  });

  test("is forgotten with the engine, whatever begins at it then", () => {
    const time = new Time();
    const leavings = new Leavings(time.clock, time.tick);
    const work = Object.assign(new Work(time), { requests: 1 });
    const begins = leavings.add(work, DRAIN);
    leavings.close();
    begins();
    expect([leavings.list, time.set]).toEqual([[], 0]);
  });

  test("whatever begins at it, and whenever: nothing is there longer than its time, and no timer once nothing is", () => {
    const begun = fc.record({
      afterMs: fc.integer({ min: 0, max: 3_000 }),
      what: fc.constantFrom("requests" as const, "tunnels" as const),
      tookMs: fc.integer({ min: 0, max: 8_000 }),
      swept: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(begun, { maxLength: 8 }), (all) => {
        const time = new Time();
        const leavings = new Leavings(time.clock, time.tick);
        const work = new Work(time);
        const begins = leavings.add(work, DRAIN);
        for (const { afterMs, what, tookMs, swept } of all) {
          time.pass(afterMs);
          work[what] += 1;
          begins();
          if (swept) leavings.sweep();
          time.pass(1);
          expect(time.nowMs > DRAIN.requestsMs && work.requests > 0).toBe(false);
          expect(time.nowMs > DRAIN.tunnelsMs && work.tunnels > 0).toBe(false);
          time.pass(tookMs);
          if (work[what] > 0) work[what] -= 1;
        }
        time.pass(DRAIN.tunnelsMs + 1);
        expect(work.over).toBe(true);
        leavings.sweep();
        expect([leavings.list, time.set]).toEqual([[], 0]);
      }),
    );
  });
});
