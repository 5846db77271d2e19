import { type RouteMatch, RouteTable } from "./table.ts";

/**
 * Why a route was or was not chosen. `host`, `path`: its host, its path does not match. `less-specific`: it matches, and another one
 * matches more narrowly. `shadowed`: an earlier route has the very same match.
 */
export type RouteVerdict = "chosen" | "host" | "path" | "less-specific" | "shadowed";

/** What became of one route when the way of a request was looked for. */
export interface RouteConsidered {
  /** Its position in the listener. */
  readonly position: number;
  readonly host: string | null;
  readonly path: string | null;
  readonly verdict: RouteVerdict;
}

/** The way of a request through the routes of a listener. */
export interface RoutesExplained {
  /** Position of the route that it takes, -1 for none. */
  readonly chosen: number;
  /** In the order of the listener: the first ones, and the chosen one in any case. */
  readonly considered: readonly RouteConsidered[];
  /** How many there are beside those. */
  readonly left: number;
}

/** Routes that are told of one by one: some milliseconds. */
const MOST_TOLD = 500;

/** Finds the way of a request in a table that leads to positions of routes, and tells what became of them. O(routes). */
export function explain(
  table: RouteTable<number>,
  routes: readonly RouteMatch[],
  host: string,
  path: string,
): RoutesExplained {
  return explainRoutes(routes, table.find(host, path) ?? -1, host, path);
}

/**
 * Tells what became of each route. Whether one matches is asked of a table that holds nothing but it, so that this page knows no more
 * of matching than `RouteTable.find` does. O(routes) for the first 500 of them.
 * @param chosen position of the route that was found, -1 for none
 */
export function explainRoutes(
  routes: readonly RouteMatch[],
  chosen: number,
  host: string,
  path: string,
  most: number = MOST_TOLD,
): RoutesExplained {
  const seen = new Set<string>();
  const considered: RouteConsidered[] = [];
  for (const [position, match] of routes.entries()) {
    if (position >= most && position !== chosen) continue;
    const same = JSON.stringify([match.host, match.path === "/*" ? null : match.path]);
    const verdict =
      position === chosen ? "chosen" : (mismatch(match, host, path) ?? (seen.has(same) ? "shadowed" : "less-specific"));
    seen.add(same);
    considered.push({ position, host: match.host, path: match.path, verdict });
  }
  return { chosen, considered, left: routes.length - considered.length };
}

/** Whether a route matches where it is the only one. */
export function matches(match: RouteMatch, host: string, path: string): boolean {
  return new RouteTable([[match, true]]).find(host, path) === true;
}

function mismatch(match: RouteMatch, host: string, path: string): "host" | "path" | null {
  if (!matches({ ...match, path: null }, host, path)) return "host";
  return matches(match, host, path) ? null : "path";
}
