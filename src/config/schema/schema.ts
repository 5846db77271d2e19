import { z } from "zod";
import { DEFAULT_OPTIONS } from "../../balance/policy.ts";
import { DEFAULT_POLICY, POLICIES } from "../../balance/registry.ts";
import { MAX_WEIGHT } from "../check/addresses.ts";
import { adminSchema } from "./admin-schema.ts";
import { affinitySchema, stateFolderSchema } from "./affinity-schema.ts";
import { drainSchema } from "./drain-schema.ts";
import { explainSchema } from "./explain-schema.ts";
import { healthSchema, slowStartSchema } from "./health-schema.ts";
import { accessLogSchema, requestIdSchema, tracingSchema } from "./observe-schema.ts";
import { hedgeSchema, poolRetrySchema, routeRetrySchema } from "./retry-schema.ts";
import { backendLimitKeys, clientLimitKeys, poolLimitKeys } from "./limits-schema.ts";
import { DEFAULT_KEY, DEFAULT_LIMITS, DEFAULT_SHUTDOWN_MS, DEFAULT_TIMEOUTS } from "./defaults.ts";
import {
  above,
  account,
  block,
  choice,
  duration,
  flag,
  hashKey,
  host,
  key,
  listening,
  path,
  reaching,
  reachingWithWeight,
  reference,
  size,
  sizeOrNone,
  whole,
  zone,
} from "./leaves.ts";

const SECTION = { expects: "a section with keys", type: "section" } as const;
/** A head with what Weir adds has to fit the buffer in which it is written (net/cork.ts). */
const LARGEST_HEAD: number = 64 * 2 ** 10;

const timeouts = z.strictObject({
  head: duration(
    "From a client's first byte of a request, or from accepting it, until the request's head is complete.",
    DEFAULT_TIMEOUTS.headMs,
  ).optional(),
  keepAlive: duration(
    "How long a client's connection may wait idle for its next request.",
    DEFAULT_TIMEOUTS.keepAliveMs,
  ).optional(),
  body: duration(
    "How long a body, in either direction, may make no progress, and what an end of a tunnel that is gone has left for the other.",
    DEFAULT_TIMEOUTS.bodyMs,
  ).optional(),
  connect: duration("Until a backend has accepted a connection.", DEFAULT_TIMEOUTS.connectMs).optional(),
  response: duration(
    "From the end of the request until the backend's response head.",
    DEFAULT_TIMEOUTS.responseMs,
  ).optional(),
  idleBackend: duration(
    "How long an idle connection to a backend is kept; the backend's own `Keep-Alive: timeout=` may shorten it.",
    DEFAULT_TIMEOUTS.idleBackendMs,
  ).optional(),
  idle: duration(
    "How long a TCP connection, or an upgraded one, may pass no byte in either direction.",
    DEFAULT_TIMEOUTS.idleMs,
  ).optional(),
  total: duration(
    "From a request's head until the last byte of its response, waiting and further attempts included; a long download ends with it.",
    DEFAULT_TIMEOUTS.totalMs,
  ).optional(),
});

const limits = z.strictObject({
  head: size("Bytes of a head, of a request or a response.", DEFAULT_LIMITS.headBytes, 256, LARGEST_HEAD).optional(),
  fields: whole("Fields of a head, of a request or a response.", DEFAULT_LIMITS.fields, 1, 10_000).optional(),
  target: size("Bytes of a request's target (the URL).", DEFAULT_LIMITS.targetBytes, 1, LARGEST_HEAD).optional(),
  body: sizeOrNone("Bytes of a request's body.").optional(),
  idleConnections: whole(
    "Idle connections kept to a backend, by each worker.",
    DEFAULT_LIMITS.idleConnections,
    0,
    65_535,
  ).optional(),
});

/** Connections are counted where they are accepted. */
const clientLimits = limits.extend(clientLimitKeys);

/** What is under way at a time is counted by pools. */
const poolLimits = limits.extend(poolLimitKeys);

/** On a pool or route: which one a request goes to is known when its head is complete. */
const laterTimeouts = timeouts.omit({ head: true });

