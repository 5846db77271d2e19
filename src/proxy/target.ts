import type { Limits, RoutePlan, Timeouts } from "../plan.ts";
import type { ErrorCode } from "../errors.ts";
import type { Head } from "../http/head.ts";
import type { Origin, OutboundStream, ResponseEvents } from "../http/streams.ts";
import type { AttemptLimits } from "../http1/backend-connection.ts";
import type { Row } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { Affinity } from "../pool/affinity.ts";
import type { Gate } from "../pool/gate.ts";
import type { LatencyWindow } from "../pool/latency-window.ts";
import type { Pool } from "../pool/pool.ts";
import type { PoolEvidence } from "../pool/pool-evidence.ts";
import type { RetryBudget } from "../pool/retry-budget.ts";
import type { BackendLink } from "./backend-link.ts";
import { Hedge } from "./hedge.ts";
import { Retry } from "./retry.ts";

/** Which streams will do for an attempt: one on any connection that is there, on one used just now, or on a new one only. */
export type Reuse = "any" | "recent" | "none";

/** The way to one backend as an exchange sees it, whatever protocol is spoken there. */
export interface Link {
  /** The backend's address in canonical text. */
  readonly id: string;
  /** Counters of the backend. */
  readonly row: Row;
  /** Leases a stream for one attempt. `attemptFailed` may come before this returns; nothing else does. */
  lease(events: ResponseEvents, limits: AttemptLimits, reuse: Reuse): OutboundStream;
  /** Says in the log what an attempt on this backend came to; not for each one. */
  report(log: Log, event: "backend failed over" | "backend failed", code: ErrorCode, detail: string): void;
  /** A reused connection was closed by the backend while a request was on its way. */
  sawStale(): void;
  /** A response is read that nobody wants, so that its connection can be used again; it is given up with the idle connections. */
  discards(unwanted: Unwanted): void;
  /** Its response is over. */
  discarded(unwanted: Unwanted): void;
}

/** A response that nobody wants. */
export interface Unwanted {
  /** Gives it up, and its connection. */
  giveUp(): void;
}

/** What the policy of a pool chooses by, where that is a key. */
export interface PoolKey {
  /** The key of a request as a policy takes it. */
  ofRequest(request: Head, origin: Origin): number;
  /** The key of a TCP connection, by the address of its client. */
  ofConnection(address: string): number;
}

/** Who learns how attempts went, where a policy asks for it. Times in milliseconds, latencies in microseconds. */
export interface Feedback {
  /** A backend answered. */
  answered(index: number, microseconds: number, now: number): void;
  /** An attempt on it failed, or was answered with a server error. */
  failed(index: number, microseconds: number, now: number): void;
}

/** A pool at work: what chooses, and the ways to what is chosen. */
export interface LivePool<L extends Link = BackendLink> {
  readonly pool: Pool;
  /** Counters of the pool: how long its exchanges take. */
  readonly row: Row;
  /** `null` where the policy has no key: nothing is then read of a request for it. */
  readonly key: PoolKey | null;
  /** `null` where the policy asks for no latency or failure: no clock is then read for it. */
  readonly feedback: Feedback | null;
  /** Who is told what attempts say of the health of backends. */
  readonly health: PoolEvidence;
  /** Lets in what there is room for; `null` where nothing is limited. */
  readonly gate: Gate | null;
  /** Which clients belong to which backends; `null` where they are free. */
  readonly affinity: Affinity | null;
  /** How long its answers took lately; `null` where nobody asks. */
  readonly latencies: LatencyWindow | null;
  /** How many attempts there may be after others that failed. */
  readonly budget: RetryBudget;
  /** By the position of the backend in the pool. */
  readonly links: readonly L[];
}

/** Where a route leads. */
export interface Target<L extends Link = BackendLink> {
  /** What the route matches, for logs and traces: `api.example.com/v1/*`. */
  readonly route: string;
  readonly live: LivePool<L>;
  readonly timeouts: Timeouts;
  readonly limits: Limits;
  /** What the codec needs to know of them. */
  readonly attempt: AttemptLimits;
  /** When an attempt that failed is followed by another. */
  readonly retry: Retry;
  /** When a second attempt is made beside one that takes long; `null` for never. */
  readonly hedge: Hedge | null;
}

/** A target of a route of the plan. */
export function makeTarget(live: LivePool, route: RoutePlan, workers: number): Target {
  const { timeouts, limits, retry, hedge } = route;
  const { connectMs, idleBackendMs } = timeouts;
  const { headBytes, fields, targetBytes, idleConnections } = limits;
  return {
    route: `${route.host ?? "*"}${route.path ?? "/*"}`,
    live,
    timeouts,
    limits,
    attempt: { connectMs, idleBackendMs, headBytes, fields, targetBytes, idleConnections },
    retry: new Retry(retry, live.budget),
    hedge: hedge === null ? null : new Hedge(hedge, live.latencies, workers),
  };
}
