import type { Clock } from "../clock.ts";
import { WeirError } from "../errors.ts";
import type { CountersShape } from "../observe/counters.ts";
import type { Plan, PoolPlan } from "../plan.ts";
import { type Placement, rowsNeeded } from "./placement.ts";
import type { Extent, SharedState } from "./shared-state.ts";

/** After the last deadline of what has left the plan, how long its row is nobody's: a worker may be late. */
const GRACE_MS = 60_000;

/** What placements need from outside. */
export interface PlacementsOptions {
  readonly shape: CountersShape;
  /** Where the rows are: one that nothing is in flight on any more is cleared there before it is given out again. */
  readonly shared: SharedState;
  readonly clock: Clock;
  /** Makes memory of rows and lines that nobody has had yet; throws where there is none. */
  readonly reserve: (extent: Extent) => void;
}

/** Who has a row. */
interface Holder {
  /** What it is, as `keyOf` says. */
  readonly key: string;
  readonly row: number;
  /** Of a pool; `NO_LINE` for others. */
  readonly line: number;
  /** Number of the last placement that looked for it. */
  placed: number;
  /** Since the plan in force is without it, when its row may be another's at the earliest; `null` while it is in the plan, or to be. */
  freeAtMs: number | null;
}

/** Who has the rows of a pool and of its backends. */
interface Places {
  readonly own: Holder;
  readonly holders: readonly Holder[];
  readonly rows: readonly number[];
}

/** Where everything of a plan is. A pool that is the very same object in another plan is where it was. */
interface Placed {
  readonly listeners: readonly Holder[];
  readonly pools: ReadonlyMap<PoolPlan, Places>;
}

const NOTHING: Placed = { listeners: [], pools: new Map() };
const NO_LINE = -1;

/**
 * Who has which row and line of the shared memory, as long as Weir runs: whatever stays in the plan keeps what it has, and so do its
 * counts, averages and health. What has left the plan keeps its row until nothing can touch it any more, and finds it again if it comes back before.
 * One placement at a time: `place`, then `commit` or `abandon`. O(pools) each, and O(rows) of pools that are new or gone.
 */
export class Placements {
  readonly #options: PlacementsOptions;
  /** By their keys. */
  readonly #holders: Map<string, Holder> = new Map();
  /** Of them, those that the plan in force is without. */
  readonly #leaving = new Set<Holder>();
  readonly #freeRows: number[] = [];
  readonly #freeLines: number[] = [];
  #nextRow = 0;
  #nextLine = 0;
  /** Up to where there is memory. */
  #rowsUsed = 0;
  #linesUsed = 0;
  #number = 0;
  #inForce: Placed = NOTHING;
  /** The placement that is neither committed nor abandoned: what it looked for, and what of that it gave rows. */
  #next: Placed = NOTHING;
  #held: Holder[] = [];
  #added: Holder[] = [];

  constructor(options: PlacementsOptions) {
    this.#options = options;
  }

  /** Rows that were ever given out: nothing behind them is to be read or written. */
  get rowsUsed(): number {
    return this.#rowsUsed;
  }

  /** Lines that were ever given out. */
  get linesUsed(): number {
    return this.#linesUsed;
  }

