import type { Limits, Timeouts } from "../plan.ts";

/** In force where the configuration says nothing nearer. */
export const DEFAULT_TIMEOUTS: Timeouts = {
  headMs: 10_000,
  keepAliveMs: 60_000,
  bodyMs: 30_000,
  connectMs: 3000,
  responseMs: 60_000,
  idleBackendMs: 4000,
  idleMs: 3_600_000,
};

/** In force where the configuration says nothing nearer. */
export const DEFAULT_LIMITS: Limits = {
  headBytes: 32_768,
  fields: 128,
  targetBytes: 8192,
  bodyBytes: null,
  idleConnections: 128,
  attempts: 3,
};

/** What keyed policies choose by where the configuration says nothing: all that there is without HTTP. HAProxy's `balance source`. */
export const DEFAULT_KEY = "source";

/** Where the admin API listens where the configuration says nothing: on the loopback only. */
export const DEFAULT_ADMIN = "127.0.0.1:9900";

/** How long a drain may take where the configuration says nothing. */
export const DEFAULT_SHUTDOWN_MS = 30_000;
