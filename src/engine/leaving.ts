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

/** Who is leaving, each with the deadlines of the plan that it left: costs nothing while they wait for them. */
export class Leavings {
  readonly #tick: Ticker;
  /** With what stops its deadlines. */
  readonly #all: Map<Leaving, () => void> = new Map();

  constructor(tick: Ticker) {
    this.#tick = tick;
  }

  /** Those that are not done. */
  get list(): readonly Leaving[] {
    return [...this.#all.keys()];
  }

  /** One more. Nothing happens where it is over already. */
  add(leaving: Leaving, { requestsMs, tunnelsMs }: DrainPlan): void {
    if (leaving.over) return;
    const stops = [
      requestsMs > 0 ? this.#after(requestsMs, () => this.#end(leaving, "requests")) : () => {},
      tunnelsMs > 0 ? this.#after(tunnelsMs, () => this.#end(leaving, "tunnels")) : () => {},
    ];
    this.#all.set(leaving, () => stops.forEach((stop) => stop()));
  }

  /** Forgets those that are over. */
  sweep(): void {
    for (const leaving of this.#all.keys()) if (leaving.over) this.#forget(leaving);
  }

  /** Gives up all deadlines. */
  close(): void {
    for (const leaving of this.list) this.#forget(leaving);
  }

  #end(leaving: Leaving, what: Ending): void {
    leaving.end(what);
    if (leaving.over) this.#forget(leaving);
  }

  #forget(leaving: Leaving): void {
    this.#all.get(leaving)?.();
    this.#all.delete(leaving);
  }

  #after(milliseconds: number, then: () => void): () => void {
    const stop = this.#tick(Math.min(milliseconds, LONGEST_MS), () => {
      stop();
      then();
      cork.flush();
    });
    return stop;
  }
}
