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
  readonly row: number;
  /** Of a pool; `NO_LINE` for others. */
  readonly line: number;
  /** Number of the last placement that it is in. */
  placed: number;
  /** Since the plan in force is without it, when its row may be another's at the earliest; `null` while it is in the plan, or to be. */
  freeAtMs: number | null;
}

/** Who has the rows of a pool's backends. */
interface Places {
  readonly holders: readonly Holder[];
  readonly rows: readonly number[];
}

const NO_LINE = -1;

/**
 * Who has which row and line of the shared memory, as long as Weir runs: whatever stays in the plan keeps what it has, and so do its
 * counts, averages and health. What has left the plan keeps its row until nothing can touch it any more, and finds it again if it comes back before.
 * One placement at a time: `place`, then `commit` or `abandon`. O(rows) each.
 */
export class Placements {
  readonly #options: PlacementsOptions;
  /** By what they are, as `keyOf` and its like say. */
  readonly #holders: Map<string, Holder> = new Map();
  readonly #freeRows: number[] = [];
  readonly #freeLines: number[] = [];
  #nextRow = 0;
  #nextLine = 0;
  /** Up to where there is memory. */
  #rowsUsed = 0;
  #linesUsed = 0;
  #number = 0;
  /** Given rows by the placement that is neither committed nor abandoned. */
  #added: string[] = [];
  /** Of pools of the plan in force: one that is the very same object is where it was. */
  #places: ReadonlyMap<PoolPlan, Places> = new Map();
  /** Of those of the plan that was placed last. */
  #placed: ReadonlyMap<PoolPlan, Places> = new Map();

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
    try {
      this.#placed = new Map(plan.pools.map((pool) => [pool, this.#placesOf(pool)]));
      const listeners = plan.listeners.map(({ name }) => this.#hold(keyOf("listener", name), false).row);
      const pools = plan.pools.map(({ name }) => this.#hold(keyOf("pool", name), true));
      const placement = {
        shape: this.#options.shape,
        backends: [...this.#placed.values()].map(({ rows }) => rows),
        listeners,
        pools: pools.map(({ row }) => row),
        lines: pools.map(({ line }) => line),
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
    this.#places = this.#placed;
    const freeAtMs = this.#options.clock.now() + drainMs + GRACE_MS;
    for (const holder of this.#holders.values()) {
      if (holder.placed === this.#number) holder.freeAtMs = null;
      else holder.freeAtMs ??= freeAtMs;
    }
  }

  /** The plan placed last will not be in force: what it alone was given is free, since nothing has touched it. */
  abandon(): void {
    for (const key of this.#added) {
      const holder = this.#holders.get(key);
      if (holder !== undefined) this.#release(key, holder);
    }
    this.#added = [];
  }

  #reserve(): void {
    const rows = { from: this.#rowsUsed, to: this.#nextRow };
    const lines = { from: this.#linesUsed, to: this.#nextLine };
    if (rows.to === rows.from && lines.to === lines.from) return;
    this.#options.reserve({ rows, lines });
    this.#rowsUsed = rows.to;
    this.#linesUsed = lines.to;
  }

  #placesOf(pool: PoolPlan): Places {
    const known = this.#places.get(pool);
    if (known === undefined) {
      const { name, backends } = pool;
      const holders = backends.map(({ id }) => this.#hold(keyOf("backend", name, id), false));
      return { holders, rows: holders.map(({ row }) => row) };
    }
    for (const holder of known.holders) holder.placed = this.#number;
    return known;
  }

  #hold(key: string, withLine: boolean): Holder {
    const known = this.#holders.get(key);
    if (known !== undefined) {
      known.placed = this.#number;
      return known;
    }
    const row = this.#freeRows.pop() ?? this.#newRow();
    const line = withLine ? (this.#freeLines.pop() ?? this.#newLine(row)) : NO_LINE;
    const holder = { row, line, placed: this.#number, freeAtMs: null };
    this.#holders.set(key, holder);
    this.#added.push(key);
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
    for (const [key, holder] of this.#holders) {
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
      this.#release(key, holder);
    }
  }

  #release(key: string, { row, line }: Holder): void {
    this.#holders.delete(key);
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
