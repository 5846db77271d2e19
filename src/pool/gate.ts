import type { Clock } from "../clock.ts";
import type { ErrorCode } from "../errors.ts";
import { GateQueues, type GateQueuesParts, type Waiting } from "./gate-queues.ts";
import { explainGate, type GateExplained } from "./explain-gate.ts";
import type { GateRoom } from "./gate-room.ts";
import type { Pool } from "./pool.ts";

/** Something that waits for a backend with room. */
export interface Waiter {
  /** A backend is reserved: its row has been begun for this waiter. May call into the gate again. */
  admitted(index: number): void;
  /** It waited too long, or nothing can ever come: POOL_QUEUE_TIMEOUT, POOL_NO_BACKEND. It is out of the queue. */
  turnedAway(code: ErrorCode, detail: string): void;
}

/** No eligible backend at all: down, weight 0, tried. */
export const NONE = -1;
/** All are full and the queue too, or nothing may wait. */
export const FULL = -2;
/** The waiter is in the queue. */
export const WAITING = -3;

/**
 * How often a gate in which something waits asks again for slots that came free in another worker, or with a backend's health. A tenth
 * of the timer wheel's tick, which would leave a slot empty for longer than most answers take.
 */
export const POLL_MS = 5;

/** Full backends that a policy may choose before one with room is taken by weight. */
const PASSES = 4;
/** Waiters passed over because what is free they have tried: a bound, so that one turn stays short. */
const SKIPS = 16;
/** Clients turned away are said to be so in the log, a line in five seconds. */
const QUIET_MS = 5_000;

/** What a gate is made of. */
export interface GateParts extends GateQueuesParts {
  readonly pool: Pool;
  readonly room: GateRoom;
  /** 0 for no deadline. */
  readonly queueTimeoutMs: number;
  readonly clock: Clock;
  /** The gate that this one takes the place of: who waits there came first. */
  readonly elder?: Gate | null;
  /** Called when a first waiter comes: someone must then call `poll` every `POLL_MS` until the gate is idle. */
  readonly onBusy: () => void;
}

/**
 * Where the limits of a pool hold: lets an attempt in when pool and backend have room, over all workers, and lets it wait where
 * they have not. One for each worker and pool that has a limit.
 *
 * What waits for any backend stands in one queue, what is pinned to a full one in that backend's; both are served by turns. A
 * backend that is ejected or gone sends those who wait for it to the others; when none takes work any more, all are turned away.
 *
 * Pure but for its counts in shared memory. `enter` costs a pick and two slots while there is room, and O(1) while others wait.
 */
export class Gate {
  /** Seconds for Retry-After: by then, what waits now has been served or turned away. */
  readonly retryAfterSeconds: number;
  readonly #parts: Omit<GateParts, "elder">;
  readonly #queues: GateQueues<Waiter>;
  /** `null` as soon as nothing waits there. */
  #elder: Gate | null;
  #serving = false;
  #again = false;
  #pinnedNext = false;
  #reportedMs = Number.NEGATIVE_INFINITY;

  constructor({ elder = null, ...parts }: GateParts) {
    this.#parts = parts;
    this.#queues = new GateQueues(parts);
    this.#elder = elder;
    // Where no traffic asks for it in between, it would have all gates behind it that ever were.
    if (elder !== null) elder.#eldersWait();
    this.retryAfterSeconds = Math.max(1, Math.ceil(parts.queueTimeoutMs / 1000));
  }

  /** Whether nothing waits in this worker. */
  get idle(): boolean {
    return this.#queues.size === 0;
  }

