import { HEALTH_FLAG } from "../observe/health-words.ts";
import type { PoolPlan } from "../plan.ts";
import type { BackendState } from "./explanation.ts";
import type { LiveParts } from "./live-parts.ts";

/** What is published of a backend, with the reasons that a worker can know. */
export interface StatesExplained {
  readonly states: readonly BackendState[];
  readonly why: string;
  /** In the unit of the configuration. */
  readonly effectiveWeight: number;
}

const SAID: Readonly<Record<Exclude<BackendState, "drain">, string>> = {
  down: "its probes fail",
  ejected: "the traffic shows that it fails",
  maintenance: "in maintenance",
  "slow-start": "new or back: it gets less than its share for now",
  "weight-0": "its weight is 0",
  "advised-0": "its answer to a probe asks for no work",
  tier: "a tier before it takes all work",
  zone: "the own zone takes all work",
};

/** Tells of the backends of a pool what the keeper has published of them. O(backends). */
export function explainStates(
  { words, placement, plan: whole }: Pick<LiveParts, "words" | "placement" | "plan">,
  plan: PoolPlan,
  position: number,
): (index: number) => StatesExplained {
  const line = placement.lines[position]!;
  const rows = placement.backends[position]!;
  const published = words.version(line) !== 0;
  const panic = published && words.panic(line);
  const scale = published ? words.scale(line) : 1;
  const working = published ? plan.backends.filter((_, i) => words.weight(rows[i]!) > 0) : [];
  const first = working.reduce((lowest, { tier }) => Math.min(lowest, tier), Infinity);
  return (index) => {
    const backend = plan.backends[index]!;
    const flags = published ? words.flags(rows[index]!) : 0;
    const effective = published ? words.weight(rows[index]!) : backend.weight;
    const states = statesOf(flags);
    if (backend.weight === 0) states.push("weight-0");
    // Well, with a weight, and yet without work.
    else if (effective === 0 && states.length === 0) {
      if (backend.tier > first) states.push("tier");
      else states.push(whole.zone !== null && backend.zone !== whole.zone ? "zone" : "advised-0");
    }
    const reasons = states.map((state) => (state === "drain" ? drains(flags) : SAID[state]));
    if (panic && effective > 0 && (flags & (HEALTH_FLAG.down | HEALTH_FLAG.ejected)) !== 0)
      reasons.push("it gets work all the same, since the pool panics");
    return { states, why: reasons.join("; "), effectiveWeight: rounded(effective / scale) };
  };
}

function statesOf(flags: number): BackendState[] {
  const { down, ejected, drain, maintenance, ramp } = HEALTH_FLAG;
  const pairs: readonly (readonly [number, BackendState])[] = [
    [down, "down"],
    [ejected, "ejected"],
    [drain, "drain"],
    [maintenance, "maintenance"],
    [ramp, "slow-start"],
  ];
  return pairs.filter(([flag]) => (flags & flag) !== 0).map(([, state]) => state);
}

function drains(flags: number): string {
  return (flags & HEALTH_FLAG.pinned) === 0 ? "drains: no new work" : "drains: no new work but of the clients it keeps";
}

/** Weights are made whole with some rounding; more digits than these would be that. */
function rounded(weight: number): number {
  return Math.round(weight * 100) / 100;
}
