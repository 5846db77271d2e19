import { EXCHANGE_ERROR_CODES } from "../errors.ts";
import { BUCKETS, COLUMN, type Column, errorColumn, FIRST_BYTE } from "../observe/columns.ts";
import type { Counters } from "../observe/counters.ts";
import type { Placement } from "../engine/placement.ts";
import type { Quantiles, Rates, Totals } from "./model.ts";
import { quantilesOf } from "./quantiles.ts";

/** What is read of a row, in the order of its numbers in a sample; `failures` follows. */
const READ = [
  "connections",
  "requests",
  "responses2xx",
  "responses3xx",
  "responses4xx",
  "responses5xx",
  "retries",
  "hedges",
  "bytesIn",
  "bytesOut",
] as const satisfies readonly Column[];
const COLUMNS = READ.map((name) => COLUMN[name]);
const FAILURES = READ.length;
const WIDTH = READ.length + 1;
const ERRORS = EXCHANGE_ERROR_CODES.map(errorColumn);

/** What the counters said at a time. */
export class Sample {
  /** Of the clock, in milliseconds. */
  readonly atMs: number;
  readonly #numbers: Float64Array;
  readonly #buckets: Float64Array;

  /** Reads the rows of all listeners and backends. O(rows × workers): about 1 µs a row and worker. */
  constructor(counters: Counters, placement: Placement, atMs: number) {
    this.atMs = atMs;
    const { listeners, backends } = placement;
    const ofBackends = backends.flat();
    let rows = 0;
    for (const row of listeners) rows = Math.max(rows, row + 1);
    for (const row of ofBackends) rows = Math.max(rows, row + 1);
    this.#numbers = new Float64Array(rows * WIDTH);
    this.#buckets = new Float64Array(rows * BUCKETS);
    for (const row of listeners) this.#read(counters, row);
    for (const row of ofBackends) {
      this.#read(counters, row);
      counters.addBuckets(row, FIRST_BYTE, this.#buckets.subarray(row * BUCKETS, (row + 1) * BUCKETS));
    }
  }

  #read(counters: Counters, row: number): void {
    const at = row * WIDTH;
    for (const [i, column] of COLUMNS.entries()) this.#numbers[at + i] = counters.total(row, column);
    let failures = 0;
    for (const column of ERRORS) failures += counters.total(row, column);
    this.#numbers[at + FAILURES] = failures;
  }

  /** Counters since start, of some rows together. */
  totals(rows: readonly number[]): Totals {
    const of = (name: (typeof READ)[number]): number => this.#sum(rows, READ.indexOf(name));
    return {
      connections: of("connections"),
      requests: of("requests"),
      responses2xx: of("responses2xx"),
      responses3xx: of("responses3xx"),
      responses4xx: of("responses4xx"),
      responses5xx: of("responses5xx"),
      failures: this.#sum(rows, FAILURES),
      retries: of("retries"),
      hedges: of("hedges"),
      bytesIn: of("bytesIn"),
      bytesOut: of("bytesOut"),
    };
  }

  /** What happened since an earlier sample, of some rows together. A row that became another's meanwhile counts as nothing, not less. */
  rates(rows: readonly number[], since: Sample): Rates {
    const windowMs = Math.max(0, this.atMs - since.atMs);
    const [now, before] = [this.totals(rows), since.totals(rows)];
    const perSecond = (name: keyof Totals): number =>
      windowMs === 0 ? 0 : Math.round((Math.max(0, now[name] - before[name]) * 1e5) / windowMs) / 100;
    return {
      windowMs: Math.round(windowMs),
      requestsPerSecond: perSecond("requests"),
      connectionsPerSecond: perSecond("connections"),
      failuresPerSecond: perSecond("failures"),
      responses5xxPerSecond: perSecond("responses5xx"),
      bytesInPerSecond: perSecond("bytesIn"),
      bytesOutPerSecond: perSecond("bytesOut"),
      latency: this.latency(rows, since),
    };
  }

  /** Quantiles of what was answered since an earlier sample, of some rows together. O(rows × buckets). */
  latency(rows: readonly number[], since: Sample): Quantiles {
    const counts = new Float64Array(BUCKETS);
    for (const row of rows)
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        const at = row * BUCKETS + bucket;
        counts[bucket]! += Math.max(0, (this.#buckets[at] ?? 0) - (since.#buckets[at] ?? 0));
      }
    return quantilesOf(counts);
  }

  /** Requests of a row since an earlier sample. */
  requestsSince(row: number, since: Sample): number {
    const at = READ.indexOf("requests");
    return Math.max(0, this.#sum([row], at) - since.#sum([row], at));
  }

  #sum(rows: readonly number[], column: number): number {
    let sum = 0;
    for (const row of rows) sum += this.#numbers[row * WIDTH + column] ?? 0;
    return sum;
  }
}
