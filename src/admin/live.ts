import { formatAddress } from "../address.ts";
import { VERSION } from "../version.ts";
import { BACKEND_STATES } from "./model.ts";
import { LIVE_BACKEND_COLUMNS, LIVE_POOL_COLUMNS, type LiveShape, type LiveTick } from "./model-live.ts";
import type { Running } from "./running.ts";
import { Sample } from "./sample.ts";
import type { Stream } from "./sse.ts";
import { stateFacts } from "./views/backend-state.ts";
import { openConnections } from "./views/connections.ts";
import { effectiveWeights } from "./views/pools.ts";

const TICK_MS = 1000;

type Row = (number | null)[];

/** Feeds all who watch with one snapshot a second; takes none while nobody does. */
export class LiveFeed {
  readonly #running: Running;
  readonly #watchers = new Set<{ readonly stream: Stream; generation: number }>();
  #ticking: ReturnType<typeof setInterval> | null = null;
  #before: Sample | null = null;
  #connections = 0;

  constructor(running: Running) {
    this.#running = running;
  }

  /** Begins to feed a watcher. @returns what ends it */
  watch(stream: Stream): () => void {
    const watcher = { stream, generation: 0 };
    this.#watchers.add(watcher);
    this.#before ??= this.#sample();
    this.#ticking ??= setInterval(() => this.tick(), TICK_MS);
    this.#shape(watcher);
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size > 0 || this.#ticking === null) return;
      clearInterval(this.#ticking);
      this.#ticking = null;
      this.#before = null;
    };
  }

  /** Takes a snapshot and sends it to all. For the timer, and tests. */
  tick(): void {
    const sample = this.#sample();
    const tick = this.#tickOf(sample, this.#before ?? sample);
    this.#before = sample;
    for (const watcher of this.#watchers) {
      this.#shape(watcher);
      watcher.stream.send("tick", tick);
    }
    // Told with the next one: nobody waits for a worker.
    void openConnections(this.#running).then(
      (open) => {
        this.#connections = [...open.values()].reduce((sum, count) => sum + count, 0);
      },
      () => {},
    );
  }

  #sample(): Sample {
    const { counters, placement } = this.#running;
    return new Sample(counters, placement, this.#running.now());
  }

  #shape(watcher: { readonly stream: Stream; generation: number }): void {
    const { generation } = this.#running;
    if (watcher.generation === generation) return;
    watcher.generation = generation;
    watcher.stream.send("shape", this.#shapeOf());
  }

  #shapeOf(): LiveShape {
    const { plan, generation } = this.#running;
    return {
      generation,
      version: VERSION,
      listeners: plan.listeners.map(({ name, address, mode }) => ({ name, address: formatAddress(address), mode })),
      pools: plan.pools.map(({ name, policy, backends }) => ({
        name,
        policy: policy.name,
        backends: backends.map(({ id, weight }) => ({ id, weight })),
      })),
      backendColumns: [...LIVE_BACKEND_COLUMNS],
      poolColumns: [...LIVE_POOL_COLUMNS],
    };
  }

  #tickOf(sample: Sample, before: Sample): LiveTick {
    const running = this.#running;
    const { plan, placement, counters } = running;
    const now = running.now();
    const pools: Row[] = [];
    const backends: Row[][] = [];
    let inFlight = 0;
    for (const [index, pool] of plan.pools.entries()) {
      const rows = placement.backends[index] ?? [];
      const keeper = running.keeper(pool.name);
      const weights = effectiveWeights(pool, keeper);
      let flying = 0;
      const of = rows.map((row, i): Row => {
        const member = keeper?.backends[i];
        const state = member === undefined ? "starting" : stateFacts(member, pool.health, now).state;
        const own = Math.max(0, counters.inFlight(row));
        flying += own;
        return [BACKEND_STATES.indexOf(state), weights[i] ?? 0, own, ...measured(sample, before, [row])];
      });
      const poolRow = placement.pools[index];
      const waiting = poolRow === undefined ? 0 : Math.max(0, counters.waiting(poolRow));
      pools.push([keeper?.eligible?.panic === true ? 1 : 0, waiting, flying, ...measured(sample, before, rows)]);
      backends.push(of);
      inFlight += flying;
    }
    return {
      generation: running.generation,
      nowTimeMs: running.wallNow(),
      phase: running.phase,
      workers: running.seats.filter(({ state }) => state === "running").length,
      connections: this.#connections,
      inFlight,
      totals: sample.totals(placement.listeners),
      latency: sample.latency(placement.backends.flat(), before),
      pools,
      backends,
    };
  }
}

/** The columns that backends and pools have in common, from `connections` on. */
function measured(sample: Sample, before: Sample, rows: readonly number[]): Row {
  const { connections, requests, responses5xx, failures } = sample.totals(rows);
  const { p50Ms, p90Ms, p99Ms } = sample.latency(rows, before);
  return [connections, requests, responses5xx, failures, p50Ms, p90Ms, p99Ms];
}
