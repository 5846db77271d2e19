import type { Clock } from "../clock.ts";
import type { Plan } from "../plan.ts";
import type { Counters } from "../observe/counters.ts";
import type { HealthWords } from "../observe/health-words.ts";
import type { Log } from "../observe/log.ts";
import type { Network } from "../net/network.ts";
import type { Random } from "../random.ts";
import type { LiveParts } from "./live-parts.ts";
import type { ListenedClient } from "./client-facts.ts";
import type { Placement } from "./placement.ts";

/** What an engine needs from outside. */
export interface EngineOptions {
  readonly plan: Plan;
  /** Rows and lines of the plan in `counters` and `words`. */
  readonly placement: Placement;
  /** Number of this worker, from 0: whose part of all limits it has. */
  readonly worker: number;
  /** Among how many workers limits are divided; as many as the counters have sections for by default. */
  readonly workers?: number;
  /** Which section of the counters it writes, that of its number by default: nobody else may write there at the same time. */
  readonly section?: number;
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

/**
 * How a worker comes to accept on a new listener: a listening socket that it has inherited or been sent, `own` where it binds the
 * address itself (shared with the other workers), `null` where another worker listens there.
 */
export type ListenerSocket = number | "own" | null;

/** A plan that is ready to take the place of the one in force. Nothing has changed yet. One of the two is to be called, once. */
export interface Prepared {
  /**
   * Puts the plan in force, and begins to drain what it leaves out. Synchronous and short: what takes time is done. New listeners begin
   * first: where one cannot, all is as it was.
   * @param sockets asked for each listener, by its position in the new plan, that the plan in force does not have (by name and address)
   * @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED
   */
  commit(sockets: (listener: number) => ListenerSocket): void;
  /** Forgets it. */
  abandon(): void;
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
   * Builds what is new in a plan beside what runs, a millisecond at a time, and touches nothing. What has not changed is told by its
   * identity: a pool, backend, route or listener of the plan that is the very object of the plan in force is left alone. One plan at a time:
   * the one before must have been committed or abandoned.
   * @param placement of the plan, of the same shape; what is in both plans has the same rows
   */
  prepare(plan: Plan, placement: Placement): Promise<Prepared>;
  /**
   * Stops accepting, finishes what is open, closes what is still open after the time.
   * @returns how many connections had to be closed
   */
  drain(timeoutMs: number): Promise<number>;
  /** Closes everything at once. */
  close(): void;
  /** Goes on with access logs in new files: the old ones were moved. No line is lost. */
  reopenLogs(): void;
  /** What runs now, for whoever explains or shows it. */
  readonly live: LiveParts;
  /** Connections open now: clients' and backends', those that a plan has left out among them. */
  connections(): { readonly clients: number; readonly backends: number };
  /** Clients' connections that are open, each with what closes it. O(connections). */
  clients(): readonly ListenedClient[];
  /** How many there are, by the listener's name. */
  open(): Readonly<Record<string, number>>;
}
