import type { Running } from "./running.ts";
import { Sample } from "./sample.ts";

/** A rate is of the last one or two of these: long enough to be calm, short enough to be of now. */
const WINDOW_MS = 5000;
/** Of one moment: several readers share a sample. */
const FRESH_MS = 200;

/** Reads the counters now and then, so that whoever asks is told of rates and not only of sums. One for a Weir. */
export class Sampler {
  readonly #running: Running;
  readonly #ticking: ReturnType<typeof setInterval>;
  #older: Sample;
  #newer: Sample;
  #latest: Sample;

  constructor(running: Running) {
    this.#running = running;
    this.#older = this.#newer = this.#latest = this.#take();
    this.#ticking = setInterval(() => this.turn(), WINDOW_MS);
  }

  /** What the counters say now. */
  now(): Sample {
    if (this.#running.now() - this.#latest.atMs >= FRESH_MS) this.#latest = this.#take();
    return this.#latest;
  }

  /** What they said five to ten seconds ago, or at the start. */
  get before(): Sample {
    return this.#older;
  }

  /** Takes the sample that comes to be the one before. For the timer, and tests. */
  turn(): void {
    this.#older = this.#newer;
    this.#newer = this.#latest = this.#take();
  }

  close(): void {
    clearInterval(this.#ticking);
  }

  #take(): Sample {
    const { counters, placement } = this.#running;
    return new Sample(counters, placement, this.#running.now());
  }
}
