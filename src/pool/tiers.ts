/** One tier of a pool: backends that take work, and how many of them are healthy. */
export interface Tier {
  readonly tier: number;
  /** Backends that may take work: `ready`, with a weight. Above 0. */
  readonly backends: number;
  readonly healthy: number;
}

/** What a tier gets. */
export interface TierShare extends Tier {
  /** Part of the pool's work, from 0 to 1. */
  readonly share: number;
  /** Whether all its backends get work, and not only the healthy ones. */
  readonly panic: boolean;
}

/** So much more than its backends' part of the work a healthy backend is trusted to take. Envoy's `overprovisioning_factor`. */
const OVERPROVISION = 1.4;

function healthOf({ healthy, backends }: Tier): number {
  return Math.min(1, (OVERPROVISION * healthy) / backends);
}

/**
 * Divides a pool's work among its tiers, and says which of them panic.
 *
 * As with Envoy's priority levels, a tier takes all of what is left to it until fewer than 71 % of it are healthy (1 ÷ 1.4);
 * what it does not take falls to the next. Where all of them together do not cover the work they share it in proportion.
 *
 * A tier panics with less than `panicBelow` of it healthy, unless tiers that do not cover the work: a reserve that is well is
 * better than a chance. So with one tier, panic is exactly that. Shares sum to 1 unless nobody gets any. O(tiers).
 * @param tiers by number, first first
 */
export function shareTiers(tiers: readonly Tier[], panicBelow: number): readonly TierShare[] {
  const isCalm = ({ healthy, backends }: Tier): boolean => healthy / backends >= panicBelow;
  const covered = tiers.reduce((sum, tier) => sum + (isCalm(tier) ? healthOf(tier) : 0), 0);
  const total = tiers.reduce((sum, tier) => sum + healthOf(tier), 0);
  let left = 1;
  return tiers.map((one, index) => {
    const { tier, backends, healthy } = one;
    const panic = covered < 1 && !isCalm(one);
    let share: number;
    // Where nobody is healthy, all of the first tier is as good a guess as any: if anybody is to be asked at all.
    if (total === 0) share = index === 0 && panic ? 1 : 0;
    else share = total < 1 ? healthOf(one) / total : Math.min(left, healthOf(one));
    left -= share;
    // What rounding left over is no share.
    if (left < 1e-9) left = 0;
    return { tier, backends, healthy, share, panic };
  });
}
