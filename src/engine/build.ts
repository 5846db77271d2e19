import type { ListenerPlan, Plan } from "../plan.ts";
import type { LivePool } from "../proxy/target.ts";
import { type EntrancesParts, listenerEntrance } from "./entrances.ts";
import { listenerKey, LiveListener, type ListenerParts, type ListenerSettings } from "./live-listener.ts";
import type { Observers } from "./observers.ts";
import type { Placement } from "./placement.ts";
import { isUnchanged, makePool, type PoolAtWork, type PoolPlace, type PoolTools } from "./pool-at-work.ts";
import { makeRouter, type NewPools, type Router } from "./router.ts";
import type { Steps } from "../steps.ts";

/** Routes that are looked at in a step. */
const STEP_LOOK = 500;

/** What a plan is made live with. */
export interface BuildTools {
  readonly pools: PoolTools;
  readonly listeners: Omit<ListenerParts, "listener" | "row">;
  readonly entrances: EntrancesParts;
  readonly observers: Observers;
}

/** A plan made live. */
export interface Built {
  /** By their names. */
  readonly pools: ReadonlyMap<string, PoolAtWork>;
  /** The same, as those see them who use them. */
  readonly lives: ReadonlyMap<string, LivePool>;
  /** In the order of the plan. */
  readonly listeners: readonly BuiltListener[];
}

/** A listener as it is, and what it is to be. */
export interface BuiltListener {
  readonly live: LiveListener;
  readonly settings: ListenerSettings;
  /** Whether nobody listens there yet. */
  readonly isNew: boolean;
}

/** Makes a plan live, beside the one before. Changes nothing that is at work. O(plan), with little for what has not changed. */
export function* build(tools: BuildTools, plan: Plan, placement: Placement, before: Built | null): Steps<Built> {
  const timed = yield* timedPools(plan);
  const pools = new Map<string, PoolAtWork>();
  const lives = new Map<string, LivePool>();
  const changed = new Set<string>();
  for (const [index, pool] of plan.pools.entries()) {
    const { name } = pool;
    const place = placeOf(placement, index, timed.has(name));
    const former = before?.pools.get(name) ?? null;
    const same = former !== null && isUnchanged(former, pool, place);
    const made = same ? former : yield* makePool(tools.pools, pool, place, former);
    if (!same) changed.add(name);
    pools.set(name, made);
    lives.set(name, made.live);
    yield;
  }
  const known = new Map((before?.listeners ?? []).map(({ live }) => [listenerKey(live.settings.plan), live]));
  const listeners: BuiltListener[] = [];
  for (const [index, listener] of plan.listeners.entries()) {
    const live = known.get(listenerKey(listener)) ?? null;
    const router = yield* routerOf(tools.pools.workers, listener, { lives, changed }, live?.settings ?? null);
    const settings = settingsOf(tools, plan, listener, router);
    const row = placement.listeners[index] ?? 0;
    listeners.push({ live: live ?? newListener(tools, row, settings), settings, isNew: live === null });
    yield;
  }
  return { pools, lives, listeners };
}

/** Pools of which a route asks how long answers take. */
function* timedPools({ listeners }: Plan): Steps<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const { routes } of listeners)
    for (const [index, { pool, hedge }] of routes.entries()) {
      if (hedge?.after.kind === "quantile") names.add(pool);
      if (index % STEP_LOOK === STEP_LOOK - 1) yield;
    }
  return names;
}

function placeOf({ backends, pools, lines }: Placement, index: number, asksLatency: boolean): PoolPlace {
  return { rows: backends[index] ?? [], row: pools[index] ?? 0, line: lines[index] ?? 0, asksLatency };
}

function newListener({ listeners, pools }: BuildTools, row: number, settings: ListenerSettings): LiveListener {
  const { counters, section } = pools;
  return new LiveListener({ ...listeners, listener: settings.plan.name, row: counters.row(section, row) }, settings);
}

/** The same one where neither routes nor pools are others. */
function* routerOf(
  workers: number,
  plan: ListenerPlan,
  pools: NewPools,
  before: ListenerSettings | null,
): Steps<Router> {
  if (before === null || before.plan.routes !== plan.routes)
    return yield* makeRouter(plan, pools, workers, before?.router ?? null);
  if (pools.changed.size === 0) return before.router;
  return (yield* before.router.ledTo(pools, workers)) ?? (yield* makeRouter(plan, pools, workers, before.router));
}

function settingsOf(
  { observers, entrances }: BuildTools,
  whole: Plan,
  plan: ListenerPlan,
  router: Router,
): ListenerSettings {
  return {
    plan,
    trustedProxies: whole.trustedProxies,
    router,
    observer: observers.of(plan, whole),
    limit: (own, clients) => listenerEntrance(plan, entrances, own, clients),
  };
}
