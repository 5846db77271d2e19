import type { Limits, Timeouts } from "../config/plan.ts";
import type { AttemptLimits } from "../http1/backend-connection.ts";
import type { Pool } from "../pool/pool.ts";
import type { BackendLink } from "./backend-link.ts";

/** A pool at work: what chooses, and the ways to what is chosen. */
export interface LivePool {
  readonly pool: Pool;
  /** By the position of the backend in the pool. */
  readonly links: readonly BackendLink[];
}

/** Where a route leads. */
export interface Target {
  readonly live: LivePool;
  readonly timeouts: Timeouts;
  readonly limits: Limits;
  /** What the codec needs to know of them. */
  readonly attempt: AttemptLimits;
}

/** A target of a route of the plan. */
export function makeTarget(live: LivePool, timeouts: Timeouts, limits: Limits): Target {
  const { connectMs, idleBackendMs } = timeouts;
  const { headBytes, fields, targetBytes, idleConnections } = limits;
  return {
    live,
    timeouts,
    limits,
    attempt: { connectMs, idleBackendMs, headBytes, fields, targetBytes, idleConnections },
  };
}
