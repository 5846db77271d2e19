import type { z } from "zod";
import { DEFAULT_POOL_LIMITS } from "./defaults.ts";
import { choice, duration, whole, wholeOrAuto } from "./leaves.ts";

/** More than this at a time is no limit. */
const MOST = 1_000_000;
/** A machine has no more of them. */
const MOST_CLIENTS = 100_000_000;

const MAX_CONNECTIONS =
  "Most requests (http) or open connections (tcp) at a time, over all workers; idle connections do not count. Without it there is no limit.";
const MAX_IN_FLIGHT =
  "Most requests (http) or open connections (tcp) at a time, over all workers; with `maxConnections` the smaller one holds. `auto` learns it from latency, in each worker for itself, for http only. See [limits.md](limits.md).";

/** Keys of the limits of the whole and of listeners, which no other place has. */
export const clientLimitKeys = {
  connections: whole(
    "Most clients' connections at a time, over all workers, each of which has an even part; those beyond it wait to be accepted. Only at the top level, where it holds for all listeners together, and on a listener, where it holds beside that. Without it as many as there are file descriptors for.",
    null,
    1,
    MOST_CLIENTS,
  ).optional(),
  connectionsPerAddress: whole(
    "Most connections at a time from one source address (from one /64 of IPv6), over all workers, each of which has an even part; those beyond it are reset. At the same places as `connections`. Without it there is no limit. See [limits.md](limits.md).",
    null,
    1,
    MOST_CLIENTS,
  ).optional(),
  overLimit: choice(
    ["reset", "503"],
    "What becomes of clients beyond `connections` and `connectionsPerAddress`: they are accepted, and reset or answered 503. At the same places; a listener without it has that of the whole. In mode tcp `503` is a reset. Without it those beyond `connections` wait to be accepted, and those beyond `connectionsPerAddress` are reset.",
    null,
  ).optional(),
} satisfies Record<string, z.ZodType>;

/** Keys of a pool's limits that no other place has. */
export const poolLimitKeys = {
  maxConnections: whole(MAX_CONNECTIONS, null, 1, MOST).optional(),
  maxInFlight: wholeOrAuto(MAX_IN_FLIGHT, 1, MOST).optional(),
  maxQueue: whole(
    "Most requests or connections that wait for room, over all workers; what comes beside them is answered 503 at once.",
    DEFAULT_POOL_LIMITS.maxQueue,
    0,
    MOST,
  ).optional(),
  queueTimeout: duration(
    "How long one may wait for room before it is answered 503; 0 for no deadline.",
    DEFAULT_POOL_LIMITS.queueTimeoutMs,
  ).optional(),
} satisfies Record<string, z.ZodType>;

/** Limits among the keys of a backend. */
export const backendLimitKeys = {
  maxConnections: whole(MAX_CONNECTIONS, null, 1, MOST).optional(),
  maxInFlight: wholeOrAuto(MAX_IN_FLIGHT, 1, MOST).optional(),
  maxQueue: whole(
    "Of those that wait, most that may wait for this backend alone, being pinned to it; what comes beside them goes to any. Without it as many as the pool lets wait.",
    null,
    0,
    MOST,
  ).optional(),
} satisfies Record<string, z.ZodType>;
