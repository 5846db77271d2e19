import type { Options } from "./options.ts";
import type { Mode } from "./proxy.ts";
import type { Target } from "./target.ts";

/** What a figure is measured against: Weir ÷ the better of HAProxy and nginx, or Weir's own figure. */
export interface Goal {
  readonly of: "ratio" | "figure";
  readonly is: "at most" | "at least";
  readonly value: number;
}

/** One row of a scenario's table. */
export interface Figure {
  readonly key: string;
  readonly label: string;
  readonly digits: number;
  /** Which way is better; "neither" for what only explains the others. */
  readonly better: "lower" | "higher" | "neither";
  readonly goal?: Goal;
}

/** The figures of one proxy in one round, by key, and what went wrong meanwhile. */
export interface Sample {
  readonly figures: Readonly<Record<string, number>>;
  readonly errors: readonly string[];
}

/** One comparison. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly mode: Mode;
  /** HAProxy and nginx with larger buffers than their defaults. */
  readonly largeBuffers: boolean;
  readonly needsWrk: boolean;
  /** A new process for each round, for memory; otherwise one for all rounds, warmed up. */
  readonly fresh: boolean;
  readonly figures: readonly Figure[];
  measure(target: Target, options: Options): Promise<Sample>;
}
