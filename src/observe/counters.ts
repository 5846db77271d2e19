import { type ErrorCode, ERRORS } from "../errors.ts";
import { bucketOf, COLUMN, errorColumn, type Histogram, ROW_LENGTH } from "./columns.ts";
import { Losses } from "./losses.ts";
import { type Memory, memoryOf, wholeParts } from "./memory.ts";
import { Slots } from "./slots.ts";

/** How much room the counters need. */
export interface CountersShape {
  readonly workers: number;
  /** One row for each (pool, backend), each listener and each pool. */
  readonly rows: number;
  /** One cursor for each pool. */
  readonly cursors: number;
}

/** Bytes of a cache line: what two writers write is kept that far apart. */
const LINE = 64;
const HEADER_BYTES = 4096;

function roundUp(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to;
}

/** Of one worker: a number for each row. */
function gaugeBytes(shape: CountersShape): number {
  return roundUp(shape.rows * 4, LINE);
}

/** Rows that are mapped together: few, since how much a process maps of shared memory decides how much garbage it lets lie. */
const BLOCK_ROWS = 32;
/** Of one worker, in a block. */
const SECTION = BLOCK_ROWS * ROW_LENGTH;

/** Of everything but the rows. */
function frontBytes(shape: CountersShape): number {
  return wholeParts(HEADER_BYTES + shape.cursors * LINE + 2 * shape.workers * gaugeBytes(shape));
}

/** Some rows, of all workers and of the supervisor. */
function blockBytes({ workers }: CountersShape): number {
  return wholeParts((workers + 1) * SECTION * 8);
}

/** Bytes of memory for counters of that shape. */
export function countersBytes(shape: CountersShape): number {
  return frontBytes(shape) + Math.ceil(shape.rows / BLOCK_ROWS) * blockBytes(shape);
}

/** Where some rows and cursors are in the memory, of all workers: bytes, each range from the first to before the last. */
export function countersRanges(
  shape: CountersShape,
  rows: { readonly from: number; readonly to: number },
  cursors: { readonly from: number; readonly to: number },
): readonly { readonly from: number; readonly to: number }[] {
  const ranges = [{ from: HEADER_BYTES + cursors.from * LINE, to: HEADER_BYTES + cursors.to * LINE }];
  // The header goes with the first row.
  if (rows.from === 0) ranges.push({ from: 0, to: HEADER_BYTES });
  for (let i = 0; i < 2 * shape.workers; i++) {
    const at = HEADER_BYTES + shape.cursors * LINE + i * gaugeBytes(shape);
    ranges.push({ from: at + rows.from * 4, to: at + rows.to * 4 });
  }
  for (let first = rows.from; first < rows.to;) {
    const block = Math.floor(first / BLOCK_ROWS);
    const end = Math.min(rows.to, (block + 1) * BLOCK_ROWS);
    for (let section = 0; section <= shape.workers; section++) {
      const at = frontBytes(shape) + block * blockBytes(shape) + section * SECTION * 8;
      const of = (row: number): number => at + (row - block * BLOCK_ROWS) * ROW_LENGTH * 8;
      ranges.push({ from: of(first), to: of(end) });
    }
    first = end;
  }
  return ranges;
}

/**
 * Counters in memory that all workers and the supervisor map. Every number has one writer, its worker, and is stored
 * plainly; only the cursors, which all workers advance, are atomic, the losses, and what `Slots` counts, since it goes by what others
 * have stored. Layout: a header of one page (the losses), the cursors a cache line each, the in-flight counts of each worker, what waits
 * in each worker; then blocks of rows, each with those of each worker, and last the supervisor's: what workers that are gone had
 * counted. A block is mapped when one of its rows is first asked for.
 */
export class Counters {
  readonly shape: CountersShape;
  /** Of access logs and traces. */
  readonly losses: Losses;
  readonly #memory: Memory;
  /** Where the blocks begin. */
  readonly #first: number;
  readonly #cursors: Int32Array;
  /** In-flight counts, one section of `#stride` numbers for each worker. */
  readonly #inFlight: Int32Array;
  /** What waits for room, likewise. */
  readonly #waiting: Int32Array;
  readonly #stride: number;
  readonly #blocks: (Float64Array | undefined)[] = [];

