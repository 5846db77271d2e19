import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { planOf } from "../../test/fixtures/cluster.ts";
import { WeirError } from "../errors.ts";
import { COLUMN } from "../observe/columns.ts";
import type { Plan, PoolPlan } from "../plan.ts";
import { type Placement, placementOf } from "./placement.ts";
import { Placements } from "./placements.ts";
import { type Extent, rangesOf, type SharedState, sharedStateBytes, sharedStateOver } from "./shared-state.ts";

const DRAIN_MS = 1_000;
const GRACE_MS = 60_000;

/** Pools by name with the ports of their backends, and names of listeners. */
interface Sketch {
  readonly pools: Readonly<Record<string, readonly number[]>>;
  readonly listeners: readonly string[];
}

/** @param known pools that are the very same objects from plan to plan, where they are the same */
function planFrom({ pools, listeners }: Sketch, known: Map<string, PoolPlan> = new Map()): Plan {
  const plan = planOf({ backends: [1] });
  const [web] = plan.listeners;
  const [app] = plan.pools;
  return {
    ...plan,
    listeners: listeners.map((name) => ({ ...web!, name })),
    pools: Object.entries(pools).map(([name, ports]) => {
      const key = `${name} ${ports.join()}`;
      const pool = known.get(key) ?? { ...app!, name, backends: planOf({ backends: ports }).pools[0]!.backends };
      known.set(key, pool);
      return pool;
    }),
  };
}

class Bench {
  nowMs = 0;
  readonly shared: SharedState;
  readonly placements: Placements;
  readonly reserved: Extent[] = [];
  refuses = false;

  constructor(rows = 100, cursors = 20) {
    const shape = { workers: 2, rows, cursors };
    this.shared = sharedStateOver(new ArrayBuffer(sharedStateBytes(shape)), shape);
    this.placements = new Placements({
      shape,
      shared: this.shared,
      clock: { now: () => this.nowMs },
      reserve: (extent) => {
        if (this.refuses) throw new Error("no space left");
        this.reserved.push(extent);
      },
    });
  }

  place(sketch: Sketch, known?: Map<string, PoolPlan>): Placement {
    return this.placements.place(planFrom(sketch, known));
  }

  commit(sketch: Sketch): Placement {
    const placement = this.place(sketch);
    this.placements.commit(DRAIN_MS);
    return placement;
  }
}

/** Who has which row. */
function rowsBy(sketch: Sketch, { backends, listeners, pools }: Placement): Map<string, number> {
  const rows = new Map<string, number>();
  for (const [index, name] of sketch.listeners.entries()) rows.set(`listener ${name}`, listeners[index]!);
  for (const [index, [name, ports]] of Object.entries(sketch.pools).entries()) {
    rows.set(`pool ${name}`, pools[index]!);
    for (const [at, port] of ports.entries()) rows.set(`backend ${name}/${port}`, backends[index]![at]!);
  }
  return rows;
}

const sketches = fc.record({
  pools: fc.dictionary(
    fc.constantFrom("a", "b", "c", "d"),
    // Mostly such as others of a run have too.
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom([1], [1, 2]) },
      { weight: 1, arbitrary: fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1 }) },
    ),
  ),
  listeners: fc.uniqueArray(fc.constantFrom("x", "y", "z")),
});

