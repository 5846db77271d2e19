import type { DrainPlan, HedgePlan, Limits, PoolLimits, RetryPlan, Timeouts } from "../../plan.ts";

/** In force where the configuration says nothing nearer. */
export const DEFAULT_TIMEOUTS: Timeouts = {
  headMs: 10_000,
  keepAliveMs: 60_000,
  bodyMs: 30_000,
  connectMs: 3000,
  responseMs: 60_000,
  idleBackendMs: 4000,
  idleMs: 3_600_000,
  totalMs: 0,
};

/** In force where the configuration says nothing nearer. */
export const DEFAULT_LIMITS: Limits = {
  headBytes: 32_768,
  fields: 128,
  targetBytes: 8192,
  bodyBytes: null,
  idleConnections: 128,
};

/** In force where the configuration says nothing: what cannot have reached a backend goes to another one, and what may be sent twice. */
export const DEFAULT_RETRY: RetryPlan = {
  attempts: 3,
  on: ["connect-failure", "reset"],
  statuses: [],
  attemptMs: 0,
  // The idempotent ones (RFC 9110 §9.2.2).
  methods: ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"],
};

/** What `hedge` is where it is on and says nothing more. */
export const DEFAULT_HEDGE: HedgePlan = { after: { kind: "quantile", q: 0.95 }, budget: 0.02 };

/** In force for a pool that says nothing: no limit, and so no queue. With one, a queue that a burst fits into and a wait that clients put up with. */
export const DEFAULT_POOL_LIMITS: PoolLimits = {
  maxConnections: null,
  maxInFlight: null,
  maxQueue: 1000,
  queueTimeoutMs: 5000,
};

/** What keyed policies choose by where the configuration says nothing: all that there is without HTTP. HAProxy's `balance source`. */
export const DEFAULT_KEY = "source";

/** The cookie of a pool's affinity where the configuration names none, and its `Path`. */
export const DEFAULT_COOKIE = "weir";
export const DEFAULT_COOKIE_PATH = "/";

/** How long a backend that drains keeps its pinned clients where the configuration says nothing: most sessions are over then. */
export const DEFAULT_PINNED_MS = 3_600_000;

/** Where the admin API listens where the configuration says nothing: on the loopback only. */
export const DEFAULT_ADMIN = "127.0.0.1:9900";

/** How long what a change removes may finish what it has, where the configuration says nothing: any request, and most sessions. */
export const DEFAULT_DRAIN: DrainPlan = { requestsMs: 30_000, tunnelsMs: 3_600_000 };

/** How long a drain may take where the configuration says nothing. */
export const DEFAULT_SHUTDOWN_MS = 30_000;