  /**
   * Reserves a backend now, or lets the waiter wait.
   * @param pinned the only backend wanted (affinity), or -1
   * @returns an index, NONE, FULL or WAITING
   */
  enter(waiter: Waiter, key: number, tried: readonly number[], pinned: number): number {
    const wanted = tried.includes(pinned) ? -1 : pinned;
    if (wanted !== -1) {
      // Who comes later than others waits behind them: what is free now is theirs.
      if (!this.#queues.isWaitedFor(wanted) && !this.#eldersWait() && this.#takePinned(wanted)) return wanted;
      if (this.#wait(waiter, key, tried, wanted)) return WAITING;
    }
    if (this.#queues.any.size === 0 && !this.#eldersWait()) {
      const index = this.tryEnter(key, tried);
      if (index !== FULL) return index;
    } else if (!this.#parts.pool.takesWork(tried)) return NONE;
    return this.#wait(waiter, key, tried, -1) ? WAITING : FULL;
  }

  /** Reserves without waiting: for a retry or a hedge. Returns an index, NONE or FULL. */
  tryEnter(key: number, tried: readonly number[]): number {
    const { room, pool } = this.#parts;
    if (!room.takePool()) return pool.takesWork(tried) ? FULL : NONE;
    const index = this.#choose(key, tried);
    if (index < 0) room.givePool();
    return index;
  }

  /** Reserves one backend without waiting. @returns whether it had room */
  tryTake(index: number): boolean {
    return this.#takePinned(index);
  }

  /** What `enter` would do now with one that has tried nothing. Takes nothing; see `Picker.explain`. */
  explain(key: number, pinned: number): GateExplained {
    const { pool, room } = this.#parts;
    return explainGate({ pool, room, queues: this.#queues }, key, pinned);
  }

  /** A waiter is no longer interested (client gone). Nothing happens where it does not wait. */
  leave(waiter: Waiter): void {
    const waiting = this.#queues.find(waiter);
    if (waiting !== undefined) this.#queues.remove(waiting);
  }

  /** After an attempt on a backend has ended and `row.end()` was called: lets the next ones in. */
  left(): void {
    if (this.#elder !== null && this.#eldersWait()) this.#elder.left();
    if (this.#queues.size > 0) this.#serve(true);
  }

  /** Turns away what has waited too long, and lets in what there is room for. To be called every `POLL_MS` while not idle. */
  poll(): void {
    if (this.#elder !== null && this.#eldersWait()) this.#elder.poll();
    this.#expire();
    this.#serve(false);
  }

  /** For "auto": an attempt on a backend was answered after so long, or dropped (time-out, 503, refused). No-op when no limit is "auto". */
  sample(index: number, microseconds: number, dropped: boolean): void {
    this.#parts.room.sample(index, microseconds, dropped);
  }

  /** Whether it is time to say in the log that a client was turned away: once in 5 s. */
  mayReport(): boolean {
    const now = this.#parts.clock.now();
    if (now - this.#reportedMs < QUIET_MS) return false;
    this.#reportedMs = now;
    return true;
  }

  /** Whether anybody waits at a gate that this one takes the place of. */
  #eldersWait(): boolean {
    if (this.#elder === null) return false;
    if (this.#elder.idle && !this.#elder.#eldersWait()) this.#elder = null;
    return this.#elder !== null;
  }

  /** Reserves the one backend that is wanted, if it has room. */
  #takePinned(index: number): boolean {
    const { room } = this.#parts;
    if (!room.takePool()) return false;
    if (room.take(index)) return true;
    room.givePool();
    return false;
  }

  /** Reserves a backend, the slot in the pool being taken already. An index, NONE or FULL. */
  #choose(key: number, tried: readonly number[]): number {
    const { pool, room } = this.#parts;
    let index = pool.pick(key, tried);
    if (index === -1) return pool.takesWork(tried) ? FULL : NONE;
    if (room.take(index)) return index;
    const passed = [...tried, index];
    for (let pass = 1; pass <= PASSES; pass++) {
      index = pass < PASSES ? pool.pick(key, passed) : pool.pickWithRoom(key, passed);
      if (index === -1) return FULL;
      if (room.take(index)) return index;
      passed.push(index);
    }
    return FULL;
  }

  /** Puts one into the queue of the backend it is pinned to, or of the pool; `false` when that is full. */
  #wait(waiter: Waiter, key: number, tried: readonly number[], at: number): boolean {
    const { clock, onBusy } = this.#parts;
    if (!this.#queues.add(waiter, key, tried, at, clock.now())) return false;
    if (this.#queues.size === 1) onBusy();
    return true;
  }

  #turnAway(one: Waiting<Waiter>, code: ErrorCode, detail: string): void {
    this.#queues.remove(one);
    one.waiter.turnedAway(code, detail);
  }

  #admit(one: Waiting<Waiter>, index: number): void {
    this.#queues.remove(one);
    one.waiter.admitted(index);
  }

  #expire(): void {
    const { queueTimeoutMs, clock } = this.#parts;
    if (queueTimeoutMs === 0) return;
    const latest = clock.now() - queueTimeoutMs;
    for (let one = this.#queues.waitingSince(latest); one !== null; one = this.#queues.waitingSince(latest))
      this.#turnAway(one, "POOL_QUEUE_TIMEOUT", `no backend had room for ${queueTimeoutMs} ms`);
  }

  /** @param yielding whether slots that other workers want are left to them, where this one has its share */
  #serve(yielding: boolean): void {
    this.#again = true;
    // What is let in may end at once and call again: it is the loop that goes on, not the stack that grows.
    if (this.#serving) return;
    this.#serving = true;
    try {
      while (this.#again) {
        this.#again = false;
        this.#moveOrphans();
        while (this.#queues.size > 0) {
          if (yielding && this.#yields()) break;
          if (!this.#serveOne()) break;
        }
      }
    } finally {
      this.#serving = false;
    }
  }

  #yields(): boolean {
    const { room, pool } = this.#parts;
    const wanting = this.#queues.workers;
    return wanting > 1 && room.hasShare(wanting, pool.eligible);
  }

  /** Sends those who wait for a backend that does not take them any more to the others. */
  #moveOrphans(): void {
    const { pool, clock } = this.#parts;
    for (const [index] of this.#queues.pinned) if (!pool.takesPinned(index)) this.#queues.move(index, clock.now());
  }

  /** Lets one in. Pinned ones and the others by turns, so that neither keeps the other out. */
  #serveOne(): boolean {
    const { room } = this.#parts;
    if (!room.takePool()) return this.#turnAwayHopeless();
    this.#pinnedNext = !this.#pinnedNext;
    const served = this.#pinnedNext
      ? this.#servePinned() || this.#serveQueue()
      : this.#serveQueue() || this.#servePinned();
    if (!served) room.givePool();
    return served;
  }

  #servePinned(): boolean {
    const now = this.#parts.clock.now();
    for (const [index, queue] of this.#queues.pinned) {
      const place = queue.next(now);
      if (place === null || !this.#parts.room.take(index)) continue;
      this.#admit(place.item, index);
      return true;
    }
    return false;
  }

  #serveQueue(): boolean {
    const now = this.#parts.clock.now();
    let place = this.#queues.any.next(now);
    for (let skipped = 0; place !== null && skipped < SKIPS;) {
      const { item } = place;
      const index = this.#choose(item.key, item.tried);
      if (index >= 0) {
        this.#admit(item, index);
        return true;
      }
      if (index === FULL) {
        // What is full for one that has tried nothing is full for all.
        if (item.tried.length === 0) return false;
        skipped += 1;
        place = this.#queues.any.after(place, now);
        continue;
      }
      this.#turnAway(item, "POOL_NO_BACKEND", "");
      place = this.#queues.any.next(now);
    }
    return false;
  }

  /** The pool is full, and what is in it may take long: who waits for backends that are all gone need not wait for that. */
  #turnAwayHopeless(): boolean {
    if (this.#queues.any.size === 0 || this.#parts.pool.takesWork([])) return false;
    for (let place = this.#queues.any.oldest; place !== null; place = this.#queues.any.oldest)
      this.#turnAway(place.item, "POOL_NO_BACKEND", "");
    return false;
  }
}
