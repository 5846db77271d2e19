import type { Clock } from "../src/clock.ts";
import type { Dice } from "./dice.ts";

interface Event {
  readonly at: number;
  /** Events of the same time happen in the order in which they were planned. */
  readonly turn: number;
  /** A run ends when none but background events are left. */
  readonly background: boolean;
  readonly happen: () => void;
}

/** Time of a run and what happens in it: nothing but the queue makes time pass. */
export class World {
  readonly dice: Dice;
  readonly clock: Clock = { now: () => this.now };
  /** Milliseconds since the beginning of the run. */
  now = 0;
  /** Events so far. */
  events = 0;
  /** What went against an invariant, in words. */
  readonly violations: string[] = [];
  /** Called after each event. */
  afterEach: () => void = () => {};
  readonly #heap: Event[] = [];
  readonly #tell: ((line: string) => void) | null;
  #turn = 0;
  #foreground = 0;
  /** Whether a background event is happening: what it plans is in the background too. */
  #behind = false;

  /** @param tell who is told of each step; `null` for nobody, and then no text is made */
  constructor(dice: Dice, tell: ((line: string) => void) | null) {
    this.dice = dice;
    this.#tell = tell;
  }

  /** Writes a line of the run's log. The text is only made where somebody reads it. */
  note(text: () => string): void {
    if (this.#tell !== null) this.#tell(`${this.now.toFixed(3).padStart(11)}  ${text()}`);
  }

  /** Says that an invariant does not hold. */
  violate(what: string): void {
    this.note(() => `VIOLATED ${what}`);
    // One defect shows in many ways: the first ones are enough.
    if (this.violations.length < 20) this.violations.push(`at ${this.now.toFixed(3)} ms: ${what}`);
  }

  after(delayMs: number, happen: () => void): void {
    this.#push({ at: this.now + Math.max(0, delayMs), turn: this.#turn++, background: this.#behind, happen });
  }

  /** Plans something that nobody waits for: a run may end before it. */
  aside(delayMs: number, happen: () => void): void {
    this.#push({ at: this.now + Math.max(0, delayMs), turn: this.#turn++, background: true, happen });
  }

  at(time: number, happen: () => void): void {
    this.after(time - this.now, happen);
  }

  /** Calls something again and again, until what it returns is called. */
  every(everyMs: number, tick: () => void, background = false): () => void {
    let stopped = false;
    const again = (): void => {
      const happen = (): void => {
        if (stopped) return;
        tick();
        if (!stopped) again();
      };
      this.#push({ at: this.now + everyMs, turn: this.#turn++, background: background || this.#behind, happen });
    };
    again();
    return () => {
      stopped = true;
    };
  }

  /**
   * Lets happen what is planned, and what comes of it.
   * @param most milliseconds of the run, after which what is left is a violation
   */
  run(most: number): void {
    while (this.#foreground > 0) {
      const event = this.#pop();
      if (event === undefined) return;
      if (event.at > most) {
        this.violate(`something goes on for ever: still busy after ${most} ms`);
        return;
      }
      this.#happen(event);
    }
  }

  /** Lets so many milliseconds pass. */
  pass(ms: number): void {
    const until = this.now + ms;
    for (let first = this.#heap[0]; first !== undefined && first.at <= until; first = this.#heap[0]) {
      const event = this.#pop();
      if (event !== undefined) this.#happen(event);
    }
    this.now = until;
  }

  #happen(event: Event): void {
    this.now = event.at;
    this.events += 1;
    this.#behind = event.background;
    event.happen();
    this.#behind = false;
    this.afterEach();
  }

  #push(event: Event): void {
    if (!event.background) this.#foreground += 1;
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (!first.background) this.#foreground -= 1;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.turn < b.turn);
}
