import type { Address } from "../address.ts";
import type { Candidate } from "../balance/policy.ts";
import { turnsToSkip } from "../balance/turns-to-skip.ts";
import type { Clock } from "../clock.ts";
import type { Counters } from "../observe/counters.ts";
import type { HealthWords } from "../observe/health-words.ts";
import type { Log } from "../observe/log.ts";
import type { HealthPlan, BackendFacts } from "../health-plan.ts";
import { type Evidence, HealthKeeper } from "../pool/keeper.ts";
import type { PoolMemory } from "../pool/health-memory.ts";
import { attemptsOf, failuresOf } from "../pool/passive-counts.ts";
import type { Random } from "../random.ts";
import type { ProbeTools } from "./probe.ts";
import { ProbeScheduler, type ProbeTarget } from "./scheduler.ts";
import { atOnce, type Steps } from "../steps.ts";

/** A pool, as far as its health goes. */
export interface PoolHealth {
  /** Of the plan: the same object as the time before where nothing has changed. */
  readonly plan: {
    readonly name: string;
    readonly health: HealthPlan;
    readonly backends: readonly (BackendFacts & { readonly address: Address })[];
  };
  /** Row of each backend, in the counters and in the words. */
  readonly rows: readonly number[];
  /** Its cursor, and its line of the words. */
  readonly line: number;
}

/** What a health loop needs from outside. */
export interface HealthLoopOptions extends ProbeTools {
  readonly counters: Counters;
  readonly words: HealthWords;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The zone Weir is in; `null` for no preference. */
  readonly zone: string | null;
  /** What a process before this one knew, and how much later it is by the clock here than by its own; `null` where there was none. */
  readonly inherited?: { readonly memory: HealthMemory; readonly laterMs: number } | null;
}

/** What is known of the health of pools, by their names. Plain data, for a process that takes over. */
export type HealthMemory = Readonly<Record<string, PoolMemory>>;

interface Kept {
  readonly pool: PoolHealth;
  readonly keeper: HealthKeeper;
  readonly evidence: Evidence;
  /** Alarms as of the last look. */
  alarms: number;
  /** Who takes turns, and how often, as published last; `null` before the first time. */
  turns: readonly Candidate[] | null;
}

/**
 * Where the health of all pools is kept: gives probes' outcomes to the keepers, has them look when it is time or a worker has
 * raised the alarm, and publishes and logs what they decide. One for all workers, beside the wheel that drives the probes.
 */
export class HealthLoop {
  readonly #options: HealthLoopOptions;
  readonly #scheduler: ProbeScheduler;
  #kept: ReadonlyMap<string, Kept> = new Map();
  #zone: string | null;
  /** What a process before this one knew, until it is first said what pools there are. */
  #inherited: HealthLoopOptions["inherited"];
  /** Rows that have left a pool which goes on, until they are withdrawn. */
  #gone: { readonly line: number; readonly rows: readonly number[] }[] = [];

