import { z } from "zod";

/**
 * What the admin API says: the shape of every resource and event, in its own words. The dashboard, `weir top` and the commands
 * read this file and nothing else of the API. Units stand in names; times are ISO 8601 in UTC, or milliseconds since 1970 where
 * the name ends in `TimeMs`. What is written is in `model-writes.ts`.
 */

const count = (what: string): z.ZodNumber => z.number().min(0).describe(what);
const whole = (what: string): z.ZodNumber => z.int().min(0).describe(what);
const time = (what: string): z.ZodString => z.string().describe(`${what}; ISO 8601, UTC`);

/** Of latencies; `null` where nothing was answered. */
export const quantilesSchema = z.object({
  p50Ms: z.number().nullable().describe("half of the answers took no longer; milliseconds; null without answers"),
  p90Ms: z.number().nullable().describe("nine of ten took no longer"),
  p99Ms: z.number().nullable().describe("99 of 100 took no longer"),
});
export type Quantiles = z.infer<typeof quantilesSchema>;

/** Counters since Weir started; they only grow, but for a worker that died, whose part is gone. */
export const totalsSchema = z.object({
  connections: count("connections accepted (listeners) or opened (backends)"),
  requests: count("requests received (listeners) or attempts (backends)"),
  responses2xx: count("responses with status 200 to 299"),
  responses3xx: count("responses with status 300 to 399"),
  responses4xx: count("responses with status 400 to 499"),
  responses5xx: count("responses with status 500 to 599"),
  failures: count("requests, attempts or connections that ended with an error code of docs/errors.md"),
  retries: count("attempts repeated after this backend failed"),
  hedges: count("second attempts beside one that took long elsewhere"),
  bytesIn: count("bytes from clients towards backends"),
  bytesOut: count("bytes from backends towards clients"),
});
export type Totals = z.infer<typeof totalsSchema>;

/** What happened of late, over the last `windowMs`. */
export const ratesSchema = z.object({
  windowMs: count("over how long; 0 where Weir has just started"),
  requestsPerSecond: count("requests or attempts a second"),
  connectionsPerSecond: count("connections a second"),
  failuresPerSecond: count("of `failures`, a second"),
  responses5xxPerSecond: count("responses with status 500 to 599 a second"),
  bytesInPerSecond: count("bytes a second from clients"),
  bytesOutPerSecond: count("bytes a second to clients"),
  latency: quantilesSchema.describe("until the response's head, of the answers of this time"),
});
export type Rates = z.infer<typeof ratesSchema>;

export const workerSchema = z.object({
  worker: whole("its number; it stays when the process is replaced"),
  pid: z.int().nullable().describe("process id; null while there is none"),
  state: z.enum(["starting", "running", "waiting", "draining", "gone"]).describe("`waiting`: for its replacement"),
  startedAt: time("when its process started").nullable(),
  deaths: whole("how often its process died"),
  leavingPid: z
    .int()
    .nullable()
    .describe("the process before it, which finishes what it has open; null where there is none"),
});

/** `GET /v1/status`. */
export const statusSchema = z.object({
  version: z.string().describe("of Weir"),
  pid: z.int().describe("process id of the supervisor"),
  phase: z.enum(["starting", "running", "draining", "stopped"]),
  startedAt: time("when this Weir started"),
  upMs: count("how long it has been running, in milliseconds"),
  generation: whole("number of the plan in force: 1 at the start, one more with each change"),
  configFile: z.string().nullable().describe("the file it runs; null where flags say everything"),
  planHash: z.string().describe("hash of the plan in force"),
  edits: z.object({
    persisted: whole("run-time edits that survive a restart"),
    forNow: whole("run-time edits that hold until a restart"),
  }),
  workers: z.array(workerSchema),
  listeners: whole("how many there are"),
  pools: whole("how many there are"),
  backends: z.object({ total: whole("in all pools"), up: whole("of them, those that may get work") }),
  inFlight: whole("requests and connections under way at backends"),
  totals: totalsSchema.describe("of all listeners"),
  rates: ratesSchema.describe("of all listeners; latency of all backends"),
});
export type Status = z.infer<typeof statusSchema>;
export type WorkerStatus = z.infer<typeof workerSchema>;

/** An edit that was made while Weir runs, over what the file says. */
export const editViewSchema = z.object({
  persist: z.boolean().describe("whether it survives a restart"),
  madeAt: time("when it was made"),
  text: z.string().describe("the edit in words"),
  applies: z.boolean().describe("false where what it changes is gone from the configuration"),
});
export type EditView = z.infer<typeof editViewSchema>;

/** `GET /v1/config`. */
export const configViewSchema = z.object({
  generation: whole("number of the plan in force"),
  file: z.string().nullable().describe("where it came from; null for flags"),
  configuration: z.unknown().describe("as docs/configuration.md has it, run-time edits included; secrets are `***`"),
  edits: z.array(editViewSchema),
});
export type ConfigView = z.infer<typeof configViewSchema>;

