import { causeText, eject, type EjectionCause, mostEjected, pardon } from "./ejection.ts";
import { type Standing, takesWork } from "./eligibility.ts";
import type { HealthEvents } from "./health-events.ts";
import type { PassivePlan } from "../health-plan.ts";
import type { BackendHealth } from "./backend-health.ts";
import { isUp } from "./probe-state.ts";

/** A backend against which something speaks. */
export interface Suspect {
  readonly member: BackendHealth;
  readonly cause: EjectionCause;
}

/**
 * Ejects suspects, the first first, as long as there is room among the backends that take work, and takes back those that there
 * is no more room for, the pool having become smaller. Nobody is ejected who is down anyway: it would take another's room. O(n).
 * @param standings of the members, as of now
 * @returns whether anything has changed
 */
export function ejectSuspects(
  suspects: readonly Suspect[],
  members: readonly BackendHealth[],
  standings: readonly Standing[],
  plan: PassivePlan,
  events: HealthEvents,
  now: number,
): boolean {
  const taking = new Set(members.filter((_, index) => takesWork(standings[index]!)));
  const out = members.filter((member) => member.ejection.kind === "ejected" && taking.has(member));
  const most = mostEjected(taking.size, plan);
  let room = most - out.length;
  let changed = false;
  for (const { member, cause } of suspects) {
    if (member.ejection.kind === "ejected" || !taking.has(member) || !isUp(member.probe)) continue;
    const fields = { backend: member.plan.id, why: causeText(cause) };
    if (room <= 0) {
      // It goes on failing: a line for each time it would have been ejected says enough.
      if (now - member.sparedMs < plan.ejectMs) continue;
      member.sparedMs = now;
      events.warn("backend not ejected", { ...fields, ejected: most - room, most });
      continue;
    }
    room -= 1;
    changed = true;
    const ejected = eject(member.ejection, cause, now, plan);
    member.ejection = ejected;
    if (ejected.kind === "ejected")
      events.warn("backend ejected", { ...fields, forMs: Math.round(ejected.until - now), inARow: ejected.inARow });
  }
  if (room >= 0) return changed;
  for (const member of out.toSorted((a, b) => untilOf(a) - untilOf(b)).slice(0, -room)) {
    member.ejection = pardon(member.ejection, now);
    events.info("backend back", { backend: member.plan.id, why: "too many of the pool are ejected" });
  }
  return true;
}

function untilOf({ ejection }: BackendHealth): number {
  return ejection.kind === "ejected" ? ejection.until : 0;
}
