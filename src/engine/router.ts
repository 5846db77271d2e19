import type { Head } from "../http/head.ts";
import type { ListenerPlan, RoutePlan } from "../plan.ts";
import { type LivePool, makeTarget, type Target } from "../proxy/target.ts";
import { hostOf, pathOf } from "../route/request-key.ts";
import { RouteTable } from "../route/table.ts";
import type { Steps } from "../steps.ts";

/** Where the requests of a listener go. */
export interface Router {
  /** Target of a request, `null` where no route matches. */
  readonly route: (request: Head) => Target | null;
  /** By its route: the next router takes over what has not changed. */
  readonly targets: ReadonlyMap<RoutePlan, Target>;
}

/** Routes that are made ready in a step. */
const ROUTES = 16;

/**
 * Makes the routes of a listener ready. O(routes).
 * @param pools by their names
 * @param before the router that this one follows
 */
export function* makeRouter(
  { routes }: ListenerPlan,
  pools: ReadonlyMap<string, LivePool>,
  workers: number,
  before: Router | null,
): Steps<Router> {
  const targets = new Map<RoutePlan, Target>();
  const table = new RouteTable<Target>();
  for (const [index, route] of routes.entries()) {
    const live = pools.get(route.pool);
    if (live === undefined) throw new Error(`no pool ${route.pool}`);
    const known = before?.targets.get(route);
    const target = known?.live === live ? known : makeTarget(live, route, workers);
    targets.set(route, target);
    table.add(route, target);
    if (index % ROUTES === ROUTES - 1) yield;
  }
  return { route: finderOf(table), targets };
}

/** Makes text of a request only where a route asks for host or path. */
function finderOf(table: RouteTable<Target>): (request: Head) => Target | null {
  const { needsHost, needsPath } = table;
  if (!needsHost && !needsPath) {
    const only = table.find("", "");
    return () => only;
  }
  return (request) => table.find(needsHost ? hostOf(request) : "", needsPath ? pathOf(request) : "");
}
