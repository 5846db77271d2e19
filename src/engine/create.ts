import { POLICIES } from "../balance/registry.ts";
import type { PoolPlan } from "../plan.ts";
import { reportDefectsTo } from "../net/defects.ts";
import { dial } from "../net/dial.ts";
import { TICK_MS, TimerWheel } from "../net/timer-wheel.ts";
import { cork } from "../net/cork.ts";
import { PeakEwma } from "../pool/peak-ewma.ts";
import { Pool } from "../pool/pool.ts";
import { PoolEvidence } from "../pool/pool-evidence.ts";
import { BackendLink } from "../proxy/backend-link.ts";
import type { LivePool } from "../proxy/target.ts";
import { HashKey } from "../route/hash-key.ts";
import type { Engine, EngineOptions } from "./engine.ts";
import { type LiveListener, makeListener } from "./live-listener.ts";
import { type Rows, rowsOf } from "./rows.ts";

/** Builds the data path of a plan. Nothing is accepted before `listen`. */
export function createEngine(options: EngineOptions): Engine {
  return new LiveEngine(options);
}

/** How often a drain looks whether all is closed. */
const DRAIN_LOOK_MS = 20;

class LiveEngine implements Engine {
  readonly #wheel: TimerWheel;
  readonly #pools: ReadonlyMap<string, LivePool>;
  readonly #listeners: readonly LiveListener[];
  #ticking: ReturnType<typeof setInterval> | null = null;

  constructor(options: EngineOptions) {
    const { plan, worker, counters, clock, log } = options;
    this.#wheel = new TimerWheel(clock, () => this.#startTicking());
    const rows = rowsOf(plan, counters.shape.workers);
    this.#pools = new Map(plan.pools.map((pool, index) => [pool.name, this.#makePool(options, pool, index, rows)]));
    this.#listeners = plan.listeners.map((listener, index) => {
      const row = counters.row(worker, rows.listeners[index] ?? 0);
      return makeListener({
        plan: listener,
        trustedProxies: plan.trustedProxies,
        pools: this.#pools,
        row,
        wheel: this.#wheel,
        clock,
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
    for (const listener of this.#listeners) listener.close();
    this.#closeIdle();
    if (this.#ticking !== null) clearInterval(this.#ticking);
    this.#ticking = null;
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
    { counters, words, worker, random }: EngineOptions,
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
    // Only a policy that learns asks for the sum, so only then is it kept.
    const sum = learnt === null ? null : (allRows.pools[position] ?? null);
    const pool = new Pool(
      plan.name,
      policy,
      plan.backends,
      {
        random,
        inFlight: (index) => counters.inFlight(rows[index] ?? 0),
        totalInFlight: sum === null ? () => 0 : () => counters.inFlight(sum),
        capacity: (index) => plan.backends[index]?.maxConnections ?? Number.POSITIVE_INFINITY,
        latency: learnt === null ? () => 0 : (index) => learnt.latency(index, wheel.now),
        failing: learnt === null ? () => 0 : (index) => learnt.failing(index, wheel.now),
        nextTurn: () => counters.nextTurn(position),
      },
      options,
      { words, pool: position, rows },
    );
    const links = plan.backends.map(
      (backend, index) => new BackendLink(plan.name, backend, counters.row(worker, rows[index] ?? 0, sum), dial, wheel),
    );
    const health = new PoolEvidence(words, position, rows, plan.health);
    return { pool, key: key === null ? null : new HashKey(key), feedback: learnt, health, links };
  }

  /** The wheel turns only while a deadline is set: an idle worker sleeps. */
  #startTicking(): void {
    this.#ticking ??= setInterval(() => {
      this.#wheel.advance();
      cork.flush();
      if (this.#wheel.idle && this.#ticking !== null) {
        clearInterval(this.#ticking);
        this.#ticking = null;
      }
    }, TICK_MS);
  }
}
