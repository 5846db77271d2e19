import type { World } from "./world.ts";

/** 2026-01-01T00:00:00Z: when every run begins. */
const BEGINNING = 1_767_225_600_000;

/**
 * Does something in which no time passes but the world's, and nothing is left to chance: whatever asks the machine for either fails.
 * The time of day alone is told, from the world's clock, since a `Date` field has to say something.
 */
export function inSimulatedTime<T>(world: World, act: () => T): T {
  const before = {
    Date: globalThis.Date,
    setTimeout: globalThis.setTimeout,
    setInterval: globalThis.setInterval,
    setImmediate: globalThis.setImmediate,
    queueMicrotask: globalThis.queueMicrotask,
  };
  const { random } = Math;
  const { sleep } = Bun;
  const now = Object.getOwnPropertyDescriptor(performance, "now");
  if (now === undefined) throw new Error("performance.now is elsewhere");
  class SimulatedDate extends before.Date {
    constructor(...given: readonly []) {
      if (given.length === 0) refuse("new Date()");
      super(...given);
    }
    static override now(): number {
      return Math.floor(BEGINNING + world.now);
    }
  }
  const stop = (what: string) => (): never => refuse(what);
  Object.assign(globalThis, {
    Date: SimulatedDate,
    setTimeout: stop("setTimeout"),
    setInterval: stop("setInterval"),
    setImmediate: stop("setImmediate"),
    queueMicrotask: stop("queueMicrotask"),
  });
  Math.random = stop("Math.random");
  performance.now = stop("performance.now");
  Bun.sleep = stop("Bun.sleep");
  try {
    return act();
  } finally {
    Object.assign(globalThis, before);
    Math.random = random;
    Object.defineProperty(performance, "now", now);
    Bun.sleep = sleep;
  }
}

function refuse(what: string): never {
  throw new Error(`${what} in a simulated run: what it gives is not the seed's`);
}
