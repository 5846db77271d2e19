/** What a limit begins with, as in Netflix's concurrency-limits: enough to learn from, too little to harm. */
const INITIAL = 20;
const LEAST = 1;
/** A bound for a limit that nothing ever slows down: one worker has no more under way. */
const MOST = 10_000;
/** Answers that are looked at together: one alone says little. More where the limit is higher, so that each round of it counts once. */
const WINDOW = 10;
/** How far a window may be above the long-term latency before the limit shrinks. Gradient2's default. */
const TOLERANCE = 1.5;
/** By how much of the way a window moves the limit. Gradient2's default. */
const SMOOTHING = 0.2;
/** Over how many windows the long-term latency is an average. Gradient2's default. */
const LONG = 600;
/** What a long-term latency of more than twice the latest loses with each window: after a slowdown it comes back soon. Gradient2's. */
const CATCH_UP = 0.95;
/** Windows between two trials of what latency is without a queue: these cost some hundredths of the throughput at most. */
const TRIAL_EVERY = 100;
/** A limit that has become this many times what it was at the last trial, or that part of it, is looked into before its time. */
const SUSPICIOUS = 2;
/** Part of the limit that holds during a trial. With a half, a limit of 16 for a backend that serves one at a time would prove itself right. */
const TRIAL_PART = 0.25;
/** How much of what a trial finds is taken over where it took longer: one window may be off by chance. */
const SLOWER_TRUST = 0.25;
/** And where it took less time: while the long-term latency is too high, a queue grows. */
const FASTER_TRUST = 0.75;
/** Answers of a trial at least. */
const TRIAL_WINDOW = 25;

/** Limits' worth of answers that a trial waits for what is under way to become less; long ones, as tunnels are, may never. */
const PATIENCE = 4;

type Phase = "steady" | "draining" | "trying";

/**
 * How many may be under way at a backend before more of them only wait there: found by what latency does. While answers take as
 * long as they usually do the limit grows, by the square root of itself; when they take longer it shrinks with the ratio
 * of the long-term latency to the latest, by no more than half. It grows only while nearly all of it is used, so that a quiet
 * time does not open it for a flood.
 *
 * That is Gradient2 of Netflix's concurrency-limits (2018, `Gradient2Limit.java`). In a lasting overload, though, its long-term latency
 * learns the queue that the limit itself has built, and the limit creeps upwards without end. So here it is held to a quarter for
 * a window now and then, and the long-term latency goes towards what it is then; Envoy's adaptive concurrency filter does the like for
 * its `minRTT`.
 *
 * In front of N servers with all the work they can take it settles between N and 3.5 times N, a few more where N is small:
 * all of them are at work and a short queue stands behind them. Pure and without a clock: it counts answers. O(1), about 15 ns an answer; allocates nothing.
 */
export class ConcurrencyLimit {
  /** Not rounded. */
  #estimate = INITIAL;
  /** In microseconds; 0 while nothing is known. */
  #longTerm = 0;
  #phase: Phase = "steady";
  /** Windows until the next trial. */
  #untilTrial = TRIAL_EVERY;
  /** The estimate at the last trial. */
  #triedAt = INITIAL;
  /** Answers still to come that belong to the time before a trial. */
  #toSkip = 0;
  /** Answers until a trial is given up that does not come to begin. */
  #patience = 0;

  // The window being filled.
  #answers = 0;
  #dropped = 0;
  #microseconds = 0;
  #busiest = 0;

  /** How many may be under way, 1 or more. */
  get limit(): number {
    const held = this.#phase === "steady" ? this.#estimate : this.#estimate * TRIAL_PART;
    return Math.max(LEAST, Math.floor(held));
  }

  /**
   * Learns from an attempt that is over.
   * @param microseconds until its answer
   * @param inFlight how many were under way, itself included
   * @param dropped it had no answer, or one that means too much to do
   */
  sample(microseconds: number, inFlight: number, dropped: boolean): void {
    if (this.#phase === "draining" && !this.#drained(inFlight)) return;
    if (dropped) this.#dropped += 1;
    else {
      this.#answers += 1;
      this.#microseconds += microseconds;
    }
    if (inFlight > this.#busiest) this.#busiest = inFlight;
    const enough = this.#phase === "trying" ? TRIAL_WINDOW : WINDOW;
    if (this.#answers + this.#dropped >= Math.max(enough, this.limit)) this.#endWindow();
  }

  /** Before a trial begins, what was asked under the whole limit has to be over: as many answers as are under way by then. */
  #drained(inFlight: number): boolean {
    if (this.#toSkip === 0) {
      if (inFlight <= this.limit) this.#toSkip = this.limit;
      else if (--this.#patience <= 0) this.#endTrial();
      return false;
    }
    this.#toSkip -= 1;
    if (this.#toSkip > 0) return false;
    this.#phase = "trying";
    return true;
  }

  #endTrial(): void {
    this.#phase = "steady";
    this.#untilTrial = TRIAL_EVERY;
    this.#triedAt = this.#estimate;
  }

  #endWindow(): void {
    const all = this.#answers + this.#dropped;
    const short = this.#answers === 0 ? 0 : Math.max(1, this.#microseconds / this.#answers);
    const answered = this.#answers / all;
    const nearlyUsed = this.#busiest >= this.limit / 2;
    const wasTrial = this.#phase === "trying";
    this.#answers = 0;
    this.#dropped = 0;
    this.#microseconds = 0;
    this.#busiest = 0;
    if (short > 0) this.#remember(short, wasTrial, nearlyUsed);
    if (wasTrial) {
      this.#endTrial();
      return;
    }
    if (answered < 1 || nearlyUsed) this.#move(short, answered, nearlyUsed);
    if (!nearlyUsed) return; // no queue of the limit's own making: the long-term latency is what it should be
    this.#untilTrial -= 1;
    const change = this.#estimate / this.#triedAt;
    if (this.#untilTrial > 0 && change < SUSPICIOUS && change > 1 / SUSPICIOUS) return;
    this.#phase = "draining";
    this.#toSkip = 0;
    this.#patience = PATIENCE * this.#estimate;
  }

  #remember(short: number, wasTrial: boolean, nearlyUsed: boolean): void {
    if (this.#longTerm === 0) this.#longTerm = short;
    else if (wasTrial)
      this.#longTerm += (short - this.#longTerm) * (short < this.#longTerm ? FASTER_TRUST : SLOWER_TRUST);
    else {
      // What is above it while the limit is used may be the limit's own queue: only a trial can tell.
      if (!nearlyUsed || short < this.#longTerm) this.#longTerm += (short - this.#longTerm) / LONG;
      if (this.#longTerm > 2 * short) this.#longTerm *= CATCH_UP;
    }
  }

  #move(short: number, answered: number, nearlyUsed: boolean): void {
    const bySpeed = short === 0 ? 1 : Math.min(1, (TOLERANCE * this.#longTerm) / short);
    const gradient = Math.max(0.5, bySpeed * answered);
    // Nothing is added while all is dropped, or while what is allowed is not used.
    const headroom = nearlyUsed ? Math.sqrt(this.#estimate) * answered : 0;
    const next = this.#estimate * gradient + headroom;
    const smoothed = this.#estimate * (1 - SMOOTHING) + next * SMOOTHING;
    this.#estimate = Math.min(MOST, Math.max(LEAST, smoothed));
  }
}
