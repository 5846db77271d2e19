import type { Random } from "../random.ts";
import type { ErrorCode } from "../errors.ts";
import type { Advice } from "./advice.ts";
import type { ProbeTiming } from "../health-plan.ts";

/** How a probe went. Times in milliseconds. */
export type ProbeOutcome =
  | {
      readonly kind: "passed";
      readonly tookMs: number;
      /** `null` where nobody could say. */ readonly advice: Advice | null;
    }
  | {
      readonly kind: "failed";
      readonly tookMs: number;
      readonly advice: Advice | null;
      /** `null` where there was an answer, but not the one that was expected. */
      readonly code: ErrorCode | null;
      /** In words, for people. */
      readonly why: string;
    };

/**
 * What probes have told of a backend. `sinceMs` is when it became so; `failed` and `passed` are the last probes in a row that
 * speak against it, always fewer than it takes.
 */
export type ProbeState =
  | { readonly kind: "starting"; readonly assumed: "up" | "down" }
  | { readonly kind: "up"; readonly sinceMs: number; readonly failed: number }
  | {
      readonly kind: "down";
      readonly sinceMs: number;
      readonly passed: number;
      /** Why the last probe failed. */ readonly why: string;
    };

/** The state before the first probe. */
export function startingAs(assumed: "up" | "down"): ProbeState {
  return { kind: "starting", assumed };
}

/** Whether it may get work as far as probes go. */
export function isUp(state: ProbeState): boolean {
  return state.kind === "up" || (state.kind === "starting" && state.assumed === "up");
}

/** The state after one more probe. The first settles it either way; then it takes `rise` or `fall` in a row. */
export function afterProbe(state: ProbeState, outcome: ProbeOutcome, now: number, timing: ProbeTiming): ProbeState {
  switch (state.kind) {
    case "starting":
      return outcome.kind === "passed"
        ? { kind: "up", sinceMs: now, failed: 0 }
        : { kind: "down", sinceMs: now, passed: 0, why: outcome.why };
    case "up": {
      if (outcome.kind === "passed") return state.failed === 0 ? state : { ...state, failed: 0 };
      const failed = state.failed + 1;
      return failed < timing.fall ? { ...state, failed } : { kind: "down", sinceMs: now, passed: 0, why: outcome.why };
    }
    case "down": {
      if (outcome.kind === "failed") return { ...state, passed: 0, why: outcome.why };
      const passed = state.passed + 1;
      return passed < timing.rise ? { ...state, passed } : { kind: "up", sinceMs: now, failed: 0 };
    }
  }
}

/** Whether the last probe spoke against the state. */
export function isChanging(state: ProbeState): boolean {
  switch (state.kind) {
    case "starting":
      return false;
    case "up":
      return state.failed > 0;
    case "down":
      return state.passed > 0;
  }
}

/** How far an interval is from the configured one at most: probes that fell together do not stay so. */
const JITTER = 0.1;

/** Milliseconds until the next probe. */
export function nextProbeMs(state: ProbeState, timing: ProbeTiming, random: Random): number {
  const interval = isChanging(state) ? timing.changingMs : timing.intervalMs;
  return interval * (1 - JITTER + (2 * JITTER * random.below(1001)) / 1000);
}

/** How far a change has got, in words: `2 of 3 failed`; empty while nothing changes. */
export function progress(state: ProbeState, timing: ProbeTiming): string {
  if (state.kind === "starting") return "not probed yet";
  if (!isChanging(state)) return "";
  return state.kind === "up" ? `${state.failed} of ${timing.fall} failed` : `${state.passed} of ${timing.rise} passed`;
}