describe("placements", () => {
  test("property: no two have one row, who stays keeps it, and who has left keeps it until nothing can touch it", () => {
    const step = fc.record({
      sketch: sketches,
      abandons: fc.boolean(),
      passes: fc.integer({ min: 0, max: 40_000 }),
      busy: fc.boolean(),
      same: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const known = new Map<string, PoolPlan>();
        const bench = new Bench();
        const { counters } = bench.shared;
        let inForce = new Map<string, number>();
        /** Rows of those that have left: since when they may be another's. */
        let left = new Map<string, { row: number; freeAt: number; busy: boolean }>();
        for (const { sketch, abandons, passes, busy, same } of steps) {
          bench.nowMs += passes;
          const placement = bench.place(sketch, same ? known : undefined);
          const rows = rowsBy(sketch, placement);
          expect(new Set(rows.values()).size).toBe(rows.size);
          expect(new Set(placement.lines).size).toBe(placement.lines.length);
          for (const [who, row] of rows) {
            if (inForce.has(who)) expect(row).toBe(inForce.get(who)!);
            for (const [other, held] of left) {
              const isFree = bench.nowMs >= held.freeAt && !held.busy;
              if (held.row === row && other !== who) expect(isFree).toBe(true);
              if (other === who && !isFree) expect(row).toBe(held.row);
            }
            for (const [other, taken] of inForce) if (other !== who) expect(row).not.toBe(taken);
            expect(row).toBeLessThan(bench.placements.rowsUsed);
          }
          if (abandons) {
            bench.placements.abandon();
            continue;
          }
          bench.placements.commit(DRAIN_MS);
          const taken = new Set(rows.values());
          left = new Map([...left].filter(([who, { row }]) => !rows.has(who) && !taken.has(row)));
          for (const [who, row] of inForce) {
            if (rows.has(who)) continue;
            const stays = busy && who.startsWith("backend");
            if (stays) counters.row(1, row).begin();
            left.set(who, { row, freeAt: bench.nowMs + DRAIN_MS + GRACE_MS, busy: stays });
          }
          inForce = rows;
        }
      }),
    );
  });

  test("a row that becomes another's is cleared, and its line with it", () => {
    const bench = new Bench(6, 2);
    const { counters, words } = bench.shared;
    const first = bench.commit({ pools: { a: [1, 2] }, listeners: ["x"] });
    const row = first.backends[0]![1]!;
    counters.row(0, row).add(COLUMN.requests, 7);
    words.failed(first.lines[0]!, row, 5);
    counters.nextTurn(first.lines[0]!);
    bench.commit({ pools: { b: [1] }, listeners: ["x"] });
    bench.nowMs += DRAIN_MS + GRACE_MS;
    const second = bench.commit({ pools: { b: [1, 2, 3, 4] }, listeners: ["x"] });
    expect([...second.backends[0]!, ...second.pools, ...second.listeners].toSorted((a, b) => a - b)).toEqual([
      0, 1, 2, 3, 4, 5,
    ]);
    for (const each of second.backends[0]!)
      expect([counters.total(each, COLUMN.requests), words.failures(each)]).toEqual([0, 0]);
    bench.commit({ pools: { b: [1] }, listeners: ["x"] });
    bench.nowMs += DRAIN_MS + GRACE_MS;
    const third = bench.commit({ pools: { b: [1], c: [1] }, listeners: ["x"] });
    expect(third.lines).toEqual([1, 0]);
    expect(counters.turn(0)).toBe(0);
  });

  test("a plan that is too large is refused, and nothing has changed", () => {
    const bench = new Bench(6, 2);
    const small: Sketch = { pools: { a: [1] }, listeners: ["x"] };
    const first = bench.commit(small);
    for (const pools of [{ a: [1, 2, 3, 4, 5] }, { a: [1], b: [], c: [] }]) {
      const error = thrownBy(() => bench.place({ pools, listeners: ["x"] }));
      expect(error).toBeInstanceOf(WeirError);
      expect((error as WeirError).code).toBe("PLAN_TOO_LARGE");
    }
    expect(bench.commit(small)).toEqual(first);
    expect(bench.commit({ pools: { a: [1, 2, 3] }, listeners: ["x"] }).backends[0]).toHaveLength(3);
  });

  test("memory is made once of each row and line, before it is given out; where there is none, the plan is too large", () => {
    const bench = new Bench();
    bench.commit({ pools: { a: [1, 2] }, listeners: ["x"] });
    bench.commit({ pools: { a: [1, 2] }, listeners: ["x"] });
    bench.refuses = true;
    const error = thrownBy(() => bench.place({ pools: { a: [1, 2, 3], b: [] }, listeners: ["x"] }));
    expect((error as WeirError).code).toBe("PLAN_TOO_LARGE");
    expect([bench.placements.rowsUsed, bench.placements.linesUsed]).toEqual([4, 1]);
    bench.refuses = false;
    bench.commit({ pools: { a: [1, 2, 3], b: [] }, listeners: ["x"] });
    expect(bench.reserved).toEqual([
      { rows: { from: 0, to: 4 }, lines: { from: 0, to: 1 } },
      { rows: { from: 4, to: 6 }, lines: { from: 1, to: 2 } },
    ]);
  });
});

test("a plan's own placement has just the rows that it needs", () => {
  const sketch: Sketch = { pools: { a: [1, 2], b: [3] }, listeners: ["x", "y"] };
  const placement = placementOf(planFrom(sketch), 3);
  expect(placement.shape).toEqual({ workers: 3, rows: 7, cursors: 2 });
  expect(new Set(rowsBy(sketch, placement).values()).size).toBe(7);
});

test("property: whatever is written to rows and lines lies in their ranges", () => {
  const shape = { workers: 3, rows: 80, cursors: 5 };
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 79 }),
      fc.integer({ min: 0, max: 4 }),
      fc.integer({ min: 0, max: 2 }),
      (row, line, worker) => {
        const memory = new ArrayBuffer(sharedStateBytes(shape));
        const { counters, words } = sharedStateOver(memory, shape);
        const one = counters.row(worker, row);
        for (let column = 0; column < Object.keys(COLUMN).length; column++) one.add(column, 1);
        one.begin();
        counters.nextTurn(line);
        words.failed(line, row, 1);
        words.publish(line, [row], { weights: [1], flags: [1], panic: true, scale: 1 });
        const bytes = new Uint8Array(memory);
        const extent = { rows: { from: row, to: row + 1 }, lines: { from: line, to: line + 1 } };
        for (const { from, to } of rangesOf(shape, extent)) bytes.fill(0, from, to);
        expect(bytes.some((byte) => byte !== 0)).toBe(false);
      },
    ),
    { numRuns: 30 },
  );
});

function thrownBy(what: () => unknown): unknown {
  try {
    what();
  } catch (error) {
    return error;
  }
  return null;
}
