import type { Clock } from "../clock.ts";
import type { Plan } from "../plan.ts";
import type { Counters } from "../observe/counters.ts";
import type { HealthWords } from "../observe/health-words.ts";
import type { Log } from "../observe/log.ts";
import type { Network } from "../net/network.ts";
import type { Random } from "../random.ts";

/** What an engine needs from outside. */
export interface EngineOptions {
  readonly plan: Plan;
  /** Number of this worker, from 0: whose rows of the counters it writes. */
  readonly worker: number;
  readonly counters: Counters;
  /** What is published of the health of pools, and where attempts are told of. */
  readonly words: HealthWords;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** File descriptors that this process may have open; without it they are taken to be enough for everything. */
  readonly descriptors?: number;
  /** The system's, unless another is given. */
  readonly network?: Network;
}

/** The data path of one process: a plan made into live listeners. */
export interface Engine {
  /**
   * Starts accepting for a listener of the plan.
   * @param listener its position in the plan
   * @param fd an inherited listening socket; without it the engine binds the address itself
   * @param reusePort shares the address with other processes (only without `fd`)
   * @returns the port bound, 0 for a unix socket or where the system does not tell
   * @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED
   */
  listen(listener: number, fd?: number, reusePort?: boolean): number;
  /**
   * Stops accepting, finishes what is open, closes what is still open after the time.
   * @returns how many connections had to be closed
   */
  drain(timeoutMs: number): Promise<number>;
  /** Closes everything at once. */
  close(): void;
  /** Connections open now: clients' and backends'. */
  connections(): { readonly clients: number; readonly backends: number };
}
