import type { BackendState } from "./model.ts";
import type { LiveBackendColumn, LivePoolColumn, LiveShape, LiveTick } from "./model-live.ts";
import { Series } from "./series.ts";

/** How many seconds are remembered of a pool, and of a backend. */
export const POOL_SECONDS = 300;
export const BACKEND_SECONDS = 60;

/**
 * The states of a backend by their numbers in a tick: `BACKEND_STATES` of model.ts, which a browser does not load because zod would come
 * with it. A test keeps them equal.
 */
export const STATES = [
  "up",
  "starting",
  "ramp",
  "drain",
  "maintenance",
  "ejected",
  "down",
] as const satisfies readonly BackendState[];

/** Latencies of the last second in milliseconds; `null` where nothing was answered. */
interface Latency {
  p50Ms: number | null;
  p90Ms: number | null;
  p99Ms: number | null;
}

/** A backend as a live view shows it. */
export interface LiveBackend extends Latency {
  readonly pool: string;
  readonly id: string;
  readonly weight: number;
  state: BackendState;
  effectiveWeight: number;
  inFlight: number;
  /** Requests a second; connections a second where the pool balances connections. */
  perSecond: number;
  /** Part of its pool's requests of the last second, 0 to 1. */
  share: number;
  failuresPerSecond: number;
  readonly latency: Series;
}

/** A pool as a live view shows it. */
export interface LivePool extends Latency {
  readonly name: string;
  readonly policy: string;
  readonly backends: readonly LiveBackend[];
  panic: boolean;
  waiting: number;
  inFlight: number;
  perSecond: number;
  /** Part of what it did in the last second that failed or was answered with 5xx, 0 to 1; `null` where it did nothing. */
  errorShare: number | null;
  readonly history: {
    readonly perSecond: Series;
    readonly errorShare: Series;
    readonly p50Ms: Series;
    readonly p90Ms: Series;
    readonly p99Ms: Series;
  };
}

interface Row {
  connections: number;
  requests: number;
  errors: number;
  failures: number;
}

/**
 * What `GET /v1/live` tells, made into what a view shows: rates from the difference of two ticks, shares, and some minutes of
 * history. Pure. State belongs to identity: a pool or backend that is in the next shape too keeps its history. Memory is bounded by the
 * shape. A tick costs O(backends).
 */
export class LiveView {
  shape: LiveShape | null = null;
  pools: readonly LivePool[] = [];
  tick: LiveTick | null = null;
  perSecond = 0;
  /** Of all listeners, 0 to 1. */
  errorShare: number | null = null;
  /** Times of the ticks, in seconds since 1970, beside `LivePool.history`. */
  readonly times: Float64Array = new Float64Array(POOL_SECONDS);
  #ticks = 0;
  #before = new Map<string, Row>();

