import type { Limits, Timeouts } from "../plan.ts";
import type { ErrorCode } from "../errors.ts";
import type { OutboundStream, ResponseEvents } from "../http/streams.ts";
import type { AttemptLimits } from "../http1/backend-connection.ts";
import type { Row } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { Pool } from "../pool/pool.ts";
import type { BackendLink } from "./backend-link.ts";

/** Which streams will do for an attempt: one on any connection that is there, on one used just now, or on a new one only. */
export type Reuse = "any" | "recent" | "none";

/** The way to one backend as an exchange sees it, whatever protocol is spoken there. */
export interface Link {
  /** Counters of the backend. */
  readonly row: Row;
  /** Leases a stream for one attempt. `attemptFailed` may come before this returns; nothing else does. */
  lease(events: ResponseEvents, limits: AttemptLimits, reuse: Reuse): OutboundStream;
  /** Says that work went elsewhere because this backend could not be reached. */
  reportFailover(log: Log, code: ErrorCode, detail: string): void;
}

/** A pool at work: what chooses, and the ways to what is chosen. */
export interface LivePool<L extends Link = BackendLink> {
  readonly pool: Pool;
  /** By the position of the backend in the pool. */
  readonly links: readonly L[];
}

/** Where a route leads. */
export interface Target<L extends Link = BackendLink> {
  readonly live: LivePool<L>;
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
