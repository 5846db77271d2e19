import { cork } from "../net/cork.ts";
import { type Expiring, Timer, type TimerWheel } from "../net/timer-wheel.ts";

/** Something that is to be done after a time, once, unless it is cancelled. For what few exchanges have. */
export class Deadline implements Expiring {
  readonly #wheel: TimerWheel;
  readonly #timer: Timer = new Timer(this);
  readonly #act: () => void;
  readonly #delayMs: number;

  /** @param delayMs in milliseconds; 0 or less is never */
  constructor(wheel: TimerWheel, delayMs: number, act: () => void) {
    this.#wheel = wheel;
    this.#act = act;
    this.#delayMs = delayMs;
    wheel.set(this.#timer, delayMs);
  }

  expired(): void {
    this.#act();
    cork.flush();
  }

  cancel(): void {
    this.#wheel.remove(this.#timer);
  }

  /** Lets the time run from now where it was cancelled; no change where it runs. */
  resume(): void {
    if (this.#timer.deadline === Number.POSITIVE_INFINITY) this.#wheel.set(this.#timer, this.#delayMs);
  }
}
