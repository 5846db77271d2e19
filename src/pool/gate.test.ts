import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { POLICIES } from "../balance/registry.ts";
import { Counters, countersBytes, type Row } from "../observe/counters.ts";
import { HEALTH_FLAG, HealthWords, healthWordsBytes } from "../observe/health-words.ts";
import type { PoolLimits } from "../plan.ts";
import type { ErrorCode } from "../errors.ts";
import { seededRandom } from "../random.ts";
import { FULL, Gate, type GateParts, NONE, WAITING, type Waiter } from "./gate.ts";
import { GateRoom } from "./gate-room.ts";
import { Pool } from "./pool.ts";
import { OVERLOADED_AFTER_MS } from "./wait-queue.ts";

const NOTHING: readonly number[] = [];

interface Setup {
  readonly workers?: number;
  readonly backends: readonly {
    readonly maxConnections?: number;
    readonly maxInFlight?: number | "auto";
    readonly maxQueue?: number;
  }[];
  readonly limits?: Partial<PoolLimits>;
  readonly policy?: string;
}

/** The gates of one pool in several workers, over one memory, with a clock that stands still until it is told. */
class Gates {
  now = 1000;
  readonly counters: Counters;
  readonly words: HealthWords;
  readonly parts: readonly GateParts[];
  readonly gates: readonly Gate[];
  /** By worker and backend. */
  readonly rows: readonly (readonly Row[])[];
  readonly poolRow: number;
  /** How often a gate asked to be polled. */
  busy = 0;

  constructor({ workers = 1, backends, limits = {}, policy = "round-robin" }: Setup) {
    const count = backends.length;
    const shape = { workers, rows: count + 1, cursors: 1 };
    this.poolRow = count;
    this.counters = new Counters(new ArrayBuffer(countersBytes(shape)), shape);
    const wordsShape = { pools: 1, rows: count };
    this.words = new HealthWords(new ArrayBuffer(healthWordsBytes(wordsShape)), wordsShape);
    const { counters, words } = this;
    const all: PoolLimits = {
      maxConnections: null,
      maxInFlight: null,
      maxQueue: 1000,
      queueTimeoutMs: 5000,
      ...limits,
    };
    const indexes = backends.map((_, index) => index);
    const bounds = backends.map(({ maxConnections = null, maxInFlight = null }) => ({ maxConnections, maxInFlight }));
    const chosen = POLICIES.get(policy);
    if (chosen === undefined) throw new Error(policy);
    this.rows = Array.from({ length: workers }, (_, worker) =>
      indexes.map((index) => counters.row(worker, index, count)),
    );
    this.parts = this.rows.map((_, worker): GateParts => {
      const slots = indexes.map((index) => counters.inFlightSlots(worker, index));
      const room = new GateRoom(all, counters.inFlightSlots(worker, count), bounds, slots);
      const pool = new Pool(
        "app",
        chosen,
        indexes.map((index) => ({ id: `10.0.0.${index}:80`, weight: 1 })),
        {
          random: seededRandom(worker),
          inFlight: (index) => counters.inFlight(index),
          totalInFlight: () => counters.inFlight(count),
          capacity: (index) => room.capacity(index),
          latency: () => 0,
          failing: () => 0,
          nextTurn: () => counters.nextTurn(0),
          turn: () => counters.turn(0),
        },
        undefined,
        { words, pool: 0, rows: indexes },
      );
      return {
        pool,
        room,
        waiting: counters.waitingSlots(worker, count),
        waitingFor: indexes.map((index) => counters.waitingSlots(worker, index)),
        maxQueue: all.maxQueue,
        maxQueueFor: backends.map(({ maxQueue }) => maxQueue ?? all.maxQueue),
        queueTimeoutMs: all.queueTimeoutMs,
        clock: { now: () => this.now },
        onBusy: () => void (this.busy += 1),
      };
    });
    this.gates = this.parts.map((parts) => new Gate(parts));
  }

  /** A gate that takes the place of another one of the first worker. */
  after(elder: Gate): Gate {
    return new Gate({ ...this.parts[0]!, elder });
  }