  /** @param memory at least `countersBytes(shape)` bytes from `offset`, a multiple of `PART_BYTES`, on; zeroed when new */
  constructor(memory: ArrayBufferLike | Memory, shape: CountersShape, offset = 0) {
    this.shape = shape;
    this.#memory = memoryOf(memory);
    this.#first = offset + frontBytes(shape);
    const { buffer, at } = this.#memory.part(offset, this.#first);
    const cursors = at + HEADER_BYTES;
    const inFlight = cursors + shape.cursors * LINE;
    const waiting = inFlight + shape.workers * gaugeBytes(shape);
    this.losses = new Losses(buffer, at);
    this.#cursors = new Int32Array(buffer, cursors, (shape.cursors * LINE) / 4);
    this.#stride = gaugeBytes(shape) / 4;
    this.#inFlight = new Int32Array(buffer, inFlight, shape.workers * this.#stride);
    this.#waiting = new Int32Array(buffer, waiting, shape.workers * this.#stride);
  }

  /** The block of a row. */
  #block(row: number): Float64Array {
    const block = Math.floor(row / BLOCK_ROWS);
    return (this.#blocks[block] ??= this.#map(block));
  }

  #map(block: number): Float64Array {
    const size = blockBytes(this.shape);
    const from = this.#first + block * size;
    const { buffer, at } = this.#memory.part(from, from + size);
    return new Float64Array(buffer, at, (this.shape.workers + 1) * SECTION);
  }

  /** Takes the next number of a pool's cursor, over all workers; from 0 to 2³² − 1. About 10 ns. */
  nextTurn(cursor: number): number {
    return Atomics.add(this.#cursors, cursor * (LINE / 4), 1) >>> 0;
  }

  /** The next number of a pool's cursor, without taking it. */
  turn(cursor: number): number {
    return Atomics.load(this.#cursors, cursor * (LINE / 4)) >>> 0;
  }

  /** Moves a pool's cursor on, for all workers. */
  skipTurns(cursor: number, turns: number): void {
    Atomics.add(this.#cursors, cursor * (LINE / 4), turns | 0);
  }

  /**
   * What one worker may write of one row.
   * @param pool a row whose in-flight count goes along with this one's, so that the sum over many need not be added up
   */
  row(worker: number, row: number, pool: number | null = null): Row {
    const start = worker * SECTION + placeOf(row);
    const cells = this.#block(row).subarray(start, start + ROW_LENGTH);
    const inFlight = this.#inFlightOf(worker, row);
    return pool === null ? new Row(cells, inFlight) : new SummedRow(cells, inFlight, this.#inFlightOf(worker, pool));
  }

  #inFlightOf(worker: number, row: number): Int32Array {
    const at = worker * this.#stride + row;
    return this.#inFlight.subarray(at, at + 1);
  }

  /** In flight on a row, over all workers. O(workers). */
  inFlight(row: number): number {
    let sum = 0;
    for (let at = row; at < this.#inFlight.length; at += this.#stride) sum += this.#inFlight[at] ?? 0;
    return sum;
  }

  /** What waits for room at a row, a backend's or a pool's, over all workers. O(workers). */
  waiting(row: number): number {
    let sum = 0;
    for (let at = row; at < this.#waiting.length; at += this.#stride) sum += this.#waiting[at] ?? 0;
    return sum;
  }

  /** The in-flight count of a row as something with a limit, for one worker. It goes up and down with `begin` and `end` of the row. */
  inFlightSlots(worker: number, row: number): Slots {
    return new Slots(this.#inFlight, this.#stride, worker, row);
  }

  /** What waits for room at a row as something with a limit, for one worker. */
  waitingSlots(worker: number, row: number): Slots {
    return new Slots(this.#waiting, this.#stride, worker, row);
  }

  /** A column of a row, over all workers, also those that are gone: it never falls while the row is one thing's. O(workers). */
  total(row: number, column: number): number {
    let sum = 0;
    const block = this.#block(row);
    for (let at = placeOf(row) + column; at < block.length; at += SECTION) sum += block[at]!;
    return sum;
  }

  /** The buckets of a histogram of a row, over all workers, added to what is in `into`. O(workers × buckets). */
  addBuckets(row: number, { first, buckets }: Histogram, into: Float64Array): void {
    const block = this.#block(row);
    for (let from = placeOf(row) + first; from < block.length; from += SECTION)
      for (let bucket = 0; bucket < buckets; bucket++) into[bucket]! += block[from + bucket]!;
  }

  /**
   * Ends what a dead worker had in flight and waiting; what it had counted stays in the totals, as the supervisor's. To be called
   * by the supervisor when nothing writes as that worker.
   * @param rows that are in use: those behind them may have no memory yet
   */
  clearWorker(worker: number, rows: number = this.shape.rows): void {
    this.#inFlight.fill(0, worker * this.#stride, worker * this.#stride + rows);
    this.#waiting.fill(0, worker * this.#stride, worker * this.#stride + rows);
    for (let row = 0; row < rows; row++) {
      const block = this.#block(row);
      const own = worker * SECTION + placeOf(row);
      const gone = this.shape.workers * SECTION + placeOf(row);
      for (let at = 0; at < ROW_LENGTH; at++) {
        const counted = block[own + at]!;
        if (counted === 0) continue;
        block[gone + at]! += counted;
        block[own + at] = 0;
      }
    }
  }

  /** Forgets all of a row, of all workers, when it becomes another's. To be called when no worker writes it. */
  clearRow(row: number): void {
    const block = this.#block(row);
    for (let from = placeOf(row); from < block.length; from += SECTION) block.fill(0, from, from + ROW_LENGTH);
    for (let at = row; at < this.#inFlight.length; at += this.#stride) {
      this.#inFlight[at] = 0;
      this.#waiting[at] = 0;
    }
  }

  /** Begins a cursor anew, when it becomes another's. */
  clearCursor(cursor: number): void {
    Atomics.store(this.#cursors, cursor * (LINE / 4), 0);
  }

  /**
   * Counts as in flight at the row of a pool what one worker has in flight at the rows of its backends, for rows that are kept along with
   * the pool's from now on.
   */
  sumInFlight(worker: number, pool: number, rows: readonly number[]): void {
    const first = worker * this.#stride;
    this.#inFlight[first + pool] = rows.reduce((sum, row) => sum + this.#inFlight[first + row]!, 0);
  }
}

/** Where a row is in its block, in each section. */
function placeOf(row: number): number {
  return (row % BLOCK_ROWS) * ROW_LENGTH;
}

/** One worker's counters of one backend, listener or pool. Writing costs about 2 ns. */
export class Row {
  readonly #cells: Float64Array;
  readonly #inFlight: Int32Array;

  constructor(cells: Float64Array, inFlight: Int32Array) {
    this.#cells = cells;
    this.#inFlight = inFlight;
  }

  add(column: number, amount: number): void {
    this.#cells[column]! += amount;
  }

  fail(code: ErrorCode): void {
    this.#cells[errorColumn(code)]! += 1;
  }

  /** Counts a request that was refused before anything was done with it. */
  refuse(code: ErrorCode): void {
    this.add(COLUMN.requests, 1);
    this.fail(code);
    if (ERRORS[code].status !== 0) this.respond(ERRORS[code].status);
  }

  /** Counts a final or interim response by its class. */
  respond(status: number): void {
    this.#cells[COLUMN.responses1xx + ((status / 100) | 0) - 1]! += 1;
  }

  /** Counts a time in a histogram. */
  observe({ sum, first, shift }: Histogram, microseconds: number): void {
    this.#cells[sum]! += microseconds;
    this.#cells[first + (bucketOf(microseconds) >> shift)]! += 1;
  }

  begin(): void {
    this.#inFlight[0]! += 1;
  }

  end(): void {
    this.#inFlight[0]! -= 1;
  }
}

/** A row that keeps the in-flight count of its pool beside its own. */
class SummedRow extends Row {
  readonly #sum: Int32Array;

  constructor(cells: Float64Array, inFlight: Int32Array, sum: Int32Array) {
    super(cells, inFlight);
    this.#sum = sum;
  }

  override begin(): void {
    super.begin();
    this.#sum[0]! += 1;
  }

  override end(): void {
    super.end();
    this.#sum[0]! -= 1;
  }
}
