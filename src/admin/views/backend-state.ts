import type { BackendHealth } from "../../pool/backend-health.ts";
import { pinnedUntil, stateOf } from "../../pool/backend-health.ts";
import { causeText, ejectionMs } from "../../pool/ejection.ts";
import { isChanging } from "../../pool/probe-state.ts";
import type { HealthPlan } from "../../health-plan.ts";
import { rampFactor } from "../../pool/slow-start.ts";
import type { BackendState, BackendView } from "../model.ts";

/** What a backend is, why, and since when by the clock (`null` where that is not known). */
export interface StateFacts {
  readonly state: BackendState;
  readonly why: string;
  readonly sinceMs: number | null;
}

/** What a backend is, the worst first that holds. */
export function stateFacts(member: Readonly<BackendHealth>, health: HealthPlan, now: number): StateFacts {
  const { probe, ejection, rampSince, drainSince } = member;
  const wanted = stateOf(member, now);
  if (wanted === "maintenance") return { state: "maintenance", why: whoWants(member, wanted), sinceMs: null };
  if (probe.kind === "down") return { state: "down", why: probe.why, sinceMs: probe.sinceMs };
  if (ejection.kind === "ejected") {
    const sinceMs = health.passive === null ? null : ejection.until - ejectionMs(ejection.inARow, health.passive);
    return { state: "ejected", why: causeText(ejection.cause), sinceMs };
  }
  if (wanted === "drain") {
    const pinned = now < pinnedUntil(member, health.pinnedMs) ? "; it keeps the clients that are pinned to it" : "";
    return { state: "drain", why: whoWants(member, wanted) + pinned, sinceMs: drainSince };
  }
  if (probe.kind === "starting" && health.probe !== null)
    return { state: "starting", why: `not probed yet, held to be ${probe.assumed}`, sinceMs: null };
  if (rampSince !== null) {
    const percent = Math.round(rampFactor(now, rampSince, health.slowStartMs) * 100);
    return { state: "ramp", why: `slow start, at ${percent} % of its share`, sinceMs: rampSince };
  }
  const since = probe.kind === "up" ? probe.sinceMs : null;
  const idle = member.plan.weight === 0 ? "weight 0: it takes no new work" : "";
  return { state: "up", why: idle, sinceMs: since };
}

function whoWants(member: Readonly<BackendHealth>, state: "drain" | "maintenance"): string {
  if (member.plan.state === state) return "set by an operator or the configuration";
  return member.advice.state === state ? "its answer to a probe asks for it" : "a response asked for it";
}

/** How far a change of state by probes has got. */
export function progressOf({ probe }: Readonly<BackendHealth>, health: HealthPlan): BackendView["progress"] {
  if (health.probe === null || !isChanging(probe)) return null;
  if (probe.kind === "up") return { of: "fall", done: probe.failed, needed: health.probe.fall };
  return probe.kind === "down" ? { of: "rise", done: probe.passed, needed: health.probe.rise } : null;
}

/** The last probe, as the API tells it. */
export function lastProbeOf({ lastProbe }: Readonly<BackendHealth>): BackendView["probe"] {
  if (lastProbe === null) return null;
  const tookMs = Math.round(lastProbe.tookMs * 100) / 100;
  return lastProbe.kind === "passed"
    ? { passed: true, tookMs, why: "", code: null }
    : { passed: false, tookMs, why: lastProbe.why, code: lastProbe.code };
}