  get gate(): Gate {
    return this.gates[0]!;
  }

  /** Ends an attempt on a backend. */
  end(index: number, worker = 0): void {
    this.rows[worker]![index]!.end();
    this.gates[worker]!.left();
  }

  publish(weights: readonly number[], flags: readonly number[] = weights.map(() => 0)): void {
    const rows = weights.map((_, index) => index);
    this.words.publish(0, rows, { weights, flags, panic: false, scale: 1 });
  }

  get waiting(): number {
    return this.counters.waiting(this.poolRow);
  }

  get inFlight(): number {
    return this.counters.inFlight(this.poolRow);
  }
}

/** Remembers what it was told. */
class Client implements Waiter {
  readonly heard: (number | ErrorCode)[] = [];

  admitted(index: number): void {
    this.heard.push(index);
  }

  turnedAway(code: ErrorCode): void {
    this.heard.push(code);
  }
}

function enter(gates: Gates, times: number, pinned = -1, worker = 0): Client[] {
  return Array.from({ length: times }, () => {
    const client = new Client();
    expect(gates.gates[worker]!.enter(client, 0, NOTHING, pinned)).toBe(WAITING);
    return client;
  });
}

function heard(clients: readonly Client[]): (number | ErrorCode | null)[] {
  return clients.map((client) => {
    expect(client.heard.length).toBeLessThanOrEqual(1);
    return client.heard[0] ?? null;
  });
}

describe("a gate", () => {
  test("lets in first who waits at the one that it took the place of, however many there were since", () => {
    const gates = new Gates({ backends: [{ maxConnections: 1 }] });
    expect(gates.gate.enter(new Client(), 0, NOTHING, -1)).toBe(0);
    const [first] = enter(gates, 1);
    const last = gates.after(gates.after(gates.after(gates.gate)));
    const second = new Client();
    expect(last.enter(second, 0, NOTHING, -1)).toBe(WAITING);
    for (const client of [first!, second]) {
      gates.rows[0]![0]!.end();
      last.left();
      expect(client.heard).toEqual([0]);
    }
  });

  test("holds none of those before it in which nothing waits", async () => {
    const gates = new Gates({ backends: [{}] });
    const before: WeakRef<Gate>[] = [];
    let gate = gates.gate;
    for (let i = 0; i < 10_000; i++) {
      gate = gates.after(gate);
      before.push(new WeakRef(gate));
    }
    // Until its end nothing is collected that a weak reference was made to.
    await Bun.sleep(0);
    Bun.gc(true);
    // What the stack seems to refer to is not collected.
    expect(before.filter((each) => each.deref() !== undefined).length).toBeLessThan(1000);
    expect(gate.enter(new Client(), 0, NOTHING, -1)).toBe(0);
  });

  test("begins the row of a backend with room, passes over a full one, and lets wait when all are full", () => {
    const gates = new Gates({ backends: [{ maxConnections: 1 }, { maxConnections: 2 }] });
    const got = [0, 1, 2].map(() => gates.gate.enter(new Client(), 0, NOTHING, -1));
    expect(got.toSorted()).toEqual([0, 1, 1]);
    expect([0, 1, 2].map((row) => gates.counters.inFlight(row))).toEqual([1, 2, 3]);
    expect(gates.busy).toBe(0);
    const [client] = enter(gates, 1);
    expect([gates.waiting, gates.busy, gates.gate.idle]).toEqual([1, 1, false]);
    gates.end(1);
    expect(client?.heard).toEqual([1]);
    expect([gates.waiting, gates.inFlight, gates.gate.idle]).toEqual([0, 3, true]);
  });

  test.each([...POLICIES.keys()])("fills every slot under %s, and no more", (policy) => {
    const gates = new Gates({
      backends: Array.from({ length: 12 }, (_, i) => ({ maxConnections: (i % 4) + 1 })),
      policy,
      limits: { maxQueue: 0 },
    });
    let taken = 0;
    for (let key = 1; ; key++) {
      const index = gates.gate.enter(new Client(), key * 7919, NOTHING, -1);
      if (index === FULL) break;
      expect(index).toBeGreaterThanOrEqual(0);
      taken += 1;
    }
    expect(taken).toBe(30);
    expect(Array.from({ length: 12 }, (_, row) => gates.counters.inFlight(row))).toEqual([
      1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4,
    ]);
    expect(gates.inFlight).toBe(30);
  });

  test("holds the smaller of maxConnections and maxInFlight, of a backend and of the pool", () => {
    const gates = new Gates({
      backends: [{ maxConnections: 5, maxInFlight: 2 }, { maxConnections: 3 }],
      limits: { maxConnections: 9, maxInFlight: 4, maxQueue: 0 },
    });
    const got = Array.from({ length: 6 }, () => gates.gate.enter(new Client(), 0, NOTHING, -1));
    expect(got.slice(4)).toEqual([FULL, FULL]);
    expect(gates.inFlight).toBe(4);
    expect(gates.counters.inFlight(0)).toBeLessThanOrEqual(2);
  });

  test("tells full from none: what is down, tried or of weight 0 is not waited for", () => {
    const gates = new Gates({ backends: [{ maxConnections: 1 }, { maxConnections: 1 }] });
    expect(gates.gate.tryEnter(0, [1])).toBe(0);
    expect(gates.gate.tryEnter(0, [1])).toBe(FULL);
    expect(gates.gate.tryEnter(0, [0, 1])).toBe(NONE);
    expect(gates.gate.enter(new Client(), 0, [0, 1], -1)).toBe(NONE);
    gates.publish([0, 0]);
    expect(gates.gate.enter(new Client(), 0, NOTHING, -1)).toBe(NONE);
    expect(gates.waiting).toBe(0);
  });

  test("tells none also where the pool itself is full", () => {
    const gates = new Gates({ backends: [{}], limits: { maxConnections: 1 } });
    expect(gates.gate.tryEnter(0, NOTHING)).toBe(0);
    expect(gates.gate.tryEnter(0, NOTHING)).toBe(FULL);
    expect(gates.gate.tryEnter(0, [0])).toBe(NONE);
    expect(gates.inFlight).toBe(1);
  });
});