function laterTimeoutsFor(of: string): typeof laterTimeouts {
  return key(laterTimeouts, `Deadlines ${of}; 0 switches one off.`, SECTION);
}

function timeoutsFor(of: string): typeof timeouts {
  return key(timeouts, `Deadlines ${of}; 0 switches one off.`, SECTION);
}

function clientLimitsFor(of: string): typeof clientLimits {
  return key(clientLimits, `Bounds ${of}.`, SECTION);
}

function limitsFor(of: string): typeof limits {
  return key(limits, `Bounds ${of}.`, SECTION);
}

const route = z.strictObject({
  host: host(
    "The host that a request must name: exact, or `*.example.com` for any name below it. Case and port play no part.",
  ).optional(),
  path: path("The path that a request must have: exact, or a prefix ending in `/*`.").optional(),
  pool: reference("Where matching requests go.", "pool"),
  timeouts: laterTimeoutsFor("of this route, over those of its pool, its listener and the whole").optional(),
  limits: limitsFor("of this route, over those of its pool, its listener and the whole").optional(),
  retry: routeRetrySchema.optional(),
  hedge: hedgeSchema.optional(),
});

const listener = z.strictObject({
  address: listening("Where to accept: `:8080` is every interface, port 0 lets the system choose."),
  mode: choice(["http", "tcp"], "`http` balances requests, `tcp` balances connections.", "http").optional(),
  pool: reference("Where everything goes; instead of `routes`.", "pool").optional(),
  routes: key(
    z
      .array(key(route, "A match and where it goes. The most specific route wins, whatever the order.", SECTION))
      .readonly(),
    "Which requests go where; instead of `pool`.",
    { expects: "a list of routes", type: "list" },
  )
    .meta({ minItems: 1 })
    .optional(),
  via: flag("Adds a `Via` field to requests and responses.", false).optional(),
  accessLog: accessLogSchema.optional(),
  timeouts: timeoutsFor("of this listener, over those of the whole").optional(),
  limits: clientLimitsFor("of this listener, over those of the whole").optional(),
});

const longBackend = z.strictObject({
  address: reaching("Where it is reached; without a host (`:8001`) on the loopback."),
  weight: whole(
    "Its share of the work, in proportion to the other weights; 0 takes no new work.",
    1,
    0,
    MAX_WEIGHT,
    "CONFIG_BAD_WEIGHT",
  ).optional(),
  ...backendLimitKeys,
  state: choice(
    ["ready", "drain", "maintenance"],
    "`drain` takes no new work and is still probed; `maintenance` is left alone.",
    "ready",
  ).optional(),
  tier: whole(
    "0 is asked first; the next tier takes over in proportion as the former's backends fail.",
    0,
    0,
    99,
  ).optional(),
  zone: zone("Where it stands; a Weir in the same zone prefers it.", "none").optional(),
});

const backend = z
  .union([
    reachingWithWeight("An address, with or without a weight: `127.0.0.1:8001,weight=2`."),
    key(longBackend, "A backend with keys of its own.", SECTION),
  ])
  .transform((given) => ({
    weight: 1,
    maxConnections: null,
    maxInFlight: null,
    maxQueue: null,
    state: "ready" as const,
    tier: 0,
    zone: null,
    ...given,
  }));

const policyNames = [...POLICIES.keys()];
const longPolicy = z.strictObject({
  name: choice(policyNames, "How a backend is chosen; see [policies.md](policies.md).", null),
  load: choice(
    ["in-flight", "peak-ewma"],
    "What `two-choices` compares: how much is in flight, or how long that will take.",
    DEFAULT_OPTIONS.load,
  ).optional(),
  key: hashKey(
    "What `rendezvous`, `ring` and `maglev` choose by. On a pool that a tcp listener leads to only `source`.",
    DEFAULT_KEY,
  ).optional(),
  maxLoadFactor: above(
    "How many times its even share of what is in flight a backend may have before its keys go to others; for `rendezvous`, `ring` and `maglev`.",
    "no bound",
    1,
    1000,
    1.25,
  ).optional(),
});

