import type { Sample } from "./ejection.ts";
import type { SuccessRatePlan } from "../health-plan.ts";

/** Attempts and failures by the position of a backend, since its row began. */
interface Totals {
  attempts(index: number): number;
  failures(index: number): number;
}

/** Cuts numbers that only grow into windows of time. Times in milliseconds. */
export class SuccessWindow {
  readonly #windowMs: number;
  readonly #attempts: Float64Array;
  readonly #failures: Float64Array;
  #endsAt: number;

  constructor({ windowMs }: SuccessRatePlan, backends: number, totals: Totals, now: number) {
    this.#windowMs = windowMs;
    this.#endsAt = now + windowMs;
    this.#attempts = Float64Array.from({ length: backends }, (_, index) => totals.attempts(index));
    this.#failures = Float64Array.from({ length: backends }, (_, index) => totals.failures(index));
  }

  /** When the window ends. */
  get endsAt(): number {
    return this.#endsAt;
  }

  /**
   * Gives what happened in the window that has ended, and begins the next; nothing before its end. Numbers that have
   * fallen, as they do when a dead worker's are taken out, count as nothing. O(n) at the end of a window, O(1) otherwise.
   */
  close(totals: Totals, now: number): readonly Sample[] {
    if (now < this.#endsAt) return [];
    this.#endsAt = now + this.#windowMs;
    const samples: Sample[] = [];
    for (let index = 0; index < this.#attempts.length; index++) {
      const attempts = totals.attempts(index);
      const failures = totals.failures(index);
      samples.push({
        attempts: Math.max(0, attempts - this.#attempts[index]!),
        failures: Math.max(0, failures - this.#failures[index]!),
      });
      this.#attempts[index] = attempts;
      this.#failures[index] = failures;
    }
    return samples;
  }
}
