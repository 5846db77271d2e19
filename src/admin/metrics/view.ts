import type { Counters } from "../../observe/counters.ts";
import type { HealthWords } from "../../observe/health-words.ts";
import type { Plan } from "../../plan.ts";
import type { BackendHealth } from "../../pool/backend-health.ts";

/** Where the numbers of a plan are in the shared memory; all by position in the plan. */
interface MetricsPlacement {
  readonly backends: readonly (readonly number[])[];
  readonly listeners: readonly number[];
  readonly pools: readonly number[];
  /** Line of each pool among the words of health. */
  readonly lines: readonly number[];
}

/** The place of a worker. */
interface MetricsSeat {
  readonly worker: number;
  /** `null` while there is no process. */
  readonly pid: number | null;
  /** `running` while it accepts. */
  readonly state: string;
  /** How often its process has died. */
  readonly deaths: number;
}

/** How the configuration was read the last times. */
interface MetricsReload {
  /** Whether the last attempt to read it anew brought it into force; true before the first one. */
  readonly ok: boolean;
  /** When the last one that did so did it: milliseconds since 1970. */
  readonly succeededAt: number;
}

/** What metrics are read from: nothing of it asks a worker. The supervisor has all of it. */
export interface MetricsView {
  readonly plan: Plan;
  readonly placement: MetricsPlacement;
  readonly counters: Counters;
  readonly words: HealthWords;
  /** Number of the plan in force. */
  readonly generation: number;
  /** When this Weir started: milliseconds since 1970. */
  readonly startedAt: number;
  readonly seats: readonly MetricsSeat[];
  readonly reloaded: MetricsReload;
  /** The keeper of a pool's health, in the order of the pool; `null` where there is none. */
  keeper(pool: string): { readonly backends: readonly Readonly<BackendHealth>[] } | null;
}
