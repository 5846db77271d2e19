import { routeHost, routePath } from "./matches.ts";
import { finding, NEITHER } from "../files/problems.ts";
import type { Finding, Path } from "../files/problems.ts";
import { list, own, section } from "../files/raw.ts";
import { nearest } from "../schema/suggest.ts";

/** What is wrong with where a listener's work goes: pools that are not there, and routes that can never match. */
export function routeFindings(listener: unknown, path: Path, pools: unknown): Finding[] {
  const pool = own(listener, "pool");
  const routes = own(listener, "routes");
  const found = [...poolFinding(pool, [...path, "pool"], pools)];
  if (!section(listener)) return found;
  if (pool !== undefined && routes !== undefined) {
    const mend = "Keep one: pool sends everything there, routes choose.";
    found.push(finding("CONFIG_BAD_VALUE", [...path, "routes"], "the listener has both pool and routes", mend));
  }
  if (pool === undefined && routes === undefined) {
    const mend = "Add pool: the name of a pool, or routes: a list of routes.";
    found.push(finding("CONFIG_MISSING_KEY", path, NEITHER, mend));
  }
  if (Array.isArray(routes) && routes.length === 0) {
    found.push(
      finding("CONFIG_MISSING_KEY", [...path, "routes"], "the list of routes is empty", "Add at least one route."),
    );
  }
  const all = list(routes);
  for (const [i, route] of all.entries()) {
    found.push(...poolFinding(own(route, "pool"), [...path, "routes", i, "pool"], pools));
  }
  const rest: Path = [...path, "routes"];
  return [...found, ...(own(listener, "mode") === "tcp" ? onTcp(all, rest) : hidden(all, rest))];
}

function poolFinding(pool: unknown, path: Path, pools: unknown): Finding[] {
  const defined = section(pools);
  if (typeof pool !== "string" || !defined || Object.hasOwn(defined, pool)) return [];
  const names = Object.keys(defined);
  const meant = nearest(pool, names);
  const hint = meant === null ? "" : `; did you mean "${meant}"?`;
  const mend = names.length === 0 ? undefined : `Use one of ${names.join(", ")}, or define ${pool} under pools.`;
  return [finding("CONFIG_UNKNOWN_POOL", path, `there is no pool "${pool}"${hint}`, mend)];
}

// A TCP connection names no host and no path: the first route takes everything.
function onTcp(routes: readonly unknown[], path: Path): Finding[] {
  const found: Finding[] = [];
  for (const [i, route] of routes.entries()) {
    for (const key of ["host", "path"]) {
      if (own(route, key) === undefined) continue;
      const message = `a TCP connection has no ${key} to match`;
      found.push({
        ...finding("CONFIG_DEAD_ROUTE", [...path, i, key], message, "Remove it, or use mode http."),
        part: "key",
      });
    }
    if (i === 0) continue;
    const mend = "Keep one route, or use a listener for each pool.";
    found.push(finding("CONFIG_DEAD_ROUTE", [...path, i], 'a listener with mode "tcp" has one route at most', mend));
  }
  return found;
}

function hidden(routes: readonly unknown[], path: Path): Finding[] {
  const first = new Map<string, number>();
  const found: Finding[] = [];
  for (const [i, route] of routes.entries()) {
    const match = matchOf(route);
    if (match === null) continue;
    const earlier = first.get(match);
    if (earlier === undefined) first.set(match, i);
    else
      found.push(
        finding("CONFIG_DEAD_ROUTE", [...path, i], `routes[${earlier}] already matches the same host and path`),
      );
  }
  return found;
}

function matchOf(route: unknown): string | null {
  const host = own(route, "host");
  const path = own(route, "path");
  if (!section(route)) return null;
  try {
    const hostText = typeof host === "string" ? routeHost(host) : host === undefined ? "" : null;
    const pathText = typeof path === "string" ? (routePath(path) ?? "") : path === undefined ? "" : null;
    return hostText === null || pathText === null ? null : `${hostText} ${pathText}`;
  } catch {
    return null; // the schema says what is wrong with it
  }
}
