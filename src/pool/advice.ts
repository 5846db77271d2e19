import type { AdminState } from "../health-plan.ts";

/** What a backend says of itself in an answer, as HAProxy's agent does. */
export interface Advice {
  /** From `weir-state`; `null` where it is not there, or says nothing that is known. */
  readonly state: AdminState | null;
  /** From `weir-weight`: percent of its configured weight that it wants, from 0 to 100. */
  readonly weightPercent: number;
}

/** What an answer without either field says. */
export const NO_ADVICE: Advice = { state: null, weightPercent: 100 };

const STATES: ReadonlySet<string> = new Set<AdminState>(["ready", "drain", "maintenance"]);

function isState(text: string): text is AdminState {
  return STATES.has(text);
}

/**
 * Reads the fields `weir-state` and `weir-weight` (`"50"` or `"50%"`; above 100 is 100, since a backend may only lower its
 * weight). What is not understood is as if it were not there: an answer is no configuration.
 * @param state value of the field, `null` where there is none
 * @param weight the same
 */
export function readAdvice(state: string | null, weight: string | null): Advice {
  const wanted = (state ?? "").toLowerCase();
  const percent = /^(\d{1,9})\s?%?$/.exec(weight ?? "")?.[1];
  return {
    state: isState(wanted) ? wanted : null,
    weightPercent: percent === undefined ? 100 : Math.min(100, Number(percent)),
  };
}
