import { HEALTH_FLAG, type Published } from "../observe/health-words.ts";
import type { Eligible } from "./eligibility.ts";
import { type BackendHealth, stateOf } from "./backend-health.ts";
import { isUp } from "./probe-state.ts";

/**
 * What workers are to know of a pool. O(n).
 * @param before what they were told last
 * @returns `null` where it is the same
 */
export function publication(
  decided: Eligible,
  members: readonly BackendHealth[],
  before: Published | null,
  now: number,
): Published | null {
  const weights = new Int32Array(members.length);
  for (const { index, weight } of decided.candidates) weights[index] = weight;
  const flags = Int32Array.from(members, (member) => flagsOf(member, now));
  const { panic, scale } = decided;
  const same =
    before !== null &&
    before.panic === panic &&
    before.scale === scale &&
    sameNumbers(before.weights, weights) &&
    sameNumbers(before.flags, flags);
  return same ? null : { weights, flags, panic, scale };
}

function flagsOf(member: BackendHealth, now: number): number {
  const state = stateOf(member, now);
  return (
    (isUp(member.probe) ? 0 : HEALTH_FLAG.down) |
    (member.ejection.kind === "in" ? 0 : HEALTH_FLAG.ejected) |
    (state === "drain" ? HEALTH_FLAG.drain : 0) |
    (state === "maintenance" ? HEALTH_FLAG.maintenance : 0) |
    (member.rampSince === null ? 0 : HEALTH_FLAG.ramp) |
    (member.keepsPinned ? HEALTH_FLAG.pinned : 0)
  );
}

function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