describe("the queue", () => {
  test("is bounded: one more is full at once", () => {
    const gates = new Gates({ backends: [{ maxConnections: 1 }], limits: { maxQueue: 2 } });
    gates.gate.tryEnter(0, NOTHING);
    enter(gates, 2);
    expect(gates.gate.enter(new Client(), 0, NOTHING, -1)).toBe(FULL);
  });

  test("is served oldest first, newest first once it has not been empty for long", () => {
    const gates = new Gates({ backends: [{ maxConnections: 1 }] });
    gates.gate.tryEnter(0, NOTHING);
    const clients = enter(gates, 4);
    gates.end(0);
    expect(heard(clients)).toEqual([0, null, null, null]);
    gates.now += OVERLOADED_AFTER_MS;
    gates.end(0);
    expect(heard(clients)).toEqual([0, null, null, 0]);
  });

  test("is left without a trace", () => {
    const gates = new Gates({ backends: [{ maxConnections: 1 }] });
    gates.gate.tryEnter(0, NOTHING);
    const [gone, next] = enter(gates, 2);
    gates.gate.leave(gone!);
    gates.gate.leave(gone!);
    expect(gates.waiting).toBe(1);
    gates.end(0);
    expect(heard([gone!, next!])).toEqual([null, 0]);
  });

  test("turns away what has waited too long, the others wait on", () => {
    const gates = new Gates({ backends: [{ maxConnections: 1 }], limits: { queueTimeoutMs: 300 } });
    gates.gate.tryEnter(0, NOTHING);
    const [first] = enter(gates, 1);
    gates.now += 200;
    const [second] = enter(gates, 1);
    gates.now += 99;
    gates.gate.poll();
    expect(heard([first!, second!])).toEqual([null, null]);
    gates.now += 1;
    gates.gate.poll();
    expect(heard([first!, second!])).toEqual(["POOL_QUEUE_TIMEOUT", null]);
    expect(gates.waiting).toBe(1);
    expect(gates.gate.retryAfterSeconds).toBe(1);
  });

  test("who comes later waits behind those who wait, even if a slot is free just then", () => {
    const gates = new Gates({ workers: 2, backends: [{ maxConnections: 1 }] });
    gates.gates[1]!.tryEnter(0, NOTHING);
    const [first] = enter(gates, 1);
    // The slot came free in the other worker: this one does not know yet.
    gates.rows[1]![0]!.end();
    const [second] = enter(gates, 1);
    gates.gate.poll();
    expect(heard([first!, second!])).toEqual([0, null]);
  });

  test("one that has tried what is free lets those behind it go first", () => {
    const gates = new Gates({ backends: [{ maxConnections: 1 }, { maxConnections: 1 }] });
    gates.gate.tryEnter(0, NOTHING);
    gates.gate.tryEnter(0, NOTHING);
    const choosy = new Client();
    expect(gates.gate.enter(choosy, 0, [0], -1)).toBe(WAITING);
    const [other] = enter(gates, 1);
    gates.end(0);
    expect(heard([choosy, other!])).toEqual([null, 0]);
    gates.end(1);
    expect(heard([choosy])).toEqual([1]);
  });
});

