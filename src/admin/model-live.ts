import { z } from "zod";
import { quantilesSchema, totalsSchema } from "./model.ts";

/**
 * `GET /v1/live`: server-sent events for a view that moves. First a `shape`, then a `tick` each second, and a `shape` again before the
 * first tick of another generation. Numbers of a tick stand in rows, so that 500 backends are some 30 KB a second; the columns are the
 * lists below, and rows are in the order of the shape. Counters are since start: the difference of two ticks is a rate, and a tick
 * that was missed costs nothing.
 */

/** Columns of a backend's row. `state`: position in `BACKEND_STATES`. Latency is of the answers of the last second; `null` without any. */
export const LIVE_BACKEND_COLUMNS = [
  "state",
  "effectiveWeight",
  "inFlight",
  "connections",
  "requests",
  "responses5xx",
  "failures",
  "p50Ms",
  "p90Ms",
  "p99Ms",
] as const;

/** Columns of a pool's row: sums over its backends, latency of all of them together. `panic`: 1 while it panics. */
export const LIVE_POOL_COLUMNS = [
  "panic",
  "waiting",
  "inFlight",
  "connections",
  "requests",
  "responses5xx",
  "failures",
  "p50Ms",
  "p90Ms",
  "p99Ms",
] as const;

export type LiveBackendColumn = (typeof LIVE_BACKEND_COLUMNS)[number];
export type LivePoolColumn = (typeof LIVE_POOL_COLUMNS)[number];

/** Data of the event `shape`: what the rows of the ticks that follow belong to. */
export const liveShapeSchema = z.object({
  generation: z.int(),
  version: z.string().describe("of Weir"),
  listeners: z.array(z.object({ name: z.string(), address: z.string(), mode: z.enum(["http", "tcp"]) })),
  pools: z.array(
    z.object({
      name: z.string(),
      policy: z.string(),
      backends: z.array(z.object({ id: z.string(), weight: z.int().describe("as configured or set") })),
    }),
  ),
  backendColumns: z.array(z.enum(LIVE_BACKEND_COLUMNS)),
  poolColumns: z.array(z.enum(LIVE_POOL_COLUMNS)),
});
export type LiveShape = z.infer<typeof liveShapeSchema>;

const row = z.array(z.number().nullable());

/** Data of the event `tick`. */
export const liveTickSchema = z.object({
  generation: z.int().describe("that of the last shape"),
  nowTimeMs: z.number().describe("milliseconds since 1970"),
  phase: z.enum(["starting", "running", "draining", "stopped"]),
  workers: z.int().describe("that accept"),
  connections: z.int().describe("clients' connections open now"),
  inFlight: z.int().describe("requests and connections under way at backends"),
  totals: totalsSchema.describe("of all listeners, since start"),
  latency: quantilesSchema.describe("of all backends, of the last second"),
  pools: z.array(row).describe("a row for each pool of the shape"),
  backends: z.array(z.array(row)).describe("for each pool of the shape a row for each of its backends"),
});
export type LiveTick = z.infer<typeof liveTickSchema>;
