import type { Change } from "../../config/diff.ts";
import type { Problem } from "../../config/files/problems.ts";

/** What became of a change to a running Weir: done everywhere, or nowhere. */
export type ApplyReport = Applied | Refused;

/** The plan is in force in all workers. With `dryRun`, it would be. */
export interface Applied {
  readonly ok: true;
  /** Number of the plan now in force; the same as before where nothing differed. */
  readonly generation: number;
  readonly changes: readonly Change[];
  /** Keys that differ and take effect only at an upgrade or a restart. */
  readonly needsUpgrade: readonly string[];
  readonly tookMs: number;
}

/** All is as it was, and why. */
export interface Refused {
  readonly ok: false;
  readonly problems: readonly Problem[];
}