  /** How many ticks are in the history. */
  get remembered(): number {
    return Math.min(this.#ticks, POOL_SECONDS);
  }

  /** Times of the remembered ticks, oldest first, in seconds since 1970. */
  timeline(): number[] {
    const count = this.remembered;
    return Array.from({ length: count }, (_, i) => this.times[(this.#ticks - count + i) % POOL_SECONDS] ?? 0);
  }

  /** A new connection to the API, maybe to another Weir: the first tick after it has nothing to be compared with. */
  restart(): void {
    this.#before = new Map();
    this.tick = null;
  }

  /** Takes the event `shape`. */
  reshape(shape: LiveShape): void {
    const known = new Map(this.pools.map((pool) => [pool.name, pool]));
    this.pools = shape.pools.map(({ name, policy, backends }) => {
      const before = known.get(name);
      const members = new Map(before?.backends.map((backend) => [backend.id, backend]));
      return {
        ...(before ?? newPool(this.#ticks)),
        name,
        policy,
        backends: backends.map(({ id, weight }) => ({ ...(members.get(id) ?? newBackend(name, id)), weight })),
      };
    });
    const kept = new Set(["", ...this.pools.flatMap((pool) => pool.backends.map(({ id }) => key(pool.name, id)))]);
    for (const each of this.#before.keys()) if (!kept.has(each)) this.#before.delete(each);
    this.shape = shape;
  }

  /** Takes the event `tick`. One that does not fit the shape is left out. */
  advance(tick: LiveTick): void {
    const { shape, tick: last } = this;
    if (shape === null || shape.generation !== tick.generation || tick.backends.length !== this.pools.length) return;
    const seconds = last === null ? 1 : Math.max(0.05, (tick.nowTimeMs - last.nowTimeMs) / 1000);
    const at = (columns: readonly string[], column: LiveBackendColumn | LivePoolColumn): number =>
      columns.indexOf(column);
    const backendAt = Object.fromEntries(
      shape.backendColumns.map((column) => [column, at(shape.backendColumns, column)]),
    );
    const poolAt = Object.fromEntries(shape.poolColumns.map((column) => [column, at(shape.poolColumns, column)]));
    for (const [p, pool] of this.pools.entries()) {
      const read = reader(tick.pools[p] ?? [], poolAt);
      const rows = tick.backends[p] ?? [];
      let done = 0;
      let errors = 0;
      for (const [b, backend] of pool.backends.entries()) {
        const changed = this.#backend(backend, reader(rows[b] ?? [], backendAt), seconds);
        done += changed.done;
        errors += changed.errors;
      }
      for (const backend of pool.backends) backend.share = done > 0 ? (backend.perSecond * seconds) / done : 0;
      pool.panic = read("panic") === 1;
      pool.waiting = read("waiting") ?? 0;
      pool.inFlight = read("inFlight") ?? 0;
      pool.perSecond = done / seconds;
      pool.errorShare = done > 0 ? Math.min(1, errors / done) : errors > 0 ? 1 : null;
      pool.p50Ms = read("p50Ms");
      pool.p90Ms = read("p90Ms");
      pool.p99Ms = read("p99Ms");
      // Nothing is known of the time before the first tick.
      pool.history.perSecond.push(last === null ? null : pool.perSecond);
      pool.history.errorShare.push(pool.errorShare);
      pool.history.p50Ms.push(pool.p50Ms);
      pool.history.p90Ms.push(pool.p90Ms);
      pool.history.p99Ms.push(pool.p99Ms);
    }
    this.#totals(tick, seconds);
    this.times[this.#ticks % POOL_SECONDS] = tick.nowTimeMs / 1000;
    this.#ticks += 1;
    this.tick = tick;
  }

  #backend(
    backend: LiveBackend,
    read: (column: LiveBackendColumn) => number | null,
    seconds: number,
  ): { done: number; errors: number } {
    const failures = read("failures") ?? 0;
    const now = {
      connections: read("connections") ?? 0,
      requests: read("requests") ?? 0,
      errors: (read("responses5xx") ?? 0) + failures,
      failures,
    };
    const since = this.#since(key(backend.pool, backend.id), now);
    // A pool of a TCP listener counts no requests.
    const done = now.requests > 0 ? since.requests : since.connections;
    backend.state = STATES[read("state") ?? 0] ?? "up";
    backend.effectiveWeight = read("effectiveWeight") ?? 0;
    backend.inFlight = read("inFlight") ?? 0;
    backend.perSecond = done / seconds;
    backend.failuresPerSecond = since.failures / seconds;
    backend.p50Ms = read("p50Ms");
    backend.p90Ms = read("p90Ms");
    backend.p99Ms = read("p99Ms");
    backend.latency.push(backend.p90Ms);
    return { done, errors: since.errors };
  }

  #totals({ totals }: LiveTick, seconds: number): void {
    const { connections, requests, responses5xx, failures } = totals;
    const since = this.#since("", { connections, requests, errors: responses5xx + failures, failures });
    const done = requests > 0 ? since.requests : since.connections;
    this.perSecond = done / seconds;
    this.errorShare = done > 0 ? Math.min(1, since.errors / done) : since.errors > 0 ? 1 : null;
  }

  /** What has come since the last tick. A counter that fell is of a worker that died, or of another Weir: nothing is known then. */
  #since(of: string, now: Row): Row {
    const before = this.#before.get(of) ?? now;
    this.#before.set(of, now);
    return {
      connections: Math.max(0, now.connections - before.connections),
      requests: Math.max(0, now.requests - before.requests),
      errors: Math.max(0, now.errors - before.errors),
      failures: Math.max(0, now.failures - before.failures),
    };
  }
}

function key(pool: string, backend: string): string {
  return `${pool}\n${backend}`;
}

/** A row of a tick by the names of its columns; `null` for one that the API does not tell. */
function reader(
  row: readonly (number | null)[],
  positions: Readonly<Record<string, number>>,
): (column: LiveBackendColumn | LivePoolColumn) => number | null {
  return (column) => {
    const position = positions[column];
    return position === undefined ? null : (row[position] ?? null);
  };
}

/** @param missed ticks that went by before it was there: it has no values for them */
function newPool(missed: number): Omit<LivePool, "name" | "policy" | "backends"> {
  const series = (): Series => {
    const made = new Series(POOL_SECONDS);
    for (let i = 0; i < Math.min(missed, POOL_SECONDS); i++) made.push(null);
    return made;
  };
  return {
    panic: false,
    waiting: 0,
    inFlight: 0,
    perSecond: 0,
    errorShare: null,
    p50Ms: null,
    p90Ms: null,
    p99Ms: null,
    history: { perSecond: series(), errorShare: series(), p50Ms: series(), p90Ms: series(), p99Ms: series() },
  };
}

function newBackend(pool: string, id: string): Omit<LiveBackend, "weight"> {
  return {
    pool,
    id,
    state: "starting",
    effectiveWeight: 0,
    inFlight: 0,
    perSecond: 0,
    share: 0,
    failuresPerSecond: 0,
    p50Ms: null,
    p90Ms: null,
    p99Ms: null,
    latency: new Series(BACKEND_SECONDS),
  };
}