export const listenerSchema = z.object({
  name: z.string(),
  address: z.string().describe("as it was bound"),
  mode: z.enum(["http", "tcp"]),
  routes: whole("how many routes it has"),
  connections: whole("clients' connections open now"),
  totals: totalsSchema,
  rates: ratesSchema.describe("latency is told by pools, not here"),
});
export type ListenerView = z.infer<typeof listenerSchema>;

export const routeSchema = z.object({
  id: z.string().describe("listener, colon, host and path: `web:api.example.com/v1/*`; `*` for every host"),
  listener: z.string(),
  host: z.string().nullable().describe("null for every host"),
  path: z.string().nullable().describe("null for every path"),
  pool: z.string(),
});
export type RouteView = z.infer<typeof routeSchema>;

/** What a backend is, the worst first that holds. The position in this list is its number in `/v1/live`. */
export const BACKEND_STATES = ["up", "starting", "ramp", "drain", "maintenance", "ejected", "down"] as const;
export const backendStateSchema = z
  .enum(BACKEND_STATES)
  .describe(
    "`up`; `starting`: not probed yet; `ramp`: slow start; `drain`: takes no new work; `maintenance`: left alone; " +
      "`ejected`: out for a time, the traffic failed; `down`: its probes fail",
  );
export type BackendState = z.infer<typeof backendStateSchema>;

export const backendSchema = z.object({
  pool: z.string(),
  id: z.string().describe("its address; with the pool's name its identity"),
  state: backendStateSchema,
  why: z.string().describe("in words, for people; empty where there is nothing to say"),
  since: time("since when it is so").nullable().describe("since when it is so, ISO 8601; null where it never changed"),
  wantedState: z.enum(["ready", "drain", "maintenance"]).describe("what the configuration or an operator asks for"),
  takesWork: z.boolean().describe("whether it gets new work now"),
  weight: whole("as configured or set at run time"),
  effectiveWeight: count("what it counts for now: slow start, advice and panic included; 0 gets no new work"),
  share: z.number().min(0).max(1).describe("part of the pool's effective weights"),
  trafficShare: z.number().min(0).max(1).describe("part of the pool's requests of late"),
  tier: whole("0 is asked first"),
  zone: z.string().nullable(),
  probe: z
    .object({
      passed: z.boolean(),
      tookMs: count("milliseconds"),
      why: z.string().describe("why it failed; empty where it passed"),
      code: z.string().nullable().describe("of docs/errors.md; null where it passed or the answer was not as expected"),
    })
    .nullable()
    .describe("the last probe; null where there was none"),
  progress: z
    .object({
      of: z.enum(["rise", "fall"]).describe("towards up, or towards down"),
      done: whole("probes in a row that speak for the change"),
      needed: whole("how many it takes"),
    })
    .nullable()
    .describe("how far a change of state has got; null while nothing changes"),
  ejectedUntil: time("when it comes back").nullable().describe("ISO 8601; null where it is not ejected"),
  inFlight: whole("requests or connections under way"),
  waiting: whole("requests that wait for this backend alone"),
  totals: totalsSchema,
  rates: ratesSchema,
});
export type BackendView = z.infer<typeof backendSchema>;

export const poolSchema = z.object({
  name: z.string(),
  policy: z.string(),
  panic: z.boolean().describe("too few backends are healthy: all get work"),
  healthy: whole("backends that are healthy"),
  takesWork: whole("backends that get new work now"),
  inFlight: whole("requests or connections under way"),
  waiting: whole("requests that wait for room"),
  routes: z.array(z.string()).describe("ids of the routes that lead here"),
  totals: totalsSchema,
  rates: ratesSchema,
  backends: z.array(backendSchema),
});
export type PoolView = z.infer<typeof poolSchema>;

export const connectionSchema = z.object({
  id: z.string().describe("process id, hyphen, number: `4242-1839204817`; good while it is open, and never another's"),
  worker: whole("the worker that has it"),
  listener: z.string(),
  mode: z.enum(["http", "tcp"]),
  client: z.string().nullable().describe("its address; null for a unix socket"),
  state: z.enum(["idle", "active", "tunnel"]).describe("`tunnel`: TCP, or upgraded, as a WebSocket is"),
});

/** `GET /v1/connections?limit=&listener=&client=&state=`. */
export const connectionsSchema = z.object({
  connections: z.array(connectionSchema),
  total: whole("that fit the filter, listed or not"),
  truncated: z.boolean().describe("whether `limit` left some out"),
});
export type ConnectionsView = z.infer<typeof connectionsSchema>;

/**
 * One event: a log line and an event of `GET /v1/events`, whose `id` is the SSE id and whose data this is. Names are those of the log:
 * `backend down`, `backend up`, `backend ejected`, `worker died`, `admin write` and so on.
 */
export const eventSchema = z.object({
  id: whole("rises by one with each event, and by more with an upgrade or a restart"),
  time: time("when it happened"),
  level: z.enum(["info", "warn", "error"]),
  event: z.string(),
  fields: z
    .record(z.string(), z.unknown())
    .describe("what belongs to it: `pool`, `backend`, `why`, `worker`, `code` …"),
});
export type EventView = z.infer<typeof eventSchema>;
