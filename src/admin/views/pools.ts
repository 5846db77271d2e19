import type { BackendPlan, PoolPlan } from "../../plan.ts";
import type { HealthKeeper } from "../../pool/keeper.ts";
import type { BackendView, PoolView } from "../model.ts";
import type { Running } from "../running.ts";
import type { Sample } from "../sample.ts";
import type { Sampler } from "../sampler.ts";
import { lastProbeOf, progressOf, stateFacts } from "./backend-state.ts";
import { routeViews } from "./routes.ts";

/** All pools with their backends. O(backends × workers). */
export function poolViews(running: Running, sampler: Sampler): PoolView[] {
  const leading = leadingTo(running);
  return running.plan.pools.map((_, index) => viewOf(running, sampler, index, leading));
}

/** One pool; `null` where there is none of that name. */
export function poolView(running: Running, sampler: Sampler, name: string): PoolView | null {
  const index = running.plan.pools.findIndex((pool) => pool.name === name);
  return index === -1 ? null : viewOf(running, sampler, index, leadingTo(running));
}

/** Ids of the routes that lead to each pool. */
function leadingTo(running: Running): ReadonlyMap<string, readonly string[]> {
  const leading = new Map<string, string[]>();
  for (const { id, pool } of routeViews(running)) {
    const routes = leading.get(pool);
    if (routes === undefined) leading.set(pool, [id]);
    else routes.push(id);
  }
  return leading;
}

function viewOf(
  running: Running,
  sampler: Sampler,
  index: number,
  leading: ReadonlyMap<string, readonly string[]>,
): PoolView {
  const { plan, placement, counters } = running;
  const pool = plan.pools[index]!;
  const rows = placement.backends[index] ?? [];
  const [sample, since] = [sampler.now(), sampler.before];
  const keeper = running.keeper(pool.name);
  const weights = effectiveWeights(pool, keeper);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const requests = rows.reduce((total, row) => total + sample.requestsSince(row, since), 0);
  const backends = pool.backends.map((backend, i) =>
    backendView({
      running,
      pool,
      backend,
      row: rows[i] ?? 0,
      keeper,
      index: i,
      weight: weights[i] ?? 0,
      sum,
      requests,
      sample,
      since,
    }),
  );
  const poolRow = placement.pools[index];
  return {
    name: pool.name,
    policy: pool.policy.name,
    panic: keeper?.eligible?.panic ?? false,
    healthy: backends.filter(({ state }) => state !== "down" && state !== "ejected").length,
    takesWork: backends.filter(({ takesWork }) => takesWork).length,
    inFlight: backends.reduce((total, { inFlight }) => total + inFlight, 0),
    waiting: poolRow === undefined ? 0 : Math.max(0, counters.waiting(poolRow)),
    routes: [...(leading.get(pool.name) ?? [])],
    totals: sample.totals(rows),
    rates: sample.rates(rows, since),
    backends,
  };
}

/** What each backend counts for now, in the unit of the configured weights; 0 where it gets no new work. */
export function effectiveWeights(pool: PoolPlan, keeper: HealthKeeper | null): number[] {
  const decided = keeper?.eligible ?? null;
  if (decided === null) return pool.backends.map(({ weight, state }) => (state === "ready" ? weight : 0));
  const weights = pool.backends.map(() => 0);
  for (const { index, weight } of decided.candidates)
    weights[index] = Math.round((weight / decided.scale) * 1000) / 1000;
  return weights;
}

interface Parts {
  readonly running: Running;
  readonly pool: PoolPlan;
  readonly backend: BackendPlan;
  readonly row: number;
  readonly keeper: HealthKeeper | null;
  readonly index: number;
  readonly weight: number;
  /** Of all effective weights of the pool. */
  readonly sum: number;
  /** Of the whole pool of late. */
  readonly requests: number;
  readonly sample: Sample;
  readonly since: Sample;
}

function backendView(parts: Parts): BackendView {
  const { running, pool, backend, row, keeper, index, weight, sum, requests, sample, since } = parts;
  const { counters } = running;
  const now = running.now();
  const member = keeper?.backends[index];
  const facts = member === undefined ? null : stateFacts(member, pool.health, now);
  const wall = (ms: number): string => new Date(running.wallNow() - (now - ms)).toISOString();
  return {
    pool: pool.name,
    id: backend.id,
    state: facts?.state ?? "starting",
    why: facts?.why ?? "",
    since: facts?.sinceMs == null ? null : wall(facts.sinceMs),
    wantedState: backend.state,
    takesWork: weight > 0,
    weight: backend.weight,
    effectiveWeight: weight,
    share: sum === 0 ? 0 : weight / sum,
    trafficShare: requests === 0 ? 0 : Math.min(1, sample.requestsSince(row, since) / requests),
    tier: backend.tier,
    zone: backend.zone,
    probe: member === undefined ? null : lastProbeOf(member),
    progress: member === undefined ? null : progressOf(member, pool.health),
    ejectedUntil: member?.ejection.kind === "ejected" ? wall(member.ejection.until) : null,
    inFlight: Math.max(0, counters.inFlight(row)),
    waiting: Math.max(0, counters.waiting(row)),
    totals: sample.totals([row]),
    rates: sample.rates([row], since),
  };
}
