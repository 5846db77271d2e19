import type { Address } from "./address.ts";
import type { BackendFacts, HealthPlan } from "./health-plan.ts";

/** Every wait has a deadline. All in milliseconds; 0 switches a deadline off. */
export interface Timeouts {
  /** From a client's first byte of a request, or from accepting it, until its head is complete. */
  readonly headMs: number;
  /** How long a client's connection may wait idle for its next request. */
  readonly keepAliveMs: number;
  /** How long a body, in either direction, may make no progress. */
  readonly bodyMs: number;
  /** Until a backend has accepted a connection. */
  readonly connectMs: number;
  /** From the end of the request until the backend's response head. */
  readonly responseMs: number;
  /** How long an idle connection to a backend is kept; the backend's `Keep-Alive: timeout=` may shorten it. */
  readonly idleBackendMs: number;
  /** How long a TCP connection or an upgraded one may pass no byte in either direction. */
  readonly idleMs: number;
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
  /** Backends tried for one exchange or TCP connection when connecting fails. */
  readonly attempts: number;
}

/** A backend of a pool. Its `id` is, with the pool's name, its identity. */
export interface BackendPlan extends BackendFacts {
  readonly address: Address;
  /** Most exchanges or connections at a time, over all workers; `null` for no limit. */
  readonly maxConnections: number | null;
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

/** A pool of backends with its policy. */
export interface PoolPlan {
  readonly name: string;
  readonly policy: PolicyPlan;
  readonly health: HealthPlan;
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
  /** In force until a route is chosen. */
  readonly timeouts: Timeouts;
  readonly limits: Limits;
}

/** A validated configuration, ready to run: plain data, the same in every worker. */
export interface Plan {
  readonly listeners: readonly ListenerPlan[];
  readonly pools: readonly PoolPlan[];
  readonly workers: number;
  /** The zone this Weir is in, whose backends it prefers; `null` for no preference. */
  readonly zone: string | null;
  /** Where the admin API listens; `null` when it is off. */
  readonly admin: Address | null;
  /** Addresses and CIDR blocks whose `X-Forwarded-*` fields are believed. */
  readonly trustedProxies: readonly string[];
  /** How long a drain may take before what is still open is closed. */
  readonly shutdownMs: number;
}
