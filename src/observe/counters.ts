import { type ErrorCode, ERRORS } from "../errors.ts";
import { bucketOf, COLUMN, errorColumn, FIRST_BUCKET, ROW_LENGTH } from "./columns.ts";
import { Slots } from "./slots.ts";

/** How much room the counters need. */
export interface CountersShape {
  readonly workers: number;
  /** One row for each (pool, backend) and each listener. */
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

/** Bytes of memory for counters of that shape. */
export function countersBytes(shape: CountersShape): number {
  return HEADER_BYTES + shape.cursors * LINE + shape.workers * (2 * gaugeBytes(shape) + shape.rows * ROW_LENGTH * 8);
}

/**
 * Counters in memory that all workers and the supervisor map. Every number has one writer, its worker, and is stored
 * plainly; only the cursors, which all workers advance, are atomic, and what `Slots` counts, since it goes by what others have
 * stored. Layout: a header of one page (reserved), the cursors a cache line each, the in-flight counts of each worker, what waits
 * in each worker, then the rows of each worker.
 */
export class Counters {
  readonly shape: CountersShape;
  readonly #cursors: Int32Array;
  /** In-flight counts, one section of `#stride` numbers for each worker. */
  readonly #inFlight: Int32Array;
  /** What waits for room, likewise. */
  readonly #waiting: Int32Array;
  readonly #stride: number;
  readonly #cells: Float64Array;

  /** @param memory at least `countersBytes(shape)` bytes, zeroed when new */
  constructor(memory: ArrayBufferLike, shape: CountersShape, offset = 0) {
    this.shape = shape;
    const cursors = offset + HEADER_BYTES;
    const inFlight = cursors + shape.cursors * LINE;
    const waiting = inFlight + shape.workers * gaugeBytes(shape);
    const cells = waiting + shape.workers * gaugeBytes(shape);
    this.#cursors = new Int32Array(memory, cursors, (shape.cursors * LINE) / 4);
    this.#stride = gaugeBytes(shape) / 4;
    this.#inFlight = new Int32Array(memory, inFlight, shape.workers * this.#stride);
    this.#waiting = new Int32Array(memory, waiting, shape.workers * this.#stride);
    this.#cells = new Float64Array(memory, cells, shape.workers * shape.rows * ROW_LENGTH);
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
    const start = (worker * this.shape.rows + row) * ROW_LENGTH;
    const cells = this.#cells.subarray(start, start + ROW_LENGTH);
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

  /** A column of a row, over all workers. O(workers). */
  total(row: number, column: number): number {
    let sum = 0;
    const step = this.shape.rows * ROW_LENGTH;
    for (let at = row * ROW_LENGTH + column; at < this.#cells.length; at += step) sum += this.#cells[at] ?? 0;
    return sum;
  }

  /** Takes a dead worker's numbers out of the totals. To be called when nothing writes as that worker. */
  clearWorker(worker: number): void {
    this.#inFlight.fill(0, worker * this.#stride, (worker + 1) * this.#stride);
    this.#waiting.fill(0, worker * this.#stride, (worker + 1) * this.#stride);
    const length = this.shape.rows * ROW_LENGTH;
    this.#cells.fill(0, worker * length, (worker + 1) * length);
  }
}

/** One worker's counters of one backend or listener. Writing costs about 2 ns. */
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

  observeLatency(microseconds: number): void {
    this.#cells[COLUMN.latencyMicrosecondsSum]! += microseconds;
    this.#cells[FIRST_BUCKET + bucketOf(microseconds)]! += 1;
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
