import type { Clock } from "../clock.ts";
import { cork } from "../net/cork.ts";
import type { Ticker } from "../net/network.ts";
import { TimerWheel } from "../net/timer-wheel.ts";

/** A timer wheel that turns by itself, and only while a deadline is set: an idle worker sleeps. */
export class TickingWheel {
  readonly wheel: TimerWheel;
  #stop: (() => void) | null = null;

  /** @param tickMs time between two looks, in milliseconds */
  constructor(clock: Clock, tick: Ticker, tickMs: number) {
    this.wheel = new TimerWheel(
      clock,
      () => {
        this.#stop ??= tick(tickMs, () => {
          this.wheel.advance();
          cork.flush();
          if (this.wheel.idle) this.stop();
        });
      },
      tickMs,
    );
  }

  /** Stands still, until a deadline is set on an idle wheel again. */
  stop(): void {
    this.#stop?.();
    this.#stop = null;
  }
}