const pool = z.strictObject({
  policy: key(
    z.union([
      choice(policyNames, "How a backend is chosen.", DEFAULT_POLICY),
      key(longPolicy, "A policy with keys of its own.", SECTION),
    ]),
    "How a backend is chosen.",
    {
      expects: `one of ${policyNames.join(", ")}`,
      type: `${policyNames.map((each) => `\`${each}\``).join(", ")} or section`,
      fallback: DEFAULT_POLICY,
    },
  ).optional(),
  backends: key(
    z
      .array(
        key(backend, "A server of the pool.", {
          expects: "an address or a section with address",
          type: "address or section",
          code: "CONFIG_BAD_ADDRESS",
        }),
      )
      .readonly(),
    "The servers of the pool.",
    { expects: "a list of backends", type: "list", missing: "CONFIG_EMPTY_POOL" },
  ).meta({ minItems: 1 }),
  affinity: affinitySchema.optional(),
  health: healthSchema.optional(),
  slowStart: slowStartSchema.optional(),
  retry: poolRetrySchema.optional(),
  hedge: hedgeSchema.optional(),
  timeouts: laterTimeoutsFor("of what goes to this pool, over those of the listener and the whole").optional(),
  limits: key(
    poolLimits,
    "Bounds of what goes to this pool, over those of the listener and the whole, and of what is under way in it.",
    SECTION,
  ).optional(),
});

const name = z.string().meta({ pattern: "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" });

/** The schema of a configuration; its output has every text read: addresses, durations in milliseconds, sizes in bytes. */
export const configSchema = z.strictObject({
  $schema: key(z.string(), "Where the JSON Schema is; for editors.", { expects: "a text", type: "text" }).optional(),
  listeners: key(
    z.record(name, key(listener, "An address that Weir accepts on.", SECTION)),
    "The addresses that Weir accepts on, by name.",
    { expects: "a section of listeners by name", type: "section" },
  ),
  pools: key(
    z.record(name, key(pool, "A named set of backends with one policy.", SECTION)),
    "The sets of backends, by name.",
    { expects: "a section of pools by name", type: "section" },
  ),
  workers: key(
    z.union([whole("A number of workers.", null, 1, 1024), choice(["auto"], "One per core.", "auto")]),
    "How many worker processes; `auto` is one per core.",
    { expects: 'a whole number from 1 to 1024, or "auto"', type: "number, 1 to 1024, or `auto`", fallback: "auto" },
  ).optional(),
  user: account(
    "Whom workers run as where Weir is started as root, which the supervisor remains.",
    "user",
    "as who starts Weir",
  ).optional(),
  group: account("The only group of these workers.", "group", "the user's own").optional(),
  zone: zone("Where this Weir stands: backends of the same zone get work first.", "no preference").optional(),
  admin: adminSchema.optional(),
  trustedProxies: key(
    z.array(block("An IP address or a CIDR block.")).readonly(),
    "Whose `X-Forwarded-*` fields are believed and appended to; those of others are replaced.",
    {
      expects: "a list of IP addresses and CIDR blocks",
      type: "list of IP addresses and CIDR blocks",
      fallback: "nobody",
    },
  ).optional(),
  accessLog: accessLogSchema.optional(),
  requestId: requestIdSchema.optional(),
  tracing: tracingSchema.optional(),
  timeouts: timeoutsFor("of everything").optional(),
  limits: clientLimitsFor("of everything").optional(),
  shutdown: key(
    z.strictObject({
      timeout: duration(
        "How long a drain may take before what is still open is closed.",
        DEFAULT_SHUTDOWN_MS,
      ).optional(),
    }),
    "How Weir ends.",
    SECTION,
  ).optional(),
  drain: drainSchema.optional(),
  explain: explainSchema.optional(),
  stateFolder: stateFolderSchema.optional(),
});

/** A configuration as a user writes it. */
export type Config = z.input<typeof configSchema>;

/** A configuration with every text read and nothing merged yet. */
export type ReadConfig = z.output<typeof configSchema>;

/** Gives a configuration its types and completion; returns it as it is. */
export function defineConfig(config: Config): Config {
  return config;
}
