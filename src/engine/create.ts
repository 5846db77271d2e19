import { POLICIES } from "../balance/registry.ts";
import { systemWallClock, type WallClock } from "../clock.ts";
import type { PoolPlan } from "../plan.ts";
import { reportDefectsTo } from "../net/defects.ts";
import { type Dial, dialled } from "../net/dial.ts";
import { systemNetwork } from "../net/network.ts";
import { TICK_MS, type TimerWheel } from "../net/timer-wheel.ts";
import { cork } from "../net/cork.ts";
import { LatencyWindow } from "../pool/latency-window.ts";
import { PeakEwma } from "../pool/peak-ewma.ts";
import { Pool } from "../pool/pool.ts";
import { PoolEvidence } from "../pool/pool-evidence.ts";
import { DEFAULT_RETRY_BUDGET, RetryBudget } from "../pool/retry-budget.ts";
import { BackendLink } from "../proxy/backend-link.ts";
import type { LivePool } from "../proxy/target.ts";
import { HashKey } from "../route/hash-key.ts";
import { makeAffinity } from "./affinity.ts";
import type { Engine, EngineOptions } from "./engine.ts";
import type { Entrance } from "./entrance.ts";
import { listenerEntrance, workerEntrance } from "./entrances.ts";
import { type LiveListener, makeListener } from "./live-listener.ts";
import { makeRoom, TickingGate } from "./pool-gate.ts";
import { type Rows, rowsOf } from "./rows.ts";
import { TickingWheel } from "./ticking-wheel.ts";

/**
 * Builds the data path of a plan. Nothing is accepted before `listen`.
 * @param wallClock by which cookies are made and expire: the one time that other machines know too
 */
export function createEngine(options: EngineOptions, wallClock: WallClock = systemWallClock): Engine {
  return new LiveEngine(options, wallClock);
}

/** For delays in which 50 ms are much, as that of a hedge. */
const FINE_TICK_MS = 1;
/** How often a drain looks whether all is closed. */
const DRAIN_LOOK_MS = 20;

class LiveEngine implements Engine {
  readonly #wallClock: WallClock;
  readonly #entrances: Entrance[] = [];
  /** What wakes by itself. */
  readonly #ticking: (TickingWheel | TickingGate)[];
  readonly #wheel: TimerWheel;
  readonly #fineWheel: TimerWheel;
  readonly #dial: Dial;
  readonly #pools: ReadonlyMap<string, LivePool>;
  readonly #listeners: readonly LiveListener[];

