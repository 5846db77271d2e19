import type { Head } from "../http/head.ts";
import type { Limits, ListenerPlan, RoutePlan } from "../plan.ts";
import { type ParseLimits, widest } from "../proxy/head-limits.ts";
import { type LivePool, makeTarget, type Target } from "../proxy/target.ts";
import { hostOf, pathOf } from "../route/request-key.ts";
import { RouteTable } from "../route/table.ts";
import type { Steps } from "../steps.ts";

/** Routes that are made ready in a step; that are looked at. */
const STEP = 16;
const STEP_LOOK = 500;
/** Routes that are led elsewhere at a stretch: a tenth of a millisecond. For more of them a table is made anew, beside the one that is used. */
const MOST_LED = 200;

/** Pools at work by their names, and which of them are others than before. */
export interface NewPools {
  readonly lives: ReadonlyMap<string, LivePool>;
  readonly changed: ReadonlySet<string>;
}

/** Where the requests of a listener go. */
export class Router {
  readonly #table: RouteTable<Target>;
  readonly #targets: Map<RoutePlan, Target>;
  /** Finds the target of a request, `null` where no route matches. The same function as long as the table is the same. */
  readonly route: (request: Head) => Target | null;
  /** By which its listener parses requests. */
  readonly limits: ParseLimits;
  /** What it leads elsewhere than the router whose table it has. */
  #led: readonly (readonly [route: RoutePlan, from: Target, to: Target])[];

  constructor(
    table: RouteTable<Target>,
    targets: Map<RoutePlan, Target>,
    limits: ParseLimits,
    route: (request: Head) => Target | null = finderOf(table),
    led: readonly (readonly [RoutePlan, Target, Target])[] = [],
  ) {
    this.#table = table;
    this.#targets = targets;
    this.limits = limits;
    this.route = route;
    this.#led = led;
  }

  /** By its route: the next router takes over what has not changed. */
  get targets(): ReadonlyMap<RoutePlan, Target> {
    return this.#targets;
  }

  /**
   * A router of the same routes to other pools, which has the table of this one and takes its place when it begins. O(routes) of a look.
   * @returns `null` where too many routes lead to them
   */
  *ledTo({ lives, changed }: NewPools, workers: number): Steps<Router | null> {
    const led: (readonly [RoutePlan, Target, Target])[] = [];
    let seen = 0;
    for (const [route, from] of this.#targets) {
      if (++seen % STEP_LOOK === 0) yield;
      if (!changed.has(route.pool)) continue;
      if (led.length === MOST_LED) return null;
      led.push([route, from, makeTarget(poolOf(lives, route), route, workers)]);
    }
    return new Router(this.#table, this.#targets, this.limits, this.route, led);
  }

  /** Its plan is in force. */
  begin(): void {
    for (const [route, from, to] of this.#led) {
      this.#targets.set(route, to);
      this.#table.replace(route, from, to);
    }
    this.#led = [];
  }
}

/**
 * Makes the routes of a listener ready. O(routes).
 * @param before the router that this one follows
 */
export function* makeRouter(
  { routes }: ListenerPlan,
  { lives }: NewPools,
  workers: number,
  before: Router | null,
): Steps<Router> {
  const targets = new Map<RoutePlan, Target>();
  const table = new RouteTable<Target>();
  const limits = new Set<Limits>();
  for (const [index, route] of routes.entries()) {
    const live = poolOf(lives, route);
    // What is written twice is one object, and has one target.
    const known = targets.get(route) ?? before?.targets.get(route);
    const target = known?.live === live ? known : makeTarget(live, route, workers);
    targets.set(route, target);
    table.add(route, target);
    limits.add(route.limits);
    if (index % STEP === STEP - 1) yield;
  }
  return new Router(table, targets, widest(limits));
}

function poolOf(lives: ReadonlyMap<string, LivePool>, { pool }: RoutePlan): LivePool {
  const live = lives.get(pool);
  if (live === undefined) throw new Error(`no pool ${pool}`);
  return live;
}

/** Makes text of a request only where a route asks for host or path. */
function finderOf(table: RouteTable<Target>): (request: Head) => Target | null {
  const { needsHost, needsPath } = table;
  if (!needsHost && !needsPath) return () => table.find("", "");
  return (request) => table.find(needsHost ? hostOf(request) : "", needsPath ? pathOf(request) : "");
}
