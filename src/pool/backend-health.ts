import { type Advice, NO_ADVICE } from "./advice.ts";
import { type Ejection, NEVER_EJECTED } from "./ejection.ts";
import type { Standing } from "./eligibility.ts";
import type { AdminState, BackendFacts } from "../health-plan.ts";
import { isUp, type ProbeOutcome, type ProbeState, startingAs } from "./probe-state.ts";
import { rampFactor } from "./slow-start.ts";

/** What workers have counted of a backend since its row began. Numbers only grow; one that is smaller than before begins anew. */
export interface Counts {
  /** How often its failures in a row reached the threshold. */
  readonly strikes: number;
  /** How often it asked to be drained. */
  readonly notices: number;
}

/** Everything that is known of the health of one backend of one pool. */
export interface BackendHealth {
  plan: BackendFacts;
  probe: ProbeState;
  lastProbe: ProbeOutcome | null;
  ejection: Ejection;
  /** What its last answer to a probe said of itself. */
  advice: Advice;
  /** Until when it counts as draining because a response said so. */
  drainUntil: number;
  /** Since when it drains, whoever wants it; `null` while it does not. */
  drainSince: number | null;
  /** Whether it drains and still keeps the clients that are pinned to it. */
  keepsPinned: boolean;
  counts: Counts;
  /** Whether it had work the last time that was decided. */
  working: boolean;
  /** Whether it has a slow start the next time it gets work. */
  returning: boolean;
  /** When its slow start began; `null` for none. */
  rampSince: number | null;
  /** When it was last said that it would have been ejected. */
  sparedMs: number;
}

/** A backend of which nothing is known yet. */
export function newBackendHealth(
  plan: BackendFacts,
  assumed: "up" | "down",
  counts: Counts,
  returning: boolean,
): BackendHealth {
  return {
    plan,
    probe: startingAs(assumed),
    lastProbe: null,
    ejection: NEVER_EJECTED,
    advice: NO_ADVICE,
    drainUntil: -Infinity,
    drainSince: null,
    keepsPinned: false,
    counts,
    working: false,
    returning,
    rampSince: null,
    sparedMs: -Infinity,
  };
}

const SEVERITY: Readonly<Record<AdminState, number>> = { ready: 0, drain: 1, maintenance: 2 };

/** What the operator or the backend itself wants of it, whoever wants less. */
export function stateOf(member: BackendHealth, now: number): AdminState {
  const states = [
    member.plan.state,
    member.advice.state ?? "ready",
    now < member.drainUntil ? "drain" : "ready",
  ] as const;
  return states.reduce((worst, state) => (SEVERITY[state] > SEVERITY[worst] ? state : worst));
}

/** Until when it keeps the clients that are pinned to it though it drains; -Infinity while it does not drain. */
export function pinnedUntil({ drainSince }: BackendHealth, pinnedMs: number): number {
  return drainSince === null ? -Infinity : drainSince + pinnedMs;
}

/** What decides whether it gets work. */
export function standingOf(member: BackendHealth, now: number, rampMs: number): Standing {
  const { id, weight, tier, zone } = member.plan;
  return {
    id,
    weight,
    state: stateOf(member, now),
    healthy: isUp(member.probe) && member.ejection.kind === "in",
    wanted: member.advice.weightPercent / 100,
    ramp: member.rampSince === null ? 1 : rampFactor(now, member.rampSince, rampMs),
    tier,
    zone,
  };
}

/**
 * Notes whether it has work, and so where its slow start begins and ends: whenever it has work again, but not when it only waited
 * for its first probe at Weir's own start.
 */
export function noteWorking(
  member: BackendHealth,
  working: boolean,
  waiting: boolean,
  now: number,
  rampMs: number,
): void {
  if (!working) {
    member.rampSince = null;
    if (!waiting) member.returning = true;
  } else if (!member.working) {
    member.rampSince = member.returning && rampMs > 0 ? now : null;
  } else if (member.rampSince !== null && rampFactor(now, member.rampSince, rampMs) === 1) member.rampSince = null;
  member.working = working;
}
