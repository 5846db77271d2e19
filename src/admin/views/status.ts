import type { Status, WorkerStatus } from "../model.ts";
import type { Running, Seat } from "../running.ts";
import type { Sampler } from "../sampler.ts";
import { effectiveWeights } from "./pools.ts";

/** How it stands with this Weir, in a page. */
export function statusView(running: Running, sampler: Sampler, version: string): Status {
  const { plan, placement, counters, config } = running;
  const [sample, since] = [sampler.now(), sampler.before];
  const backends = placement.backends.flat();
  const takes = plan.pools.map((pool) => effectiveWeights(pool, running.keeper(pool.name)));
  const latency = sample.latency(backends, since);
  return {
    version,
    pid: process.pid,
    phase: running.phase,
    startedAt: new Date(running.startedAt).toISOString(),
    upMs: Math.max(0, running.wallNow() - running.startedAt),
    generation: running.generation,
    configFile: config.file,
    planHash: running.planHash,
    edits: {
      persisted: config.overlay.filter(({ persist }) => persist).length,
      forNow: config.overlay.filter(({ persist }) => !persist).length,
    },
    workers: running.seats.map(workerView),
    listeners: plan.listeners.length,
    pools: plan.pools.length,
    backends: {
      total: backends.length,
      up: takes.reduce((sum, weights) => sum + weights.filter((weight) => weight > 0).length, 0),
    },
    inFlight: backends.reduce((sum, row) => sum + Math.max(0, counters.inFlight(row)), 0),
    totals: sample.totals(placement.listeners),
    rates: { ...sample.rates(placement.listeners, since), latency },
  };
}

function workerView({ worker, pid, state, startedAt, deaths, leavingPid }: Seat): WorkerStatus {
  return {
    worker,
    pid,
    state,
    startedAt: startedAt === null ? null : new Date(startedAt).toISOString(),
    deaths,
    leavingPid,
  };
}
