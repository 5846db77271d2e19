import type { Placement } from "../engine/placement.ts";
import type { Counters } from "../observe/counters.ts";
import type { HealthWords } from "../observe/health-words.ts";
import type { Plan } from "../plan.ts";
import type { HealthKeeper } from "../pool/keeper.ts";
import type { Events } from "../process/events.ts";
import type { LiveConfig } from "../process/load/live-config.ts";
import type { WorkerStatus } from "./model.ts";

/** The life of a Weir. */
export type Phase = "starting" | "running" | "draining" | "stopped";

/** The place of a worker. */
export interface Seat {
  readonly worker: number;
  /** `null` while there is no process. */
  readonly pid: number | null;
  readonly state: WorkerStatus["state"];
  /** When its process began, in milliseconds since 1970; `null` while there is none. */
  readonly startedAt: number | null;
  /** How often its process has died. */
  readonly deaths: number;
  /** The process before it, which finishes what it has open; `null` where there is none. */
  readonly leavingPid: number | null;
}

/** A running Weir as its admin API sees it: as little of `process/` as is needed, so that a test can play it. */
export interface Running {
  /** The plan in force, with the addresses that were bound. */
  readonly plan: Plan;
  readonly placement: Placement;
  readonly generation: number;
  readonly planHash: string;
  readonly phase: Phase;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly counters: Counters;
  readonly words: HealthWords;
  readonly events: Events;
  readonly seats: readonly Seat[];
  /** How the configuration was read the last times; see `metrics/view.ts`. */
  readonly reloaded: { readonly ok: boolean; readonly succeededAt: number };
  /** In milliseconds of the clock that keepers and probes go by. */
  now(): number;
  /** Milliseconds since 1970. */
  wallNow(): number;
  /** What is known of the health of a pool. */
  keeper(pool: string): HealthKeeper | null;
  /**
   * Asks a process that serves clients, by its process id; see `process/worker/questions`.
   * @throws where it did not answer, or not with an answer
   */
  ask(pid: number, question: string, argument: unknown): Promise<unknown>;
  /** A line of the log, and an event. */
  note(level: "info" | "warn", event: string, fields: Readonly<Record<string, string | number | boolean>>): void;
  /** Where the configuration comes from, and how it is changed. */
  readonly config: Pick<LiveConfig, "file" | "raw" | "overlay" | "reload" | "edit">;
  /** Drains, or ends at once: begun when it returns. */
  stop(now: boolean): void;
  /**
   * Puts a new process in a worker's place; fulfilled, with what happened in words, when it accepts.
   * @throws where there is no such worker, or it did not start
   */
  renew(worker: number): Promise<string>;
  /** Starts the new program in the place of this one; fulfilled, with what happened in words, when it is ready. `null` where that cannot be done. */
  readonly upgrade: (() => Promise<string>) | null;
}
