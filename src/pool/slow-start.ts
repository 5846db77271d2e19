/** Steps of a ramp. Each is a change that every worker has to learn; and tenths of a weight are small whole numbers. */
const STEPS = 10;

/**
 * Which part of its share a backend gets that came back or joined: from a tenth up to all of it, in tenths.
 *
 * Linear, but in steps that lie on one grid of time for all backends of a pool: when a hundred come back one after the other
 * there are still only ten changes in a ramp's time. It is within a tenth of the line, and done after `rampMs` at the latest.
 * @param sinceMs when it came
 * @param rampMs how long it takes; 0 for no ramp
 * @returns above 0, at most 1. O(1)
 */
export function rampFactor(now: number, sinceMs: number, rampMs: number): number {
  if (rampMs <= 0) return 1;
  const stepMs = rampMs / STEPS;
  const steps = Math.floor(now / stepMs) - Math.floor(sinceMs / stepMs);
  return Math.min(STEPS, Math.max(1, steps)) / STEPS;
}

/** When a ramp that is on takes its next step, in the time of `now`. */
export function nextRampStep(now: number, rampMs: number): number {
  const stepMs = rampMs / STEPS;
  const next = (Math.floor(now / stepMs) + 1) * stepMs;
  // Rounding must not make it the step that was just taken.
  return Math.floor(next / stepMs) > Math.floor(now / stepMs) ? next : next + stepMs / 2;
}
