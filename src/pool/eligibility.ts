import type { Candidate } from "../balance/policy.ts";
import type { AdminState } from "../health-plan.ts";
import { integerWeights } from "./integer-weights.ts";
import { shareTiers, type Tier, type TierShare } from "./tiers.ts";
import { preferZone } from "./zones.ts";

/** What is known of a backend that decides whether it gets work, and how much. */
export interface Standing {
  readonly id: string;
  /** As configured, 0 to 65535. */
  readonly weight: number;
  readonly state: AdminState;
  /** Whether probes have it up and it is not ejected. */
  readonly healthy: boolean;
  /** Part of its weight that the backend itself wants, from 0 to 1. */
  readonly wanted: number;
  /** Part of its share that a slow start leaves it, above 0, at most 1. */
  readonly ramp: number;
  readonly tier: number;
  readonly zone: string | null;
}

/** Who gets work. */
export interface Eligible {
  /** With effective weights, in the order of the pool. */
  readonly candidates: readonly Candidate[];
  /** What the weights were multiplied by. 1 while no ramp, advice, second tier or zone makes fractions of them. */
  readonly scale: number;
  /** Whether backends get work that are not healthy. */
  readonly panic: boolean;
  /** First first. */
  readonly tiers: readonly TierShare[];
}

/** How a pool wants it. */
export interface EligibilityRules {
  /** See `shareTiers`. */
  readonly panicBelow: number;
  /** The zone Weir is in; see `preferZone`. */
  readonly zone: string | null;
}

/** Whether a backend may be given new work at all, healthy or not. */
export function takesWork({ weight, state, wanted }: Standing): boolean {
  return weight > 0 && wanted > 0 && state === "ready";
}

/**
 * Who of a pool gets work, with which weights: the configured ones as long as everybody is well. Within a tier and zone they
 * keep their proportion, but for slow starts, which a panic ends for its time. O(n).
 */
export function eligible(standings: readonly Standing[], rules: EligibilityRules): Eligible {
  const groups = groupByTier(standings);
  const tiers = shareTiers([...groups.values()], rules.panicBelow);
  const active = tiers.filter(({ share }) => share > 0);
  const real = new Float64Array(standings.length);
  let firstUnit = 0;
  for (const { tier, share, panic } of active) {
    const members = (groups.get(tier)?.members ?? []).filter((index) => panic || standings[index]!.healthy);
    const zoned = members.map((index) => {
      const { weight, wanted, ramp, zone } = standings[index]!;
      return { index, zone, weight: weight * wanted * (panic ? 1 : ramp) };
    });
    const times = preferZone(zoned, rules.zone);
    let sum = 0;
    for (const { index, zone, weight } of zoned) {
      real[index] = weight * (rules.zone !== null && zone === rules.zone ? times.own : times.others);
      sum += real[index];
    }
    // The first tier keeps its weights as they are; the others' are made to fit.
    const unit = share / sum;
    if (firstUnit === 0) firstUnit = unit;
    else for (const index of members) real[index]! *= unit / firstUnit;
  }
  const chosen: number[] = [];
  for (let index = 0; index < real.length; index++) if (real[index]! > 0) chosen.push(index);
  const { weights, scale } = integerWeights(chosen.map((index) => real[index]!));
  return {
    candidates: chosen.map((index, i) => ({ index, id: standings[index]!.id, weight: weights[i]! })),
    scale,
    panic: active.some(({ panic }) => panic),
    tiers,
  };
}

interface Group extends Tier {
  healthy: number;
  backends: number;
  readonly members: number[];
}

function groupByTier(standings: readonly Standing[]): ReadonlyMap<number, Group> {
  const groups = new Map<number, Group>();
  for (const [index, standing] of standings.entries()) {
    if (!takesWork(standing)) continue;
    let group = groups.get(standing.tier);
    if (group === undefined) {
      group = { tier: standing.tier, backends: 0, healthy: 0, members: [] };
      groups.set(standing.tier, group);
    }
    group.backends += 1;
    if (standing.healthy) group.healthy += 1;
    group.members.push(index);
  }
  return new Map([...groups].sort(([a], [b]) => a - b));
}
