import type { Clock } from "../clock.ts";
import { tellDefect } from "./defects.ts";

/** Time between two slots, unless a wheel has its own. A timer is never early, and late by at most three of these, while the wheel is advanced in time. */
export const TICK_MS = 50;
const SLOTS = 512;

/** A deadline of something. Moving it later, the usual case, is one store. */
export class Timer {
  /** When it expires, in the wheel's time. */
  deadline: number = Number.POSITIVE_INFINITY;
  /** When the wheel looks at it next; it is linked there while this is finite. */
  scheduled: number = Number.POSITIVE_INFINITY;
  previous: Timer | null = null;
  next: Timer | null = null;
  readonly owner: Expiring;

  /** @param owner told once when the deadline has passed */
  constructor(owner: Expiring) {
    this.owner = owner;
  }
}

/** Something with a deadline. */
export interface Expiring {
  expired(): void;
}

/**
 * Hashed timer wheel: a timer is linked into the slot of its deadline and looked at when the hand gets there; if its
 * deadline has moved on meanwhile it is linked again. So a connection that is busy all the time costs one store per
 * event and one look per 25 s. Varghese and Lauck, SOSP 1987, scheme 6. O(1) for all.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #slots: (Timer | null)[] = new Array<Timer | null>(SLOTS).fill(null);
  readonly #tickMs: number;
  #tick: number;
  #linked = 0;
  readonly #onBusy: () => void;

  /** Time as of the last tick or the last `refresh`, in milliseconds; older while the wheel is idle. */
  now: number;

  /**
   * @param onBusy called when a first timer is set: someone must then call `advance` every `tickMs` until it is idle
   * @param tickMs time between two slots
   */
  constructor(clock: Clock, onBusy: () => void, tickMs: number = TICK_MS) {
    this.#clock = clock;
    this.#tickMs = tickMs;
    this.now = clock.now();
    this.#tick = Math.floor(this.now / tickMs);
    this.#onBusy = onBusy;
  }

  /** Whether no timer is linked. */
  get idle(): boolean {
    return this.#linked === 0;
  }

  /** Reads the clock. About 40 ns. */
  refresh(): number {
    return (this.now = this.#clock.now());
  }

  /** Sets or moves a timer. 0 or less switches it off. */
  set(timer: Timer, delayMs: number): void {
    if (delayMs <= 0) {
      timer.deadline = Number.POSITIVE_INFINITY;
      return;
    }
    // An idle wheel is not advanced: what it took for now may be hours ago.
    if (this.#linked === 0) this.refresh();
    // `now` may be a tick old: a tick more, so that the timer is not early.
    const deadline = this.now + delayMs + this.#tickMs;
    timer.deadline = deadline;
    if (deadline < timer.scheduled) this.#relink(timer, deadline);
  }

  /** Switches a timer off and forgets it. */
  remove(timer: Timer): void {
    timer.deadline = Number.POSITIVE_INFINITY;
    if (timer.scheduled !== Number.POSITIVE_INFINITY) this.#unlink(timer);
  }

  /** Expires what is due. */
  advance(): void {
    const now = this.refresh();
    const last = Math.floor(now / this.#tickMs);
    // After a long halt one turn of the wheel sees every slot.
    if (last - this.#tick > SLOTS) this.#tick = last - SLOTS;
    while (this.#tick < last) {
      this.#tick += 1;
      let timer = this.#slots[this.#tick % SLOTS] ?? null;
      // What expires may unlink its neighbours: begin again after each one that was called.
      while (timer !== null) {
        const next: Timer | null = timer.next;
        if (timer.deadline <= now) {
          this.remove(timer);
          try {
            timer.owner.expired();
          } catch (error) {
            tellDefect(error);
          }
          timer = this.#slots[this.#tick % SLOTS] ?? null;
        } else {
          if (timer.deadline === Number.POSITIVE_INFINITY) this.#unlink(timer);
          else this.#relink(timer, timer.deadline);
          timer = next;
        }
      }
    }
  }

  /** The tick at which a deadline is looked at: the first after it, at most one turn from now. */
  #slotTick(deadline: number): number {
    return Math.min(Math.floor(deadline / this.#tickMs) + 1, this.#tick + SLOTS - 1);
  }

  #relink(timer: Timer, deadline: number): void {
    if (timer.scheduled !== Number.POSITIVE_INFINITY) this.#unlink(timer);
    const tick = Math.max(this.#slotTick(deadline), this.#tick + 1);
    timer.scheduled = tick * this.#tickMs;
    const slot = tick % SLOTS;
    const head = this.#slots[slot] ?? null;
    timer.next = head;
    timer.previous = null;
    if (head !== null) head.previous = timer;
    this.#slots[slot] = timer;
    this.#linked += 1;
    if (this.#linked === 1) this.#onBusy();
  }

  #unlink(timer: Timer): void {
    if (timer.previous !== null) timer.previous.next = timer.next;
    else this.#slots[(timer.scheduled / this.#tickMs) % SLOTS] = timer.next;
    if (timer.next !== null) timer.next.previous = timer.previous;
    timer.previous = null;
    timer.next = null;
    timer.scheduled = Number.POSITIVE_INFINITY;
    this.#linked -= 1;
  }
}
