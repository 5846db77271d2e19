import type { Clock } from "../clock.ts";
import { cork } from "../net/cork.ts";
import type { Ticker } from "../net/network.ts";
import type { DrainPlan } from "../plan.ts";
import type { Ending } from "./mode.ts";

/** Longer than this a timer cannot wait, which is 25 days. */
const LONGEST_MS = 2 ** 31 - 1;

/** What has left the plan and finishes what it has. */
export interface Leaving {
  /** Ends what is left of its requests, or tunnels. */
  end(what: Ending): void;
  /** Whether nothing is left. */
  readonly over: boolean;
}

/** What ends at a deadline, and what stops that deadline while one is set. */
interface Deadline {
  readonly what: Ending;
  /** By the clock, in milliseconds. */
  readonly at: number;
  stop: (() => void) | null;
}

/** Who is leaving, each with the deadlines of the plan that it left: costs nothing while they wait for them. */
export class Leavings {
  readonly #clock: Clock;
  readonly #tick: Ticker;
  readonly #all: Map<Leaving, readonly Deadline[]> = new Map();
  #closed = false;

  constructor(clock: Clock, tick: Ticker) {
    this.#clock = clock;
    this.#tick = tick;
  }

  /** Those that are not done. */
  get list(): readonly Leaving[] {
    return [...this.#all.keys()];
  }

  /**
   * One more. Nothing waits for its deadlines where it is over already.
   * @returns to be called when something begins at it after all, which an older plan had begun elsewhere: it ends at the same deadlines, and soon
   *   where they are past
   */
  add(leaving: Leaving, { requestsMs, tunnelsMs }: DrainPlan): () => void {
    const now = this.#clock.now();
    const deadlines: Deadline[] = [];
    if (requestsMs > 0) deadlines.push({ what: "requests", at: now + requestsMs, stop: null });
    if (tunnelsMs > 0) deadlines.push({ what: "tunnels", at: now + tunnelsMs, stop: null });
    if (!leaving.over) this.#watch(leaving, deadlines);
    return () => this.#watch(leaving, deadlines);
  }

  /** Forgets those that are over. */
  sweep(): void {
    for (const leaving of this.#all.keys()) if (leaving.over) this.#forget(leaving);
  }

  /** Gives up all deadlines, of those too at which something may yet begin. */
  close(): void {
    this.#closed = true;
    for (const leaving of this.list) this.#forget(leaving);
  }

  #watch(leaving: Leaving, deadlines: readonly Deadline[]): void {
    if (this.#closed) return;
    this.#all.set(leaving, deadlines);
    const now = this.#clock.now();
    for (const deadline of deadlines) deadline.stop ??= this.#after(deadline.at - now, leaving, deadline);
  }

  #forget(leaving: Leaving): void {
    for (const deadline of this.#all.get(leaving) ?? []) {
      deadline.stop?.();
      deadline.stop = null;
    }
    this.#all.delete(leaving);
  }

  #after(milliseconds: number, leaving: Leaving, deadline: Deadline): () => void {
    const stop = this.#tick(Math.min(Math.max(Math.ceil(milliseconds), 1), LONGEST_MS), () => {
      stop();
      deadline.stop = null;
      leaving.end(deadline.what);
      if (leaving.over) this.#forget(leaving);
      cork.flush();
    });
    return stop;
  }
}
