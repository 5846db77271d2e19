/** How long what was observed counts: Finagle's default, and Linkerd's. */
const DECAY_MS = 10_000;
/** An attempt that fails counts as an answer that takes this many times what is usual in the pool. */
const PENALTY = 100;
/** What it counts as where the pool has not answered yet: Tower's default for what is not known. */
const UNKNOWN_PENALTY_MICROSECONDS = 1_000_000;
/** Answers taken for granted, so that one failure of a backend that has served little does not say all about it. */
const GRANTED = 5;
/** Failures below this part are forgotten: otherwise a backend in an idle pool would never be tried again. */
const NEGLIGIBLE = 0.05;
/** How old what is usual in the pool may be. */
const FRESH_MS = 1_000;

/** Of each backend, next to each other: its peak, its attempts and failures, each decayed, and when they were last. */
const CELLS = 4;
const PEAK = 0;
const ATTEMPTS = 1;
const FAILURES = 2;
const STAMP = 3;

/**
 * How fast the backends of a pool answer, and which of them fail, as one worker sees it.
 *
 * Peak-EWMA: a slow answer is believed at once and forgotten over 10 s, a fast one only bit by bit (Finagle, `PeakEwma`).
 * Three things differ from Finagle:
 * - A backend that is not asked decays towards the fastest quarter of the pool, so that it is tried again, and not towards
 *   0: one that hangs is not asked either and would look better every second.
 * - A backend that has not answered yet has the pool's median, so that it is neither flooded nor left out. Finagle gives it a
 *   penalty, Tower (`default_rtt`) a configured time.
 * - Failures count, as slow answers: by their part in the latest attempts, so that one in a thousand changes little and
 *   where all backends fail alike nothing changes.
 *
 * Times in milliseconds of a clock that does not go back; latencies in microseconds. Each call is O(1) but for one sort of the
 * pool's peaks a second (0.5 ms for 10,000 backends). 32 bytes a backend; allocates nothing.
 */
export class PeakEwma {
  readonly #cells: Float64Array;
  readonly #decayMs: number;
  /** Room to sort peaks in. */
  readonly #sorted: Float64Array;
  /** Median of the peaks, and their lower quartile; 0 until a backend has answered. */
  #median = 0;
  #quartile = 0;
  #sortedAt = -Infinity;

  /** @param backends how many the pool has; they are named by their position */
  constructor(backends: number, decayMs: number = DECAY_MS) {
    this.#cells = new Float64Array(backends * CELLS);
    this.#sorted = new Float64Array(backends);
    this.#decayMs = decayMs;
  }

  /** Tells of an answer. */
  answered(index: number, microseconds: number, now: number): void {
    const cells = this.#cells;
    const at = index * CELLS;
    const kept = this.#kept(at, now);
    const peak = cells[at + PEAK]!;
    // Never 0, which stands for a backend that has not answered.
    cells[at + PEAK] = Math.max(1, microseconds >= peak ? microseconds : microseconds + (peak - microseconds) * kept);
    cells[at + ATTEMPTS] = cells[at + ATTEMPTS]! * kept + 1;
    cells[at + FAILURES]! *= kept;
    cells[at + STAMP] = now;
    if (this.#median === 0) this.#sort(now);
  }

  /**
   * Tells of an attempt that failed or timed out after a time. A failure that came fast says nothing of how fast the
   * backend answers; one that took longer than its answers do counts as an answer of that length too.
   */
  failed(index: number, microseconds: number, now: number): void {
    const cells = this.#cells;
    const at = index * CELLS;
    const kept = this.#kept(at, now);
    if (cells[at + PEAK]! > 0) cells[at + PEAK] = Math.max(microseconds, this.#peak(at, kept));
    cells[at + ATTEMPTS] = cells[at + ATTEMPTS]! * kept + 1;
    cells[at + FAILURES] = cells[at + FAILURES]! * kept + 1;
    cells[at + STAMP] = now;
  }

  /**
   * Microseconds until the next answer of a backend, as is to be expected; 0 where no backend of the pool has answered or
   * failed yet.
   */
  latency(index: number, now: number): number {
    if (now - this.#sortedAt > FRESH_MS && this.#median > 0) this.#sort(now);
    const at = index * CELLS;
    const peak = this.#cells[at + PEAK]! > 0 ? this.#peak(at, this.#kept(at, now)) : this.#median;
    const failing = this.failing(index, now);
    if (failing === 0) return peak;
    return peak + failing * (this.#median > 0 ? this.#median * PENALTY : UNKNOWN_PENALTY_MICROSECONDS);
  }

  /** Which part of a backend's latest attempts failed, from 0 to 1; 0 where it is negligible. */
  failing(index: number, now: number): number {
    const at = index * CELLS;
    if (this.#cells[at + FAILURES] === 0) return 0;
    const kept = this.#kept(at, now);
    const part = (this.#cells[at + FAILURES]! * kept) / (this.#cells[at + ATTEMPTS]! * kept + GRANTED);
    return part < NEGLIGIBLE ? 0 : part;
  }

  /** Takes over what another pool of estimates knows of a backend, when the pool's backends change. */
  adopt(index: number, from: PeakEwma, fromIndex: number): void {
    this.#cells.set(from.#cells.subarray(fromIndex * CELLS, (fromIndex + 1) * CELLS), index * CELLS);
    this.#sortedAt = -Infinity;
    if (this.#median === 0) this.#median = from.#median;
    if (this.#quartile === 0) this.#quartile = from.#quartile;
  }

  /** Which part is left of what was observed when the backend was last told of. */
  #kept(at: number, now: number): number {
    return Math.exp(Math.min(0, this.#cells[at + STAMP]! - now) / this.#decayMs);
  }

  /** A peak as it has decayed. */
  #peak(at: number, kept: number): number {
    const peak = this.#cells[at + PEAK]!;
    return peak > this.#quartile ? this.#quartile + (peak - this.#quartile) * kept : peak;
  }

  #sort(now: number): void {
    let known = 0;
    for (let at = PEAK; at < this.#cells.length; at += CELLS) {
      const peak = this.#cells[at]!;
      if (peak > 0) this.#sorted[known++] = peak;
    }
    const sorted = this.#sorted.subarray(0, known).sort();
    this.#median = sorted[(known - 1) >> 1] ?? 0;
    this.#quartile = sorted[(known - 1) >> 2] ?? 0;
    this.#sortedAt = now;
  }
}
