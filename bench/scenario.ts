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
  /** Each proxy writes an access log; those that have none are left out. */
  readonly accessLog?: boolean;
  /** Backends with small buffers of the system, where thousands of connections are full at a time. */
  readonly narrowBackends?: boolean;
  readonly needsWrk: boolean;
  readonly figures: readonly Figure[];
  /** What is steady from process to process needs no more rounds than this. */
  readonly mostRounds: number;
  /** Brings a fresh process into its working state by the load that is measured; null where its first state counts. */
  readonly warmUp: ((target: Target) => Promise<void>) | null;
  measure(target: Target, options: Options): Promise<Sample>;
}
