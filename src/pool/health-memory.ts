import type { BackendFacts } from "../health-plan.ts";
import { type BackendHealth, type Counts, newBackendHealth } from "./backend-health.ts";
import type { Ejection } from "./ejection.ts";
import type { ProbeState } from "./probe-state.ts";

/** What is known of a backend, for a process that goes on with it. Plain data; times by the clock of who remembers. */
export type BackendMemory = Pick<
  BackendHealth,
  "probe" | "lastProbe" | "ejection" | "advice" | "drainSince" | "working" | "returning" | "rampSince"
> & { /** `null` for not at all. */ readonly drainUntil: number | null };

/** What is known of a pool. */
export interface PoolMemory {
  /** What its probes ask; see `probeKey`. `null` where it has none. */
  readonly asks: string | null;
  /** By their ids. */
  readonly backends: Readonly<Record<string, BackendMemory>>;
}

/** What is to be remembered of a backend. */
export function memoryOf(member: Readonly<BackendHealth>): BackendMemory {
  const { probe, lastProbe, ejection, advice, drainUntil, drainSince, working, returning, rampSince } = member;
  const until = drainUntil === -Infinity ? null : drainUntil;
  return { probe, lastProbe, ejection, advice, drainUntil: until, drainSince, working, returning, rampSince };
}

/** A backend as it is remembered. @param laterMs how much later it is by this clock than by that of who remembers */
export function recalled(plan: BackendFacts, memory: BackendMemory, laterMs: number, counts: Counts): BackendHealth {
  const { probe, ejection, drainUntil, drainSince, rampSince } = memory;
  const later = (time: number | null): number | null => (time === null ? null : time + laterMs);
  return {
    ...newBackendHealth(plan, "up", counts, memory.returning),
    ...memory,
    probe: laterProbe(probe, laterMs),
    ejection: laterEjection(ejection, laterMs),
    drainUntil: later(drainUntil) ?? -Infinity,
    drainSince: later(drainSince),
    rampSince: later(rampSince),
  };
}

function laterProbe(probe: ProbeState, ms: number): ProbeState {
  return probe.kind === "starting" ? probe : { ...probe, sinceMs: probe.sinceMs + ms };
}

function laterEjection(ejection: Ejection, ms: number): Ejection {
  return ejection.kind === "in"
    ? { ...ejection, sinceMs: ejection.sinceMs + ms }
    : { ...ejection, until: ejection.until + ms };
}
