import type { Address } from "./address.ts";
import type { BackendFacts, HealthPlan, StatusSet } from "./health-plan.ts";

/** Every wait has a deadline. All in milliseconds; 0 switches a deadline off. */
export interface Timeouts {
  /** From a client's first byte of a request, or from accepting it, until its head is complete. */
  readonly headMs: number;
  /** How long a client's connection may wait idle for its next request. */
  readonly keepAliveMs: number;
  /** How long a body, in either direction, may make no progress, and what an end of a tunnel that is gone has left for the other. */
  readonly bodyMs: number;
  /** Until a backend has accepted a connection. */
  readonly connectMs: number;
  /** From the end of the request until the backend's response head. */
  readonly responseMs: number;
  /** How long an idle connection to a backend is kept; the backend's `Keep-Alive: timeout=` may shorten it. */
  readonly idleBackendMs: number;
  /** How long a TCP connection or an upgraded one may pass no byte in either direction. */
  readonly idleMs: number;
  /** From a request's head until the last byte of its response, attempts and waiting included. Off by default: a long download is not ended by a clock. */
  readonly totalMs: number;
}

/** A way in which an attempt fails. */
export type RetryCause = "connect-failure" | "refused" | "reset" | "timeout";

/** When an attempt that failed is followed by another one. */
export interface RetryPlan {
  /** Backends tried for one exchange or TCP connection, in all. */
  readonly attempts: number;
  /** Failures that lead to another attempt. */
  readonly on: readonly RetryCause[];
  /** Responses that lead to another attempt instead of going to the client. */
  readonly statuses: StatusSet;
  /** How long an attempt may take until its response's head, the dialling included; 0 for no other limit than those of its parts. */
  readonly attemptMs: number;
  /** Methods of requests that may reach two backends. */
  readonly methods: readonly string[];
}

/** When a second attempt is made beside one that takes long. */
export interface HedgePlan {
  /** After a time, or after what a part of the pool's answers (0 to 1) keep to. */
  readonly after:
    { readonly kind: "time"; readonly milliseconds: number } | { readonly kind: "quantile"; readonly q: number };
  /** Part of the requests, from 0 to 1, that may be asked for twice. */
  readonly budget: number;
}

/** Every buffer has a bound. */
export interface Limits {
  /** Bytes of a head, request or response. */
  readonly headBytes: number;
  /** Fields of a head, request or response. */
  readonly fields: number;
  /** Bytes of a request's target. */
  readonly targetBytes: number;
  /** Bytes of a request's body; `null` for no limit. */
  readonly bodyBytes: number | null;
  /** Idle connections kept to a backend, by each worker. */
  readonly idleConnections: number;
}

/** Most that may be under way at a time, over all workers; `auto` for what latency shows, in each worker for itself; `null` for no limit. */
export type MaxInFlight = number | "auto" | null;

/** How much a pool takes at a time, and what waits. See `pool/gate.ts`. */
export interface PoolLimits {
  /** Most exchanges or connections at a time, over all workers; `null` for no limit. */
  readonly maxConnections: number | null;
  /** The same, or learnt; the smaller one holds. */
  readonly maxInFlight: MaxInFlight;
  /** Most that may wait for room, over all workers; 0 lets nothing wait. */
  readonly maxQueue: number;
  /** How long it may wait; 0 for no deadline. */
  readonly queueTimeoutMs: number;
}

/** A backend of a pool. Its `id` is, with the pool's name, its identity. */
export interface BackendPlan extends BackendFacts {
  readonly address: Address;
  /** Most exchanges or connections at a time, over all workers; `null` for no limit. */
  readonly maxConnections: number | null;
  /** The same, or learnt; the smaller one holds. */
  readonly maxInFlight: MaxInFlight;
  /** Most of the pool's queue that may wait for this backend alone, being pinned to it; `null` for as many as the pool has. */
  readonly maxQueue: number | null;
}

/** A part of what keyed policies choose by. Names of header fields are lower-case. */
export type KeyPart =
  | { readonly kind: "source" | "path" | "host" }
  | { readonly kind: "header" | "cookie" | "query"; readonly name: string };

/** How a pool chooses a backend. */
export interface PolicyPlan {
  /** One of `balance/registry.ts`. */
  readonly name: string;
  /** What the policy may be told beside; see `PolicyOptions` in `balance/policy.ts`. */
  readonly options: { readonly load: "in-flight" | "peak-ewma"; readonly maxLoadFactor: number | null };
  /** What it chooses by, all parts together, never empty; `null` where it has no key. Only `source` where a listener in mode `tcp` leads to the pool. */
  readonly key: readonly KeyPart[] | null;
}

/** How a pool keeps a client at one backend. How long while that one drains is `HealthPlan.pinnedMs`. */
export interface AffinityPlan {
  /** Name of the cookie. */
  readonly cookie: string;
  /** How long the client is to keep it; `null` for as long as it runs. Whole seconds, as `Max-Age` tells them. */
  readonly ttlSeconds: number | null;
  /** `Path` of the cookie. */
  readonly path: string;
  /** What cookies are authenticated with; `null` until the generated one is read (`process/secrets/affinity-secret.ts`). Never to be shown. */
  readonly secret: string | null;
}

/** A pool of backends with its policy. */
export interface PoolPlan {
  readonly name: string;
  readonly policy: PolicyPlan;
  /** `null` where no client is kept; always in a pool that a listener in mode `tcp` leads to. */
  readonly affinity: AffinityPlan | null;
  readonly health: HealthPlan;
  readonly limits: PoolLimits;
  /** Part of the requests, from 0 to 1, that may be tried again after a backend may have worked on them, and so many a second in any case. */
  readonly retryBudget: { readonly ratio: number; readonly floorPerSecond: number };
  readonly backends: readonly BackendPlan[];
}

