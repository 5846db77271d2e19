/** Bun's timers count whole milliseconds: they end up to one too early or too late. */
const timerErrorMs = 1.2;
/** The last stretch is slept through in naps this short, with a look at the sockets after each. */
const napMs = 0.2;

interface Alarm {
  readonly due: number;
  readonly ring: () => void;
}

/** Calls back at moments on `performance.now()`, exact to some 0.2 ms while the processor has time. */
export class Alarms {
  /** The next one last. */
  readonly #alarms: Alarm[] = [];
  readonly #nap: Int32Array = new Int32Array(new SharedArrayBuffer(4));
  #timer: Timer | null = null;
  #napping = false;

  /** Those of the same moment ring in the order in which they were set. */
  at(due: number, ring: () => void): void {
    let low = 0;
    let high = this.#alarms.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#alarms[middle]?.due ?? 0) > due) low = middle + 1;
      else high = middle;
    }
    this.#alarms.splice(low, 0, { due, ring });
    if (low === this.#alarms.length - 1 && !this.#napping) this.#wait();
  }

  #wait(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const next = this.#alarms.at(-1);
    this.#napping = false;
    if (next === undefined) return;
    const leftMs = next.due - performance.now();
    if (leftMs > timerErrorMs) {
      this.#timer = setTimeout(() => this.#turn(), leftMs - timerErrorMs);
      return;
    }
    this.#napping = true;
    if (leftMs > 0) Atomics.wait(this.#nap, 0, 0, Math.min(leftMs, napMs));
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#napping = true; // what rings may set alarms; the wait is begun once, below
    for (;;) {
      const next = this.#alarms.at(-1);
      if (next === undefined || next.due > performance.now()) break;
      this.#alarms.pop();
      next.ring();
    }
    this.#wait();
  }
}