  constructor(options: EngineOptions, wallClock: WallClock) {
    this.#wallClock = wallClock;
    const { plan, worker, counters, clock, log, network = systemNetwork } = options;
    const coarse = new TickingWheel(clock, network.tick, TICK_MS);
    const fine = new TickingWheel(clock, network.tick, FINE_TICK_MS);
    this.#ticking = [coarse, fine];
    this.#wheel = coarse.wheel;
    this.#fineWheel = fine.wheel;
    const { workers } = counters.shape;
    const parts = { worker, workers, log, clock, tick: network.tick };
    const entrance = workerEntrance(plan, options.descriptors ?? Number.POSITIVE_INFINITY, parts, {
      dialled: options.descriptors === undefined ? () => 0 : dialled,
      giveUpIdle: () => this.#closeIdle(),
    });
    this.#entrances.push(entrance);
    this.#dial = (address, receiver) => {
      if (entrance.room.mayDial()) network.dial(address, receiver);
      else receiver.refused(new Error("Weir has no file descriptor for it"));
    };
    const rows = rowsOf(plan, workers);
    this.#pools = new Map(plan.pools.map((pool, index) => [pool.name, this.#makePool(options, pool, index, rows)]));
    this.#listeners = plan.listeners.map((listener, index) => {
      const row = counters.row(worker, rows.listeners[index] ?? 0);
      const own = listenerEntrance(listener, parts);
      if (own !== null) this.#entrances.push(own);
      return makeListener({
        plan: listener,
        trustedProxies: plan.trustedProxies,
        pools: this.#pools,
        row,
        wheel: this.#wheel,
        fineWheel: this.#fineWheel,
        workers: plan.workers,
        listen: network.listen,
        entrance,
        own,
        log,
      });
    });
    reportDefectsTo((error) => {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      log.error("defect", { code: "WEIR_INTERNAL", detail });
    });
  }

  listen(listener: number, fd?: number, reusePort?: boolean): number {
    const live = this.#listeners[listener];
    if (live === undefined) throw new RangeError(`the plan has no listener ${listener}`);
    return live.listen(fd, reusePort);
  }

  async drain(timeoutMs: number): Promise<number> {
    for (const entrance of this.#entrances) entrance.stop();
    for (const listener of this.#listeners) listener.drain();
    cork.flush();
    this.#closeIdle();
    const deadline = performance.now() + timeoutMs;
    while (this.#clients() > 0 && performance.now() < deadline) await Bun.sleep(DRAIN_LOOK_MS);
    const left = this.#clients();
    this.close();
    return left;
  }

  close(): void {
    for (const entrance of this.#entrances) entrance.stop();
    for (const listener of this.#listeners) listener.close();
    this.#closeIdle();
    for (const each of this.#ticking) each.stop();
  }

  connections(): { readonly clients: number; readonly backends: number } {
    let backends = 0;
    for (const { links } of this.#pools.values()) for (const link of links) backends += link.open;
    return { clients: this.#clients(), backends };
  }

  #clients(): number {
    return this.#listeners.reduce((sum, listener) => sum + listener.open, 0);
  }

  #closeIdle(): void {
    for (const { links } of this.#pools.values()) for (const link of links) link.closeIdle();
  }

  #makePool(
    { counters, words, worker, random, clock, network = systemNetwork, plan: { workers, listeners } }: EngineOptions,
    plan: PoolPlan,
    position: number,
    allRows: Rows,
  ): LivePool {
    const { name, options, key } = plan.policy;
    const policy = POLICIES.get(name);
    if (policy === undefined) throw new Error(`no policy ${name}`);
    const rows = allRows.backends[position] ?? [];
    const wheel = this.#wheel;
    const learnt = policy.learns(options) ? new PeakEwma(plan.backends.length) : null;
    const row = allRows.pools[position] ?? 0;
    const gateRows = { counters, worker, pool: row, backends: rows };
    const room = makeRoom(plan, gateRows);
    // Only a policy that learns and a gate ask for the sum, so only then is it kept.
    const sum = learnt === null && room === null ? null : row;
    const pool = new Pool(
      plan.name,
      policy,
      plan.backends,
      {
        random,
        inFlight: (index) => counters.inFlight(rows[index] ?? 0),
        totalInFlight: sum === null ? () => 0 : () => counters.inFlight(sum),
        capacity: room === null ? () => Number.POSITIVE_INFINITY : (index) => room.capacity(index),
        latency: learnt === null ? () => 0 : (index) => learnt.latency(index, wheel.now),
        failing: learnt === null ? () => 0 : (index) => learnt.failing(index, wheel.now),
        nextTurn: () => counters.nextTurn(position),
      },
      options,
      { words, pool: position, rows },
    );
    const gate = room === null ? null : new TickingGate(plan, gateRows, room, pool, clock, network.tick);
    if (gate !== null) this.#ticking.push(gate);
    const links = plan.backends.map(
      (backend, index) =>
        new BackendLink(plan.name, backend, counters.row(worker, rows[index] ?? 0, sum), this.#dial, wheel),
    );
    const health = new PoolEvidence(words, position, rows, plan.health);
    const affinity = makeAffinity(plan, words, rows, this.#wallClock);
    const { ratio, floorPerSecond } = plan.retryBudget;
    const asksLatency = listeners.some(({ routes }) =>
      routes.some(({ pool: to, hedge }) => to === plan.name && hedge?.after.kind === "quantile"),
    );
    return {
      pool,
      key: key === null ? null : new HashKey(key),
      feedback: learnt,
      health,
      gate: gate === null ? null : gate.gate,
      affinity,
      latencies: asksLatency ? new LatencyWindow() : null,
      // Each worker has its part of the floor; the ratios add up by themselves.
      budget: new RetryBudget({ ...DEFAULT_RETRY_BUDGET, ratio, floorPerSecond: floorPerSecond / workers }),
      links,
    };
  }
}
