import type { Log, LogFields } from "../observe/log.ts";

/** How much an event matters. */
export type Level = "info" | "warn" | "error";

/** Something that happened, as the log has it too. */
export interface WeirEvent {
  /** One more each time. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly level: Level;
  readonly event: string;
  readonly fields: LogFields;
}

/** Enough for an hour of a pool that is in trouble; a few hundred kilobytes at most. */
const MOST = 1000;

/** The latest events of this Weir, its workers' among them, for whoever shows them. One event is one line of the log. */
export class Events {
  readonly #wallClock: () => number;
  readonly #most: number;
  readonly #listeners = new Set<(event: WeirEvent) => void>();
  #ring: WeirEvent[] = [];
  #next: number;

  /**
   * @param first id. A process that takes the time for it begins above all ids of the one before, which had no event each millisecond, so that
   * whoever resumes with one of those misses nothing
   */
  constructor(wallClock: () => number, first = 1, most = MOST) {
    this.#next = first;
    this.#wallClock = wallClock;
    this.#most = most;
  }

  /** Keeps an event and tells everybody. The oldest makes room. */
  add(level: Level, event: string, fields: LogFields = {}): WeirEvent {
    const made = { id: this.#next, time: this.#wallClock(), level, event, fields };
    this.#next += 1;
    this.#ring.push(made);
    // Now and then, not each time: what is moved is moved in one go.
    if (this.#ring.length >= 2 * this.#most) this.#ring = this.#ring.slice(-this.#most);
    for (const listener of this.#listeners) listener(made);
    return made;
  }

  /** What is kept, the oldest first. @param after only those with a higher id */
  recent(after = 0): readonly WeirEvent[] {
    return this.#ring.slice(-this.#most).filter(({ id }) => id > after);
  }

  /** Tells of each event from now on. @returns what ends it */
  subscribe(listener: (event: WeirEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** A log whose lines are events too. */
export function recorded(log: Log, events: Events): Log {
  const both =
    (level: Level) =>
    (event: string, fields?: LogFields): void => {
      log[level](event, fields);
      events.add(level, event, fields);
    };
  return { info: both("info"), warn: both("warn"), error: both("error") };
}
