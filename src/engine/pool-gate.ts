import type { Clock } from "../clock.ts";
import { cork } from "../net/cork.ts";
import { tellDefect } from "../net/defects.ts";
import type { Ticker } from "../net/network.ts";
import type { Counters } from "../observe/counters.ts";
import type { PoolPlan } from "../plan.ts";
import { Gate, POLL_MS } from "../pool/gate.ts";
import { GateRoom, isLimited, type Limit } from "../pool/gate-room.ts";
import type { Pool } from "../pool/pool.ts";

/** Whose counts a gate goes by. */
export interface GateRows {
  readonly counters: Counters;
  /** Of the counters: where this worker writes. */
  readonly section: number;
  /** Row of the pool. */
  readonly pool: number;
  /** Rows of its backends. */
  readonly backends: readonly number[];
}

/** The room of a pool as it was, whose limits go over to the next one. */
export interface FormerRoom {
  readonly plan: PoolPlan;
  readonly room: GateRoom | null;
}

/** The slots of a pool and its backends; `null` where nothing is limited, and then there is no gate. */
export function makeRoom(
  { limits, backends }: PoolPlan,
  { counters, section, ...rows }: GateRows,
  before: FormerRoom | null,
): GateRoom | null {
  if (!isLimited(limits, backends)) return null;
  const slots = rows.backends.map((row) => counters.inFlightSlots(section, row));
  const pool = counters.inFlightSlots(section, rows.pool);
  return new GateRoom(limits, pool, backends, slots, knownBy(before, backends));
}

/** The limit of each backend, by its position in the new plan. */
function knownBy(before: FormerRoom | null, backends: PoolPlan["backends"]): (index: number) => Limit | null {
  const room = before?.room ?? null;
  if (before === null || room === null) return () => null;
  const positions = new Map(before.plan.backends.map(({ id }, index) => [id, index]));
  return (index) => {
    const at = index === -1 ? -1 : positions.get(backends[index]!.id);
    return at === undefined ? null : room.limitOf(at);
  };
}

/** A gate that asks by itself for what came free, and only while something waits: an idle worker sleeps. */
export class TickingGate {
  readonly gate: Gate;
  #stop: (() => void) | null = null;

  /** @param elder the gate that this one takes the place of */
  constructor(
    plan: PoolPlan,
    rows: GateRows,
    room: GateRoom,
    pool: Pool,
    clock: Clock,
    tick: Ticker,
    elder: TickingGate | null,
  ) {
    const { counters, section } = rows;
    const { maxQueue, queueTimeoutMs } = plan.limits;
    this.gate = new Gate({
      pool,
      room,
      waiting: counters.waitingSlots(section, rows.pool),
      waitingFor: rows.backends.map((row) => counters.waitingSlots(section, row)),
      maxQueue,
      maxQueueFor: plan.backends.map((backend) => backend.maxQueue ?? maxQueue),
      queueTimeoutMs,
      clock,
      elder: elder === null ? null : elder.gate,
      onBusy: () => {
        this.#stop ??= tick(POLL_MS, () => this.#poll());
      },
    });
  }

  /** Asks no more, until something waits again. */
  stop(): void {
    this.#stop?.();
    this.#stop = null;
  }

  #poll(): void {
    try {
      this.gate.poll();
    } catch (error) {
      // One that was let in ended in it; the others wait on.
      tellDefect(error);
    }
    cork.flush();
    if (this.gate.idle) this.stop();
  }
}
