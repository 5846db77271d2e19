import { systemWallClock, type WallClock } from "../clock.ts";
import { reportDefectsTo } from "../net/defects.ts";
import { type Dial, dialled } from "../net/dial.ts";
import { systemNetwork } from "../net/network.ts";
import { TICK_MS } from "../net/timer-wheel.ts";
import { cork } from "../net/cork.ts";
import type { Plan } from "../plan.ts";
import { build, type BuildTools, type Built } from "./build.ts";
import type { ListenedClient } from "./client-facts.ts";
import type { Engine, EngineOptions, ListenerSocket, Prepared } from "./engine.ts";
import type { Entrance } from "./entrance.ts";
import { type EntrancesParts, workerEntrance, workerLimits } from "./entrances.ts";
import { Leavings } from "./leaving.ts";
import { LeftLinks } from "./left-links.ts";
import type { LiveListener } from "./live-listener.ts";
import type { LiveParts } from "./live-parts.ts";
import type { Ending } from "./mode.ts";
import { Observers } from "./observers.ts";
import type { Placement } from "./placement.ts";
import { enterPool, type LeftLink, linksOf, type PoolAtWork, type PoolTools } from "./pool-at-work.ts";
import type { TickingGate } from "./pool-gate.ts";
import { bySlices } from "./slices.ts";
import { atOnce } from "../steps.ts";
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
/** What the last lines of access logs, and the last spans, may take. */
const FLUSH_MS = 2_000;

class LiveEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #tools: BuildTools;
  readonly #entrance: Entrance;
  readonly #entrances: EntrancesParts;
  readonly #wheels: readonly TickingWheel[];
  readonly #descriptors: number;
  readonly #observers: Observers;
  /** What has left the plan, with its deadlines. */
  readonly #leavings: Leavings;
  readonly #left: LeftLinks;
  /** Listeners that have left the plan and still have clients. */
  #gone: LiveListener[] = [];
  /** Those of the plan, and of plans before it what still waits. */
  #gates: Set<TickingGate> = new Set();
  #plan: Plan;
  #placement: Placement;
  /** What runs; replaced as a whole. */
  #built: Built;

  constructor(options: EngineOptions, wallClock: WallClock) {
    const { plan, placement, worker, counters, words, random, clock, log, network = systemNetwork } = options;
    this.#options = options;
    const coarse = new TickingWheel(clock, network.tick, TICK_MS);
    const fine = new TickingWheel(clock, network.tick, FINE_TICK_MS);
    this.#wheels = [coarse, fine];
    this.#leavings = new Leavings(clock, network.tick);
    const { workers = counters.shape.workers, section = worker } = options;
    this.#left = new LeftLinks(counters, section);
    this.#observers = new Observers(log, counters.losses, wallClock);
    this.#entrances = { worker, workers, log, clock, tick: network.tick };
    this.#descriptors = options.descriptors ?? Number.POSITIVE_INFINITY;
    const entrance = workerEntrance(plan, this.#descriptors, this.#entrances, {
      dialled: options.descriptors === undefined ? () => 0 : dialled,
      giveUpIdle: () => this.#closeIdle(),
    });
    this.#entrance = entrance;
    const dial: Dial = (address, receiver) => {
      if (entrance.room.mayDial()) network.dial(address, receiver);
      else receiver.refused(new Error("Weir has no file descriptor for it"));
    };
    const { wheel } = coarse;
    const retired: PoolTools["retired"] = (pool, backend) => this.#left.find(pool, backend);
    const pools = { section, workers, counters, words, random, clock, wallClock, tick: network.tick, wheel, dial };
    this.#tools = {
      pools: { ...pools, retired, sums: new Set() },
      listeners: { wheel, fineWheel: fine.wheel, log, listen: network.listen, entrance, running: () => this.live },
      entrances: this.#entrances,
      observers: this.#observers,
    };
    this.#plan = plan;
    this.#placement = placement;
    this.#built = atOnce(build(this.#tools, plan, placement, null));
    for (const pool of this.#built.pools.values()) {
      enterPool(this.#tools.pools, pool, null, []);
      if (pool.gate !== null) this.#gates.add(pool.gate);
    }
    reportDefectsTo((error) => {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      log.error("defect", { code: "WEIR_INTERNAL", detail });
    });
  }

  get live(): LiveParts {
    const { worker, counters, words } = this.#options;
    const { wheel } = this.#tools.pools;
    const clock = { now: (): number => wheel.now };
    return { worker, plan: this.#plan, placement: this.#placement, pools: this.#built.lives, counters, words, clock };
  }

  listen(listener: number, fd?: number, reusePort?: boolean): number {
    const of = this.#built.listeners[listener];
    if (of === undefined) throw new RangeError(`the plan has no listener ${listener}`);
    return of.live.listen(fd, reusePort);
  }

  async prepare(plan: Plan, placement: Placement): Promise<Prepared> {
    const { clock, network = systemNetwork } = this.#options;
    const before = this.#built;
    let built: Built;
    try {
      built = await bySlices(build(this.#tools, plan, placement, before), clock, network.tick);
    } catch (error) {
      this.#observers.keepOnly(this.#plan);
      throw error;
    }
    return {
      commit: (sockets) => {
        if (this.#built !== before) throw new Error("another plan was put in force meanwhile");
        this.#commit(plan, placement, built, sockets);
      },
      abandon: () => this.#observers.keepOnly(this.#plan),
    };
  }

  async drain(timeoutMs: number): Promise<number> {
    const { clock, network = systemNetwork } = this.#options;
    this.#entrance.stop();
    for (const listener of this.#listeners()) listener.drain();
    cork.flush();
    this.#closeIdle();
    const deadline = clock.now() + timeoutMs;
    const { promise, resolve } = Promise.withResolvers<void>();
    const isOver = (): boolean => this.#clients() === 0 || clock.now() >= deadline;
    if (!isOver()) {
      const stop = network.tick(DRAIN_LOOK_MS, () => {
        if (!isOver()) return;
        stop();
        resolve();
      });
      await promise;
    }
    const left = this.#clients();
    this.close();
    await this.#observers.flush(FLUSH_MS);
    return left;
  }

  close(): void {
    this.#entrance.stop();
    this.#leavings.close();
    for (const listener of this.#listeners()) listener.close();
    this.#closeIdle();
    for (const each of [...this.#wheels, ...this.#gates]) each.stop();
  }

  reopenLogs(): void {
    this.#observers.reopen();
  }

  connections(): { readonly clients: number; readonly backends: number } {
    let backends = this.#left.open;
    for (const { links } of this.#built.lives.values()) for (const link of links) backends += link.open;
    return { clients: this.#clients(), backends };
  }

  clients(): readonly ListenedClient[] {
    return this.#listeners().flatMap((listener) => listener.clients());
  }

  open(): Readonly<Record<string, number>> {
    const open: Record<string, number> = {};
    for (const listener of this.#listeners()) {
      const { name } = listener.settings.plan;
      open[name] = (open[name] ?? 0) + listener.open;
    }
    return open;
  }

  #commit(plan: Plan, placement: Placement, built: Built, sockets: (listener: number) => ListenerSocket): void {
    this.#begin(built, sockets);
    const before = this.#built;
    this.#built = built;
    this.#plan = plan;
    this.#placement = placement;
    this.#leavings.sweep();
    this.#enterPools(before.pools, built.pools, plan);
    this.#changeListeners(before, built, plan);
    this.#observers.keepOnly(plan);
    cork.flush();
  }

  /** Begins to listen where nobody did: all of it, or none. */
  #begin({ listeners }: Built, sockets: (listener: number) => ListenerSocket): void {
    const begun: LiveListener[] = [];
    try {
      for (const [index, { live, isNew }] of listeners.entries()) {
        const socket = isNew ? sockets(index) : null;
        if (socket === null) continue;
        begun.push(live);
        live.listen(socket === "own" ? undefined : socket, socket === "own");
      }
    } catch (error) {
      for (const live of begun) live.stop();
      throw error;
    }
  }

  #enterPools(before: ReadonlyMap<string, PoolAtWork>, after: ReadonlyMap<string, PoolAtWork>, { drain }: Plan): void {
    this.#left.sweep();
    const leaving: LeftLink[] = [];
    for (const [name, pool] of before) {
      const next = after.get(name);
      if (next === pool) continue;
      for (const left of next?.gone ?? linksOf(pool)) {
        this.#left.add(name, left);
        leaving.push(left);
      }
    }
    for (const [name, pool] of after) {
      const former = before.get(name) ?? null;
      if (former !== pool) enterPool(this.#tools.pools, pool, former, this.#left.of(name));
    }
    if (leaving.length > 0) {
      const all = this.#left.leaving(leaving, (links, what) => this.#evict(links, what));
      const begins = this.#leavings.add(all, drain);
      for (const left of leaving)
        left.link.onDial(() => {
          this.#left.dialled(left);
          begins();
        });
    }
    const inForce = [...after.values()].map(({ gate }) => gate).filter((gate) => gate !== null);
    this.#gates = new Set([...[...this.#gates].filter(({ gate }) => !gate.idle), ...inForce]);
  }

  #changeListeners(before: Built, { listeners }: Built, plan: Plan): void {
    this.#entrance.limit(workerLimits(plan, this.#descriptors, this.#entrances, this.#entrance.bounds));
    const stay = new Set<LiveListener>();
    for (const { live, settings } of listeners) {
      stay.add(live);
      if (settings !== live.settings) {
        settings.router.begin();
        live.change(settings);
        const former = {
          end: (what: Ending) => live.end(what, true),
          get over() {
            return live.formerIsOver;
          },
        };
        this.#leavings.add(former, plan.drain);
      }
      live.count();
    }
    this.#gone = this.#gone.filter(({ open }) => open > 0);
    for (const { live } of before.listeners) {
      if (stay.has(live)) continue;
      live.drain();
      this.#gone.push(live);
      this.#leavings.add(
        {
          end: (what) => live.end(what, false),
          get over() {
            return live.open === 0;
          },
        },
        plan.drain,
      );
    }
  }

  #evict(links: ReadonlySet<object>, what: Ending): void {
    for (const waiting of [true, false]) for (const listener of this.#listeners()) listener.evict(links, what, waiting);
  }

  /** Those of the plan, and those that have left it. */
  #listeners(): readonly LiveListener[] {
    return [...this.#built.listeners.map(({ live }) => live), ...this.#gone];
  }

  #clients(): number {
    return this.#listeners().reduce((sum, listener) => sum + listener.open, 0);
  }

  #closeIdle(): void {
    this.#left.closeIdle();
    for (const { links } of this.#built.lives.values()) for (const link of links) link.closeIdle();
  }
}
