import type { Clock } from "../clock.ts";
import { cork } from "../net/cork.ts";
import { tellDefect } from "../net/defects.ts";
import type { Ticker } from "../net/network.ts";
import type { Counters } from "../observe/counters.ts";
import type { PoolPlan } from "../plan.ts";
import { Gate, POLL_MS } from "../pool/gate.ts";
import { GateRoom, isLimited } from "../pool/gate-room.ts";
import type { Pool } from "../pool/pool.ts";

/** Whose counts a gate goes by. */
export interface GateRows {
  readonly counters: Counters;
  readonly worker: number;
  /** Row of the pool. */
  readonly pool: number;
  /** Rows of its backends. */
  readonly backends: readonly number[];
}

/** The slots of a pool and its backends; `null` where nothing is limited, and then there is no gate. */
export function makeRoom({ limits, backends }: PoolPlan, { counters, worker, ...rows }: GateRows): GateRoom | null {
  if (!isLimited(limits, backends)) return null;
  const slots = rows.backends.map((row) => counters.inFlightSlots(worker, row));
  return new GateRoom(limits, counters.inFlightSlots(worker, rows.pool), backends, slots);
}

/** A gate that asks by itself for what came free, and only while something waits: an idle worker sleeps. */
export class TickingGate {
  readonly gate: Gate;
  #stop: (() => void) | null = null;

  constructor(plan: PoolPlan, rows: GateRows, room: GateRoom, pool: Pool, clock: Clock, tick: Ticker) {
    const { counters, worker } = rows;
    const { maxQueue, queueTimeoutMs } = plan.limits;
    this.gate = new Gate({
      pool,
      room,
      waiting: counters.waitingSlots(worker, rows.pool),
      waitingFor: rows.backends.map((row) => counters.waitingSlots(worker, row)),
      maxQueue,
      maxQueueFor: plan.backends.map((backend) => backend.maxQueue ?? maxQueue),
      queueTimeoutMs,
      clock,
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