describe("when health changes", () => {
  test("a backend that comes back is given to those who wait", () => {
    const gates = new Gates({ backends: [{ maxConnections: 1 }, { maxConnections: 1 }] });
    gates.publish([1, 0]);
    gates.gate.tryEnter(0, NOTHING);
    const [client] = enter(gates, 1);
    gates.gate.poll();
    expect(heard([client!])).toEqual([null]);
    gates.publish([1, 1]);
    gates.gate.poll();
    expect(heard([client!])).toEqual([1]);
  });

  test("when none takes work any more all are turned away at once, whatever is still open", () => {
    const gates = new Gates({ backends: [{ maxConnections: 1 }], limits: { maxConnections: 1 } });
    gates.gate.tryEnter(0, NOTHING);
    const clients = enter(gates, 3);
    gates.publish([0]);
    gates.gate.poll();
    expect(heard(clients)).toEqual(["POOL_NO_BACKEND", "POOL_NO_BACKEND", "POOL_NO_BACKEND"]);
    expect([gates.waiting, gates.gate.idle]).toEqual([0, true]);
  });
});

describe("a pinned waiter", () => {
  test("gets its backend, waits for it while it is full, and for no other", () => {
    const gates = new Gates({ backends: [{ maxConnections: 1 }, { maxConnections: 1 }] });
    expect(gates.gate.enter(new Client(), 0, NOTHING, 1)).toBe(1);
    const [client] = enter(gates, 1, 1);
    gates.gate.poll();
    expect(heard([client!])).toEqual([null]);
    expect(gates.counters.waiting(1)).toBe(1);
    gates.end(1);
    expect(heard([client!])).toEqual([1]);
    expect([gates.counters.waiting(1), gates.waiting]).toEqual([0, 0]);
  });

  test("is free when its backend has tried it, or as many wait for that as may", () => {
    const gates = new Gates({ backends: [{ maxConnections: 1, maxQueue: 1 }, { maxConnections: 2 }] });
    expect(gates.gate.enter(new Client(), 0, NOTHING, 0)).toBe(0);
    expect(gates.gate.enter(new Client(), 0, [0], 0)).toBe(1);
    enter(gates, 1, 0);
    expect(gates.gate.enter(new Client(), 0, NOTHING, 0)).toBe(1);
  });

  test("goes to a backend that drains as long as that keeps its clients, and is free when it is down", () => {
    const gates = new Gates({ backends: [{ maxConnections: 1 }, {}] });
    gates.publish([0, 1], [HEALTH_FLAG.drain | HEALTH_FLAG.pinned, 0]);
    expect(gates.gate.enter(new Client(), 0, NOTHING, 0)).toBe(0);
    const [client] = enter(gates, 1, 0);
    gates.gate.poll();
    expect(heard([client!])).toEqual([null]);
    gates.publish([0, 1], [HEALTH_FLAG.down, 0]);
    gates.gate.poll();
    expect(heard([client!])).toEqual([1]);
  });

  test("and those who are free are served by turns", () => {
    const gates = new Gates({ backends: [{ maxConnections: 4 }], limits: { maxConnections: 1 } });
    gates.gate.tryEnter(0, NOTHING);
    const pinned = enter(gates, 4, 0);
    const free = enter(gates, 4);
    for (let i = 0; i < 4; i++) gates.end(0);
    for (const clients of [pinned, free]) expect(heard(clients).filter((index) => index === 0).length).toBe(2);
  });
});