/** A match and where it goes. Timeouts and limits are already merged: pool over listener over top level over defaults. */
export interface RoutePlan {
  /** Lower-case host, `*.example.com` for any name below it, or `null` for every host. */
  readonly host: string | null;
  /** Exact path, a prefix ending in `/*`, or `null` for every path. */
  readonly path: string | null;
  /** Name of the pool. */
  readonly pool: string;
  readonly timeouts: Timeouts;
  readonly limits: Limits;
  readonly retry: RetryPlan;
  /** `null` for no second attempts. */
  readonly hedge: HedgePlan | null;
}

/** How a client is turned away for whom there is no room. */
export type OverLimit = "reset" | "503";

/** Where an access log goes. */
export type AccessLogTarget =
  | { readonly kind: "stdout" }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "syslog"; readonly address: Address };

/** What is told of each exchange, TCP connection and tunnel when it is over, and where. */
export interface AccessLogPlan {
  /** `json`, or a template of `observe/access-template.ts`. */
  readonly format: "json" | { readonly template: string };
  readonly to: AccessLogTarget;
  /** Part of those that did not fail, from 0 to 1, that are told of; the others always are. */
  readonly sample: number;
}

/** Whose word is taken: for the id of a request, for the trace it belongs to. */
export type Trust = "anyone" | "trusted-proxies" | "nobody";

/** How requests are identified. */
export interface RequestIdPlan {
  /** The field, as it is written. */
  readonly header: string;
  /** Whose ids are kept; others are replaced. */
  readonly trust: Trust;
}

/** How traces are continued and exported. */
export interface TracingPlan {
  /** Where spans are posted to, by OTLP over HTTP. */
  readonly otlp: string;
  /** Fields of these posts. Never to be shown. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** What Weir is called in traces. */
  readonly service: string;
  /** Part of the traces that begin here, from 0 to 1, that are sampled. */
  readonly sample: number;
  /** Whose traces are joined; those of others are not passed on. */
  readonly trust: Trust;
}

/** An address that Weir accepts on. */
export interface ListenerPlan {
  readonly name: string;
  readonly address: Address;
  readonly mode: "http" | "tcp";
  /** Adds `Via` to requests and responses. */
  readonly via: boolean;
  /** One without `host` and `path` where the configuration names a `pool` directly. Never empty; exactly one in mode `tcp`. */
  readonly routes: readonly RoutePlan[];
  /** Most clients' connections at a time, over all workers; `null` for no limit of its own. */
  readonly connections: number | null;
  /** Of those, most from one source address, over all workers; missing for no limit of its own. */
  readonly connectionsPerAddress?: number;
  /** What becomes of clients beyond these; missing where those beyond `connections` wait, and those of one address too many are reset. */
  readonly overLimit?: OverLimit;
  /** Missing for none. */
  readonly accessLog?: AccessLogPlan;
  /** In force until a route is chosen. */
  readonly timeouts: Timeouts;
  readonly limits: Limits;
}

/** The admin API. */
export interface AdminPlan {
  /** Where it listens. */
  readonly address: Address;
  /** A file with what every request must show; `null` where being on this machine is enough. */
  readonly tokenFile: string | null;
}

/** Whom workers run as where Weir is started as root. */
export interface RunAs {
  readonly user: string;
  /** `null` for the user's own. */
  readonly group: string | null;
}

/** How long what a change of the configuration removes may finish what it has. In milliseconds; 0 for no deadline. */
export interface DrainPlan {
  /** Exchanges on a backend, or of a listener, that is removed. */
  readonly requestsMs: number;
  /** Tunnels there: TCP connections, and what follows a 101. */
  readonly tunnelsMs: number;
}

/** Who may ask, by a field of a request, why that one goes where it goes. */
export interface ExplainPlan {
  /** What the field must hold; `null` until the file with it is read (`process/secrets/explain-token.ts`). Never to be shown. */
  readonly token: string | null;
  /** Where it is, if not in the configuration. */
  readonly tokenFile: string | null;
}

/** A validated configuration, ready to run: plain data, the same in every worker. */
export interface Plan {
  readonly listeners: readonly ListenerPlan[];
  readonly pools: readonly PoolPlan[];
  readonly workers: number;
  /** Most clients' connections at a time, over all listeners and workers; `null` for as many as there are file descriptors for. */
  readonly connections: number | null;
  /** Of those, most from one source address, over all listeners and workers; missing for no limit. */
  readonly connectionsPerAddress?: number;
  /** Whether those beyond `connections` are turned away; missing where they wait. How is for their listener to say. */
  readonly overLimit?: OverLimit;
  /** `null` where workers run as the supervisor does. */
  readonly runAs: RunAs | null;
  /** The zone this Weir is in, whose backends it prefers; `null` for no preference. */
  readonly zone: string | null;
  /** `null` when it is off. */
  readonly admin: AdminPlan | null;
  /** Addresses and CIDR blocks whose `X-Forwarded-*` fields are believed. */
  readonly trustedProxies: readonly string[];
  /** How requests are identified; missing where nothing is done. */
  readonly requestId?: RequestIdPlan;
  /** Missing where traces pass untouched. */
  readonly tracing?: TracingPlan;
  /** How long a drain may take before what is still open is closed. */
  readonly shutdownMs: number;
  readonly drain: DrainPlan;
  /** Missing where nobody may ask. */
  readonly explain?: ExplainPlan;
  /** Where Weir keeps what has to outlive it; `null` for the usual place of this user. */
  readonly stateFolder: string | null;
}
