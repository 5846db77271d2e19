import type { Clock } from "../clock.ts";
import type { Counters } from "../observe/counters.ts";
import type { HealthWords } from "../observe/health-words.ts";
import type { Plan } from "../plan.ts";
import type { LivePool } from "../proxy/target.ts";
import type { Placement } from "./placement.ts";

/** What runs in a worker just now. Read anew for each question: the next plan puts others in their place. */
export interface LiveParts {
  /** Number of the worker. */
  readonly worker: number;
  /** In force. */
  readonly plan: Plan;
  readonly placement: Placement;
  /** By their names; those of the plan, and no others. */
  readonly pools: ReadonlyMap<string, LivePool>;
  readonly counters: Counters;
  readonly words: HealthWords;
  /** The time that policies go by. */
  readonly clock: Clock;
}
