import type { CountersShape } from "../observe/counters.ts";
import type { Plan } from "../plan.ts";

/** Where in the shared memory the numbers of a plan are. Plain data: the supervisor says it, each worker goes by it. */
export interface Placement {
  /** Room of the shared memory; the same as long as Weir runs. */
  readonly shape: CountersShape;
  /** Row of each backend, by the position of its pool in the plan and its own in the pool. */
  readonly backends: readonly (readonly number[])[];
  /** Row of each listener, by its position in the plan. */
  readonly listeners: readonly number[];
  /** Row of each pool, by its position in the plan: how long its exchanges take, and where its policy or its limits ask for it what is in flight and what waits. */
  readonly pools: readonly number[];
  /** Of each pool, by its position in the plan: its cursor, and its line of the words of health. */
  readonly lines: readonly number[];
}

/** Rows that a plan needs: one for each backend, listener and pool. */
export function rowsNeeded({ pools, listeners }: Plan): number {
  return pools.reduce((sum, { backends }) => sum + backends.length + 1, listeners.length);
}

/** Rows that there is room for at least, for what may be added to a small configuration. */
const LEAST_ROWS = 16_384;
/** The same of pools. */
const LEAST_LINES = 4_096;

/** Room for a plan and what may become of it while Weir runs: twice as much at least. Memory is only taken where it is used. */
export function capacityFor(plan: Plan, workers: number): CountersShape {
  return {
    workers,
    rows: Math.max(LEAST_ROWS, 2 * rowsNeeded(plan)),
    cursors: Math.max(LEAST_LINES, 2 * plan.pools.length),
  };
}

/** A placement of its own for a plan that never changes: the same answer wherever it is asked for. */
export function placementOf(plan: Plan, workers: number): Placement {
  let next = 0;
  const backends = plan.pools.map((pool) => pool.backends.map(() => next++));
  const listeners = plan.listeners.map(() => next++);
  const pools = plan.pools.map(() => next++);
  const lines = plan.pools.map((_, line) => line);
  return { shape: { workers, rows: next, cursors: lines.length }, backends, listeners, pools, lines };
}