  constructor(options: HealthLoopOptions) {
    this.#options = options;
    this.#zone = options.zone;
    this.#inherited = options.inherited;
    this.#scheduler = new ProbeScheduler({
      dial: options.dial,
      wheel: options.wheel,
      settled: ({ pool, backend }, outcome) =>
        this.#kept.get(pool)?.keeper.probed(backend, outcome, options.clock.now()) ?? Number.POSITIVE_INFINITY,
    });
  }

  /**
   * Says what pools there are: at the start before any worker picks, and at each change before any worker goes by it. A pool that is the same
   * is left alone; what is known of a backend stays with its pool's name and its own. What holds is published before this returns.
   * @param zone the zone Weir is in from now on; `null` for no preference
   */
  configure(pools: readonly PoolHealth[], zone: string | null = this.#zone): void {
    const before = this.#kept;
    this.#gone = [];
    const moved = zone !== this.#zone;
    this.#zone = zone;
    this.#kept = new Map(
      pools.map((pool) => {
        const { name } = pool.plan;
        const kept = before.get(name) ?? null;
        return [name, kept !== null && !moved && isSame(kept.pool, pool) ? kept : this.#keep(pool, kept)];
      }),
    );
    this.#inherited = null;
    for (const [name, kept] of before) this.#noteGone(kept.pool, this.#kept.get(name)?.pool ?? null);
    this.#scheduler.setTargets(pools.flatMap(targetsOf));
    this.tick();
  }

  /**
   * Every worker goes by what was configured last: backends that have left a pool get no more work from exchanges that began before either.
   * Where a pool has none of its backends left they keep it: there is no other for those exchanges.
   */
  withdraw(): void {
    const { words } = this.#options;
    for (const { line, rows } of this.#gone) words.withdraw(line, rows);
    this.#gone = [];
  }

  /** To be called every tick of the wheel: heeds alarms, and looks at all pools for which it is time. Costs next to nothing while nothing happens: O(pools). */
  tick(): void {
    this.heed();
    atOnce(this.looks());
  }

  /** Looks at the pools for which a worker has raised the alarm. O(pools). */
  heed(): void {
    const { clock, words } = this.#options;
    const now = clock.now();
    for (const kept of this.#kept.values()) {
      const alarms = words.alarms(kept.pool.line);
      if (alarms === kept.alarms) continue;
      kept.alarms = alarms;
      this.#look(kept, now);
    }
  }

  /** Looks at the pools for which it is time, at one in each step: that of many comes together, since all began together. */
  *looks(): Steps<void> {
    const { clock } = this.#options;
    const all = this.#kept;
    let now = clock.now();
    for (const kept of all.values()) {
      if (kept.keeper.nextLook(now) > now) continue;
      this.#look(kept, now);
      yield;
      // Meanwhile it may have been said what pools there are, and all of them been looked at.
      if (this.#kept !== all) return;
      now = clock.now();
    }
  }

  /** What is known of all pools. O(backends). */
  get memory(): HealthMemory {
    return Object.fromEntries([...this.#kept].map(([name, { keeper }]) => [name, keeper.memory]));
  }

  /** Gives up all probes. */
  close(): void {
    this.#scheduler.close();
  }

  /** The keeper of a pool, for whoever shows its health. */
  keeper(pool: string): HealthKeeper | null {
    return this.#kept.get(pool)?.keeper ?? null;
  }

  #look(kept: Kept, now: number): void {
    const { words, log } = this.#options;
    const { keeper, evidence, pool } = kept;
    const { published, events } = keeper.look(evidence, now);
    if (published !== null) {
      this.#moveTurns(kept, published.weights);
      words.publish(pool.line, pool.rows, published);
    }
    for (const { level, event, fields } of events) log[level](event, fields);
  }

  /** Weights change without a jump of the sequence: the turns of the new ones go on where those of the old ones were. */
  #moveTurns(kept: Kept, weights: ArrayLike<number>): void {
    const { counters } = this.#options;
    const { turns: before, pool } = kept;
    const turns = pool.plan.backends
      .map(({ id }, index) => ({ index, id, weight: weights[index] ?? 0 }))
      .filter(({ weight }) => weight > 0);
    kept.turns = turns;
    if (before === null || before.length === 0 || turns.length === 0) return;
    const skipped = turnsToSkip(before, turns, counters.turn(pool.line));
    if (skipped > 0) counters.skipTurns(pool.line, skipped);
  }

  #keep(pool: PoolHealth, before: Kept | null): Kept {
    const { random, clock, words } = this.#options;
    const { name, health, backends } = pool.plan;
    const keeper = before?.keeper ?? this.#newKeeper(name, random);
    const evidence = this.#evidenceOf(pool.rows);
    keeper.configure(health, backends, evidence, clock.now(), this.#zone);
    return { pool, keeper, evidence, alarms: words.alarms(pool.line), turns: before?.turns ?? null };
  }

  #newKeeper(name: string, random: Random): HealthKeeper {
    const keeper = new HealthKeeper(name, this.#zone, random);
    const { memory = {}, laterMs = 0 } = this.#inherited ?? {};
    const known = Object.hasOwn(memory, name) ? memory[name] : undefined;
    if (known !== undefined) keeper.recall(known, laterMs);
    return keeper;
  }

  #noteGone(before: PoolHealth, after: PoolHealth | null): void {
    if (after === null || after === before) return;
    const stay = new Set(after.rows);
    const rows = before.rows.filter((row) => !stay.has(row));
    if (rows.length > 0 && rows.length < before.rows.length) this.#gone.push({ line: after.line, rows });
  }

  #evidenceOf(rows: readonly number[]): Evidence {
    const { counters, words } = this.#options;
    const rowOf = (index: number): number => rows[index] ?? 0;
    return {
      strikes: (index) => words.strikes(rowOf(index)),
      notices: (index) => words.notices(rowOf(index)),
      attempts: (index) => attemptsOf(counters, rowOf(index)),
      failures: (index) => failuresOf(counters, rowOf(index)),
    };
  }
}

function isSame(before: PoolHealth, after: PoolHealth): boolean {
  return (
    before.plan === after.plan &&
    before.line === after.line &&
    before.rows.every((row, index) => row === after.rows[index])
  );
}

function targetsOf({ plan: { name, health, backends } }: PoolHealth): readonly ProbeTarget[] {
  const { probe } = health;
  // Whoever is in maintenance is left alone; a draining one is asked, so that it can say when it is ready again.
  const asked = probe === null ? [] : backends.filter(({ state }) => state !== "maintenance");
  return asked.map(({ id, address }) => ({ pool: name, backend: id, address, plan: probe! }));
}
