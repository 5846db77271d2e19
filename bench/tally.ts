import { percentile } from "./percentile.ts";
import type { Response } from "./response.ts";

/** What became of the requests that were due while it was measured. */
export interface Tallied {
  /** Answered 200 before the deadline. */
  readonly answered: number;
  /** Answered with another status before the deadline. */
  readonly refused: number;
  /** Given up by the client at its deadline. */
  readonly late: number;
  /** The connection could not be made or ended before an answer. */
  readonly broken: number;
  /** Latencies of those answered 200, milliseconds from when each was due. */
  readonly p50: number;
  readonly p99: number;
  /** Answers of each backend, by its number. */
  readonly byBackend: readonly number[];
}

/** Counts what becomes of the requests that were due from `fromMs` until before `untilMs`, whenever it is known. */
export class Tally {
  readonly #fromMs: number;
  readonly #untilMs: number;
  readonly #latencies: number[] = [];
  readonly #byBackend: number[] = [];
  #refused = 0;
  #late = 0;
  #broken = 0;

  constructor(fromMs: number, untilMs: number) {
    this.#fromMs = fromMs;
    this.#untilMs = untilMs;
  }

  answer(dueMs: number, nowMs: number, { status, backend }: Response): void {
    if (!this.#counts(dueMs)) return;
    if (status !== 200) {
      this.#refused += 1;
      return;
    }
    this.#latencies.push(nowMs - dueMs);
    if (backend < 0) return;
    while (this.#byBackend.length <= backend) this.#byBackend.push(0);
    this.#byBackend[backend] = (this.#byBackend[backend] ?? 0) + 1;
  }

  late(dueMs: number): void {
    if (this.#counts(dueMs)) this.#late += 1;
  }

  broken(dueMs: number): void {
    if (this.#counts(dueMs)) this.#broken += 1;
  }

  /** Sorts all latencies. */
  result(): Tallied {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    return {
      answered: sorted.length,
      refused: this.#refused,
      late: this.#late,
      broken: this.#broken,
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      byBackend: this.#byBackend,
    };
  }

  #counts(dueMs: number): boolean {
    return dueMs >= this.#fromMs && dueMs < this.#untilMs;
  }
}