  /**
   * Says where everything of a plan is. Nothing is retired yet.
   * @throws PLAN_TOO_LARGE where there are not enough rows or lines; nothing has changed then
   */
  place(plan: Plan): Placement {
    this.#free();
    this.#number += 1;
    this.#held = [];
    try {
      const { pools: known } = this.#inForce;
      const pools = new Map(plan.pools.map((pool) => [pool, known.get(pool) ?? this.#placesOf(pool)]));
      const listeners = plan.listeners.map(({ name }) => this.#hold(keyOf("listener", name), false));
      this.#next = { listeners, pools };
      const places = [...pools.values()];
      const placement = {
        shape: this.#options.shape,
        backends: places.map(({ rows }) => rows),
        listeners: listeners.map(({ row }) => row),
        pools: places.map(({ own }) => own.row),
        lines: places.map(({ own }) => own.line),
      };
      this.#reserve();
      return placement;
    } catch (error) {
      this.abandon();
      if (error instanceof WeirError) throw error;
      throw new WeirError("PLAN_TOO_LARGE", `there is no memory for ${rowsNeeded(plan)} rows: ${String(error)}`, error);
    }
  }

  /**
   * The plan placed last is in force: what it leaves out keeps its row until the drains are over.
   * @param drainMs the longest of them; infinite for no deadline, and then a row is kept until Weir ends
   */
  commit(drainMs: number): void {
    this.#added = [];
    const freeAtMs = this.#options.clock.now() + drainMs + GRACE_MS;
    const { listeners, pools } = this.#inForce;
    for (const holder of listeners) this.#leave(holder, freeAtMs);
    for (const [pool, { own, holders }] of pools) {
      if (this.#next.pools.has(pool)) continue;
      this.#leave(own, freeAtMs);
      for (const holder of holders) this.#leave(holder, freeAtMs);
    }
    for (const holder of this.#held) {
      holder.freeAtMs = null;
      this.#leaving.delete(holder);
    }
    this.#inForce = this.#next;
  }

  /** The plan placed last will not be in force: what it alone was given is free, since nothing has touched it. */
  abandon(): void {
    for (const holder of this.#added) this.#release(holder);
    this.#added = [];
  }

  /** Unless the placement that is put in force has it too. */
  #leave(holder: Holder, freeAtMs: number): void {
    if (holder.placed === this.#number) return;
    holder.freeAtMs = freeAtMs;
    this.#leaving.add(holder);
  }

  #reserve(): void {
    const rows = { from: this.#rowsUsed, to: this.#nextRow };
    const lines = { from: this.#linesUsed, to: this.#nextLine };
    if (rows.to === rows.from && lines.to === lines.from) return;
    this.#options.reserve({ rows, lines });
    this.#rowsUsed = rows.to;
    this.#linesUsed = lines.to;
  }

  #placesOf({ name, backends }: PoolPlan): Places {
    const holders = backends.map(({ id }) => this.#hold(keyOf("backend", name, id), false));
    return { own: this.#hold(keyOf("pool", name), true), holders, rows: holders.map(({ row }) => row) };
  }

  #hold(key: string, withLine: boolean): Holder {
    const known = this.#holders.get(key);
    const holder = known ?? this.#add(key, withLine);
    holder.placed = this.#number;
    this.#held.push(holder);
    return holder;
  }

  #add(key: string, withLine: boolean): Holder {
    const row = this.#freeRows.pop() ?? this.#newRow();
    const line = withLine ? (this.#freeLines.pop() ?? this.#newLine(row)) : NO_LINE;
    const holder = { key, row, line, placed: this.#number, freeAtMs: null };
    this.#holders.set(key, holder);
    this.#added.push(holder);
    return holder;
  }

  #newRow(): number {
    if (this.#nextRow >= this.#options.shape.rows)
      throw tooLarge(this.#options.shape.rows, "backends, listeners and pools");
    return this.#nextRow++;
  }

  #newLine(row: number): number {
    if (this.#nextLine < this.#options.shape.cursors) return this.#nextLine++;
    this.#freeRows.push(row);
    throw tooLarge(this.#options.shape.cursors, "pools");
  }

  /** Gives back what nothing can touch any more. */
  #free(): void {
    const { clock, shared } = this.#options;
    const now = clock.now();
    for (const holder of this.#leaving) {
      const { row, line, freeAtMs } = holder;
      if (freeAtMs === null || now < freeAtMs) continue;
      // Of a pool only its backends tell what is in flight.
      if (line === NO_LINE && shared.counters.inFlight(row) !== 0) continue;
      shared.counters.clearRow(row);
      shared.words.clear(row);
      if (line !== NO_LINE) {
        shared.counters.clearCursor(line);
        shared.words.clearPool(line);
      }
      this.#release(holder);
    }
  }

  #release(holder: Holder): void {
    const { key, row, line } = holder;
    this.#holders.delete(key);
    this.#leaving.delete(holder);
    this.#freeRows.push(row);
    if (line !== NO_LINE) this.#freeLines.push(line);
  }
}

function keyOf(kind: "backend" | "listener" | "pool", ...names: readonly string[]): string {
  return JSON.stringify([kind, ...names]);
}

function tooLarge(room: number, what: string): WeirError {
  return new WeirError("PLAN_TOO_LARGE", `there is room for ${room} ${what}, those that have just left among them`);
}