test("one that is let in may end at once, and the next ones come without a growing stack", () => {
  const gates = new Gates({ backends: [{ maxConnections: 1 }], limits: { maxQueue: 20_000 } });
  gates.gate.tryEnter(0, NOTHING);
  let served = 0;
  for (let i = 0; i < 20_000; i++)
    gates.gate.enter({ admitted: (index) => ((served += 1), gates.end(index)), turnedAway: () => {} }, 0, NOTHING, -1);
  gates.end(0);
  expect(served).toBe(20_000);
  expect([gates.inFlight, gates.waiting]).toEqual([0, 0]);
});

test("what one that is let in throws keeps nobody else from being let in", () => {
  const gates = new Gates({ backends: [{ maxConnections: 2 }] });
  gates.gate.tryEnter(0, NOTHING);
  gates.gate.tryEnter(0, NOTHING);
  const broken = {
    admitted: () => {
      throw new Error("broken");
    },
    turnedAway: () => {},
  };
  gates.gate.enter(broken, 0, NOTHING, -1);
  const [client] = enter(gates, 1);
  expect(() => gates.end(0)).toThrow("broken");
  gates.end(0);
  expect(heard([client!])).toEqual([0]);
});

describe("over several workers", () => {
  test("a worker with less than its share gets what another gives back, and then both serve their own", () => {
    const gates = new Gates({ workers: 2, backends: [{ maxConnections: 4 }, { maxConnections: 4 }] });
    for (let i = 0; i < 8; i++) gates.gate.tryEnter(0, NOTHING);
    enter(gates, 100);
    const others = enter(gates, 100, -1, 1);
    const own = (worker: number): number => gates.counters.inFlightSlots(worker, gates.poolRow).own;
    for (let round = 0; round < 8; round++) {
      // A slot is never left empty while it is this worker's to take.
      gates.end(gates.counters.inFlightSlots(0, 0).own > 0 ? 0 : 1);
      for (const gate of gates.gates.toReversed()) gate.poll();
      expect(gates.inFlight).toBe(8);
    }
    expect([own(0), own(1)]).toEqual([4, 4]);
    expect(heard(others).filter((index) => index !== null).length).toBe(4);
  });

  test("a learnt limit holds in each worker for itself", () => {
    const gates = new Gates({ workers: 2, backends: [{ maxInFlight: "auto" }], limits: { maxQueue: 0 } });
    const fill = (worker: number): number => {
      for (let count = 0; ; count++) if (gates.gates[worker]!.tryEnter(0, NOTHING) === FULL) return count;
    };
    const first = fill(0);
    expect(first).toBeGreaterThan(0);
    expect(fill(1)).toBe(first);
    // All that is asked is dropped: the limit of this worker falls, the other's does not.
    let own = first;
    for (let round = 0; round < 200; round++) {
      for (let i = 0; i < own; i++) gates.gate.sample(0, 1, true);
      for (; own > 0; own--) gates.end(0);
      own = fill(0);
    }
    expect(own).toBe(1);
    for (let i = 0; i < first; i++) gates.end(0, 1);
    expect(fill(1)).toBe(first);
  });

  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("enter" as const),
        worker: fc.nat(2),
        key: fc.nat(),
        pinned: fc.integer({ min: -3, max: 2 }),
        tried: fc.subarray([0, 1, 2]),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("end" as const), which: fc.nat(99) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("leave" as const), which: fc.nat(99) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("health" as const),
        up: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("poll" as const), ms: fc.nat(200) }) },
  );
  const setup = fc.record({
    limits: fc.tuple(...[0, 1, 2].map(() => fc.option(fc.integer({ min: 1, max: 3 })))),
    queues: fc.tuple(...[0, 1, 2].map(() => fc.option(fc.nat(3)))),
    pool: fc.option(fc.integer({ min: 1, max: 6 })),
    maxQueue: fc.nat(8),
    policy: fc.constantFrom(...[...POLICIES.keys()].filter((name) => name !== "maglev")),
  });

  test("whatever happens, no limit is exceeded, everyone is answered once, and nothing is left or left empty", () => {
    fc.assert(
      fc.property(setup, fc.array(step, { maxLength: 120 }), ({ limits, queues, pool, maxQueue, policy }, steps) => {
        const gates = new Gates({
          workers: 3,
          backends: limits.map((most, i) => ({
            ...(most === null ? {} : { maxConnections: most }),
            ...(queues[i] === null ? {} : { maxQueue: queues[i]! }),
          })),
          limits: { maxConnections: pool, maxQueue, queueTimeoutMs: 500 },
          policy,
        });
        const open: { worker: number; index: number }[] = [];
        const waiting = new Map<Waiter, number>();
        const queued = (worker: number): Waiter => {
          const waiter: Waiter = {
            admitted(index) {
              expect(waiting.delete(waiter)).toBe(true);
              open.push({ worker, index });
            },
            turnedAway() {
              expect(waiting.delete(waiter)).toBe(true);
            },
          };
          return waiter;
        };
        const check = (): void => {
          for (const [index, most] of limits.entries()) {
            const count = open.filter((each) => each.index === index).length;
            expect(gates.counters.inFlight(index)).toBe(count);
            expect(count).toBeLessThanOrEqual(most ?? Infinity);
            expect(gates.counters.waiting(index)).toBeLessThanOrEqual(queues[index] ?? maxQueue);
          }
          expect(gates.inFlight).toBe(open.length);
          expect(open.length).toBeLessThanOrEqual(pool ?? Infinity);
          expect(gates.waiting).toBe(waiting.size);
          expect(waiting.size).toBeLessThanOrEqual(maxQueue);
        };
        for (const each of steps) {
          switch (each.kind) {
            case "enter": {
              const { worker, key, tried } = each;
              const waiter = queued(worker);
              const index = gates.gates[worker]!.enter(waiter, key, tried, Math.max(-1, each.pinned));
              if (index >= 0) open.push({ worker, index });
              if (index >= 0) expect(tried).not.toContain(index);
              if (index === WAITING) waiting.set(waiter, worker);
              break;
            }
            case "end": {
              const [ended] = open.splice(each.which % Math.max(1, open.length), 1);
              if (ended !== undefined) gates.end(ended.index, ended.worker);
              break;
            }
            case "leave": {
              const [waiter, worker] = [...waiting][each.which % Math.max(1, waiting.size)] ?? [];
              if (waiter === undefined) break;
              gates.gates[worker!]!.leave(waiter);
              waiting.delete(waiter);
              break;
            }
            case "health":
              gates.publish(
                each.up.map(Number),
                each.up.map((up) => (up ? 0 : HEALTH_FLAG.down)),
              );
              break;
            case "poll":
              gates.now += each.ms;
              for (const gate of gates.gates) gate.poll();
          }
          check();
        }
        // All that is open ends: what waits comes in, or is turned away.
        gates.now += 1;
        for (let round = 0; round < 200 && open.length + waiting.size > 0; round++) {
          const ended = open.shift();
          if (ended !== undefined) gates.end(ended.index, ended.worker);
          for (const gate of gates.gates) gate.poll();
          check();
        }
        expect([open.length, waiting.size, gates.inFlight, gates.waiting]).toEqual([0, 0, 0, 0]);
        for (const gate of gates.gates) expect(gate.idle).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
