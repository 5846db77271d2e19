import { availableParallelism } from "node:os";
import { DEFAULT_OPTIONS } from "../../balance/policy.ts";
import { DEFAULT_POLICY, POLICIES } from "../../balance/registry.ts";
import { affinityOf, pinnedMsOf } from "./compile-affinity.ts";
import { healthOf } from "./compile-health.ts";
import { hedgeOf, overRetry, retryBudgetOf, retryOf } from "./compile-retry.ts";
import { formatAddress } from "../../address.ts";
import { adminOf } from "./compile-admin.ts";
import { drainOf } from "./compile-drain.ts";
import { explainOf } from "./compile-explain.ts";
import {
  DEFAULT_KEY,
  DEFAULT_LIMITS,
  DEFAULT_POOL_LIMITS,
  DEFAULT_SHUTDOWN_MS,
  DEFAULT_TIMEOUTS,
} from "../schema/defaults.ts";
import { accessLogOf, requestIdOf, tracingOf } from "./compile-observe.ts";
import { parseKeyPart } from "../schema/key-parts.ts";
import type {
  Limits,
  ListenerPlan,
  OverLimit,
  Plan,
  PolicyPlan,
  PoolLimits,
  PoolPlan,
  RoutePlan,
  Timeouts,
} from "../../plan.ts";
import type { ReadConfig } from "../schema/schema.ts";

type ReadTimeouts = NonNullable<ReadConfig["timeouts"]>;
type ReadLimits = Omit<NonNullable<ReadConfig["limits"]>, "connections" | "connectionsPerAddress" | "overLimit">;
type ReadListener = ReadConfig["listeners"][string];
type ReadPool = ReadConfig["pools"][string];
type ReadRoute = NonNullable<ReadListener["routes"]>[number];

// What is not changed stays the same object: of 10,000 routes most have the very timeouts of their listener, once.
function overTimeouts(under: Timeouts, own: ReadTimeouts | undefined): Timeouts {
  if (own === undefined) return under;
  return {
    headMs: own?.head ?? under.headMs,
    keepAliveMs: own?.keepAlive ?? under.keepAliveMs,
    bodyMs: own?.body ?? under.bodyMs,
    connectMs: own?.connect ?? under.connectMs,
    responseMs: own?.response ?? under.responseMs,
    idleBackendMs: own?.idleBackend ?? under.idleBackendMs,
    idleMs: own?.idle ?? under.idleMs,
    totalMs: own?.total ?? under.totalMs,
  };
}

function overLimits(under: Limits, own: ReadLimits | undefined): Limits {
  if (own === undefined) return under;
  return {
    headBytes: own?.head ?? under.headBytes,
    fields: own?.fields ?? under.fields,
    targetBytes: own?.target ?? under.targetBytes,
    // null is a value here, "none": it undoes a limit set further out.
    bodyBytes: own?.body === undefined ? under.bodyBytes : own.body,
    idleConnections: own?.idleConnections ?? under.idleConnections,
  };
}

function routeOf(route: ReadRoute, config: ReadConfig, timeouts: Timeouts, limits: Limits): RoutePlan {
  const pool: ReadPool | undefined = config.pools[route.pool];
  return {
    host: route.host ?? null,
    path: route.path ?? null,
    pool: route.pool,
    timeouts: overTimeouts(overTimeouts(timeouts, pool?.timeouts), route.timeouts),
    limits: overLimits(overLimits(limits, pool?.limits), route.limits),
    retry: overRetry(retryOf(pool?.retry), route.retry),
    hedge: hedgeOf(route.hedge, pool?.hedge),
  };
}

function listenerOf(name: string, listener: ReadListener, config: ReadConfig): ListenerPlan {
  const timeouts = overTimeouts(overTimeouts(DEFAULT_TIMEOUTS, config.timeouts), listener.timeouts);
  const limits = overLimits(overLimits(DEFAULT_LIMITS, config.limits), listener.limits);
  const routes = listener.routes ?? (listener.pool === undefined ? [] : [{ pool: listener.pool }]);
  return {
    name,
    address: listener.address,
    mode: listener.mode ?? "http",
    via: listener.via ?? false,
    routes: routes.map((route) => routeOf(route, config, timeouts, limits)),
    connections: listener.limits?.connections ?? null,
    ...perAddressOf(listener.limits?.connectionsPerAddress),
    ...accessLogOf(listener.accessLog, config.accessLog),
    ...overLimitOf(listener.limits?.overLimit ?? config.limits?.overLimit, listener.mode),
    timeouts,
    limits,
  };
}

