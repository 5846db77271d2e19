import { expect, test } from "bun:test";
import fc from "fast-check";
import { POLICIES } from "../balance/registry.ts";
import { Counters, countersBytes } from "../observe/counters.ts";
import { HealthWords, healthWordsBytes } from "../observe/health-words.ts";
import { seededRandom } from "../random.ts";
import { FULL, Gate, NONE, WAITING, type Waiter } from "./gate.ts";
import { GateRoom } from "./gate-room.ts";
import { Pool } from "./pool.ts";

const COUNT = 4;
const PATIENT: Waiter = { admitted: () => {}, turnedAway: () => {} };

interface Setup {
  readonly policy: string;
  /** Most in flight, by backend. */
  readonly most: readonly number[];
  readonly poolMost: number | null;
  readonly maxQueue: number;
  readonly weights: readonly number[];
  readonly seed: number;
}

function gateOf({ policy, most, poolMost, maxQueue, weights, seed }: Setup): Gate {
  const shape = { workers: 1, rows: COUNT + 1, cursors: 1 };
  const counters = new Counters(new ArrayBuffer(countersBytes(shape)), shape);
  const wordsShape = { pools: 1, rows: COUNT };
  const words = new HealthWords(new ArrayBuffer(healthWordsBytes(wordsShape)), wordsShape);
  const rows = weights.map((_, index) => index);
  words.publish(0, rows, { weights, flags: weights.map(() => 0), panic: false, scale: 1 });
  const limits = { maxConnections: poolMost, maxInFlight: null, maxQueue, queueTimeoutMs: 0 };
  const bounds = most.map((maxConnections) => ({ maxConnections, maxInFlight: null }));
  const slots = rows.map((row) => counters.inFlightSlots(0, row));
  const room = new GateRoom(limits, counters.inFlightSlots(0, COUNT), bounds, slots);
  const pool = new Pool(
    "app",
    POLICIES.get(policy)!,
    rows.map((index) => ({ id: `10.0.0.${index}:80`, weight: 1 })),
    {
      random: seededRandom(seed),
      inFlight: (index) => counters.inFlight(index),
      totalInFlight: () => counters.inFlight(COUNT),
      capacity: (index) => room.capacity(index),
      latency: () => 0,
      failing: () => 0,
      nextTurn: () => counters.nextTurn(0),
      turn: () => counters.turn(0),
    },
    undefined,
    { words, pool: 0, rows },
  );
  return new Gate({
    pool,
    room,
    waiting: counters.waitingSlots(0, COUNT),
    waitingFor: rows.map((row) => counters.waitingSlots(0, row)),
    maxQueue,
    maxQueueFor: rows.map(() => 1),
    queueTimeoutMs: 0,
    clock: { now: () => 1 },
    onBusy: () => {},
  });
}

const setup: fc.Arbitrary<Setup> = fc.record({
  policy: fc.constantFrom(...POLICIES.keys()).filter((name) => name !== "maglev"), // its table takes too long to make
  most: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: COUNT, maxLength: COUNT }),
  poolMost: fc.option(fc.integer({ min: 1, max: 8 })),
  maxQueue: fc.nat(3),
  weights: fc.array(fc.nat(2), { minLength: COUNT, maxLength: COUNT }),
  seed: fc.nat(),
});
/** Keys, and which backend each is pinned to. */
const requests = fc.array(fc.tuple(fc.nat(2 ** 32 - 1), fc.integer({ min: -1, max: COUNT - 1 })), { maxLength: 14 });

test("property: explains what a gate does with the next one, and takes nothing", () => {
  fc.assert(
    fc.property(setup, requests, (made, asked) => {
      const gate = gateOf(made);
      for (const [key, pinned] of asked) {
        const told = gate.explain(key, pinned);
        expect(gate.explain(key, pinned)).toEqual(told);
        const index = gate.enter({ ...PATIENT }, key, [], pinned);
        if (index === WAITING) expect(told.outcome).toBe("waits");
        else if (index === NONE || index === FULL) {
          expect(told).toMatchObject({ outcome: "refused", choice: -1, possible: [] });
          expect(told.why === "no backend takes work").toBe(index === NONE);
        } else {
          expect(told.outcome).toBe("enters");
          if (told.choice !== null) expect(told.choice).toBe(index);
          expect(told.possible).toContain(index);
        }
      }
    }),
    { seed: 11, numRuns: 1500 },
  );
});

test("tells what is taken, of how much, and what waits", () => {
  const gate = gateOf({
    policy: "round-robin",
    most: [1, 1, 1, 1],
    poolMost: 2,
    maxQueue: 5,
    weights: [1, 1, 1, 1],
    seed: 1,
  });
  for (let i = 0; i < 3; i++) gate.enter({ ...PATIENT }, 0, [], -1);
  const told = gate.explain(0, -1);
  expect(told).toMatchObject({ outcome: "waits", waiting: 1, pool: { most: 2, taken: 2, own: 2, open: false } });
  expect(told.why).toBe("others wait before it: it waits");
});
