import type { Setting, Stage } from "./stage.ts";
import type { Excuses } from "./verdict.ts";

/** One thing that goes wrong while the load goes on. */
export interface Fault {
  readonly name: string;
  readonly excuses: Excuses;
  /** Whether Weir itself is gone afterwards. */
  readonly last?: boolean;
  /**
   * Does it, and puts it right again.
   * @param holdMs how long it stays, where it may stay as long as one likes
   * @returns what is not as it should be, beside what the load sees
   */
  readonly happen: (stage: Stage, holdMs: number) => Promise<readonly string[]>;
}

/** Faults that are met by one Weir, one after another. */
export interface Act {
  readonly name: string;
  readonly setting: Setting;
  readonly faults: readonly Fault[];
}