function perAddressOf(connectionsPerAddress: number | undefined): Pick<ListenerPlan, "connectionsPerAddress"> {
  return connectionsPerAddress === undefined ? {} : { connectionsPerAddress };
}

/** Only HTTP has a status to answer with. */
function overLimitOf(given: OverLimit | undefined, mode: "http" | "tcp" = "http"): Pick<ListenerPlan, "overLimit"> {
  return given === undefined ? {} : { overLimit: mode === "tcp" ? "reset" : given };
}

function policyOf(given: ReadPool["policy"]): PolicyPlan {
  const read = given === undefined ? { name: DEFAULT_POLICY } : typeof given === "string" ? { name: given } : given;
  const { name, load, key, maxLoadFactor }: Partial<Exclude<ReadPool["policy"], string>> & { name: string } = read;
  return {
    name,
    options: { load: load ?? DEFAULT_OPTIONS.load, maxLoadFactor: maxLoadFactor ?? DEFAULT_OPTIONS.maxLoadFactor },
    key: POLICIES.get(name)?.keyed === true ? (key ?? [parseKeyPart(DEFAULT_KEY)]) : null,
  };
}

function poolLimitsOf(own: ReadPool["limits"]): PoolLimits {
  const under = DEFAULT_POOL_LIMITS;
  return {
    maxConnections: own?.maxConnections ?? under.maxConnections,
    maxInFlight: own?.maxInFlight ?? under.maxInFlight,
    maxQueue: own?.maxQueue ?? under.maxQueue,
    queueTimeoutMs: own?.queueTimeout ?? under.queueTimeoutMs,
  };
}

function poolOf(name: string, pool: ReadPool): PoolPlan {
  return {
    name,
    policy: policyOf(pool.policy),
    affinity: affinityOf(pool.affinity),
    health: healthOf(pool.health, pool.slowStart, pinnedMsOf(pool.affinity)),
    retryBudget: retryBudgetOf(pool.retry),
    limits: poolLimitsOf(pool.limits),
    backends: pool.backends.map(({ address, weight, maxConnections, maxInFlight, maxQueue, state, tier, zone }) => ({
      id: formatAddress(address),
      address,
      weight: weight ?? 1,
      maxConnections: maxConnections ?? null,
      maxInFlight: maxInFlight ?? null,
      maxQueue: maxQueue ?? null,
      state: state ?? "ready",
      tier: tier ?? 0,
      zone: zone ?? null,
    })),
  };
}

/**
 * Makes the plan of a configuration that is known to be right: merges timeouts and limits, fills in defaults.
 * @param cores workers where the configuration leaves their number to Weir
 */
export function compile(config: ReadConfig, cores: number = availableParallelism()): Plan {
  const { admin, workers } = config;
  return {
    listeners: Object.entries(config.listeners).map(([name, listener]) => listenerOf(name, listener, config)),
    pools: Object.entries(config.pools).map(([name, pool]) => poolOf(name, pool)),
    workers: workers === undefined || workers === "auto" ? cores : workers,
    connections: config.limits?.connections ?? null,
    ...perAddressOf(config.limits?.connectionsPerAddress),
    ...overLimitOf(config.limits?.overLimit),
    runAs: config.user === undefined ? null : { user: config.user, group: config.group ?? null },
    zone: config.zone ?? null,
    admin: adminOf(admin),
    trustedProxies: config.trustedProxies ?? [],
    ...requestIdOf(config.requestId),
    ...tracingOf(config.tracing),
    shutdownMs: config.shutdown?.timeout ?? DEFAULT_SHUTDOWN_MS,
    drain: drainOf(config.drain),
    ...explainOf(config.explain),
    stateFolder: config.stateFolder ?? null,
  };
}
