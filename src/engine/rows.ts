import type { Plan } from "../plan.ts";
import type { CountersShape } from "../observe/counters.ts";

/** Which row of the shared counters belongs to what. */
export interface Rows {
  readonly shape: CountersShape;
  /** Row of each backend, by the position of its pool in the plan and its own in the pool. */
  readonly backends: readonly (readonly number[])[];
  /** Row of each listener, by its position in the plan. */
  readonly listeners: readonly number[];
  /** Row of each pool, by its position in the plan. Only what is in flight and what waits is counted there, where its policy or its limits ask for it. */
  readonly pools: readonly number[];
}

/** Gives every backend, listener and pool of a plan its row: the same answer in the supervisor and in every worker. */
export function rowsOf(plan: Plan, workers: number): Rows {
  let next = 0;
  const backends = plan.pools.map((pool) => pool.backends.map(() => next++));
  const listeners = plan.listeners.map(() => next++);
  const pools = plan.pools.map(() => next++);
  return { shape: { workers, rows: next, cursors: plan.pools.length }, backends, listeners, pools };
}
