import { finding } from "../files/problems.ts";
import type { Finding, Path } from "../files/problems.ts";
import { list, named, own } from "../files/raw.ts";

/** What is wrong with the limits of pools beyond the form of their values: those that would do nothing. */
export function limitFindings(config: unknown): Finding[] {
  const tcpOf = tcpListeners(config);
  return named(own(config, "pools")).flatMap(([name, pool]) => {
    const places = limitedPlaces(pool, ["pools", name]);
    const tcp = tcpOf.get(name);
    return [...idleKeys(pool, places, ["pools", name]), ...(tcp === undefined ? [] : learntLimits(places, tcp))];
  });
}

interface Limited {
  readonly path: Path;
  readonly maxConnections: unknown;
  readonly maxInFlight: unknown;
}

/** The pool's limits, and its backends, which have theirs among their own keys. */
function limitedPlaces(pool: unknown, path: Path): Limited[] {
  const limits = own(pool, "limits");
  const backends = list(own(pool, "backends")).map((backend, i) => [backend, [...path, "backends", i]] as const);
  return [[limits, [...path, "limits"]] as const, ...backends].map(([value, at]) => ({
    path: at,
    maxConnections: own(value, "maxConnections"),
    maxInFlight: own(value, "maxInFlight"),
  }));
}

/** A queue in front of what has no limit is one in which nothing ever waits. */
function idleKeys(pool: unknown, places: readonly Limited[], path: Path): Finding[] {
  if (places.some(({ maxConnections, maxInFlight }) => maxConnections !== undefined || maxInFlight !== undefined))
    return [];
  const keys: [unknown, Path][] = ["maxQueue", "queueTimeout"].map((key) => [
    own(own(pool, "limits"), key),
    [...path, "limits", key],
  ]);
  for (const [i, backend] of list(own(pool, "backends")).entries())
    keys.push([own(backend, "maxQueue"), [...path, "backends", i, "maxQueue"]]);
  return keys
    .filter(([value]) => value !== undefined)
    .map(([, at]) => {
      const message = "nothing ever waits: neither the pool nor any of its backends has a limit";
      return finding("CONFIG_BAD_VALUE", at, message, "Add maxConnections or maxInFlight, or remove it.");
    });
}

function learntLimits(places: readonly Limited[], listener: string): Finding[] {
  return places
    .filter(({ maxInFlight }) => maxInFlight === "auto")
    .map(({ path }) => {
      const message = `a tcp connection has no answer to learn from, and the tcp listener "${listener}" leads here`;
      return finding("CONFIG_BAD_VALUE", [...path, "maxInFlight"], message, "Write a whole number.");
    });
}

/** For each pool that tcp listeners lead to, the name of the first. O(routes). */
export function tcpListeners(config: unknown): ReadonlyMap<string, string> {
  const first = new Map<string, string>();
  for (const [name, listener] of named(own(config, "listeners")))
    if (own(listener, "mode") === "tcp")
      for (const pool of poolsOf(listener)) if (!first.has(pool)) first.set(pool, name);
  return first;
}

/** Names of the pools that a listener sends work to; one may be there more than once. */
export function poolsOf(listener: unknown): readonly string[] {
  const routes = list(own(listener, "routes")).map((route) => own(route, "pool"));
  return [own(listener, "pool"), ...routes].filter((pool) => typeof pool === "string");
}
