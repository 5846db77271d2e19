import type { Listening } from "../net/listen.ts";
import { COLUMN } from "../observe/columns.ts";
import type { Row } from "../observe/counters.ts";

/** The accepting side of a listener, which more than one may hold shut: it accepts while nobody does. */
export class Door {
  readonly #row: Row;
  #listening: Listening | null = null;
  #shutBy = 0;
  #paused = false;

  /** @param row of the listener */
  constructor(row: Row) {
    this.#row = row;
  }

  /** Whether it is shut, and there is no way to let those who come wait: what is accepted is to be closed at once. */
  get turnsAway(): boolean {
    return this.#shutBy > 0 && !this.#paused;
  }

  /** Its listener accepts from now on. */
  begin(listening: Listening): void {
    this.#listening = listening;
    if (this.#shutBy > 0) this.#paused = listening.pause?.() ?? false;
  }

  /** Its listener never accepts again; what waits in its queue is reset. */
  end(): void {
    this.#listening?.stop();
    this.#listening = null;
  }

  shut(): void {
    this.#shutBy += 1;
    if (this.#shutBy > 1) return;
    this.#row.add(COLUMN.pauses, 1);
    this.#paused = this.#listening?.pause?.() ?? false;
  }

  open(): void {
    this.#shutBy -= 1;
    if (this.#shutBy > 0 || !this.#paused) return;
    this.#paused = false;
    this.#listening?.resume?.();
  }
}
