import { systemClock } from "../clock.ts";
import { createEngine } from "../engine/create.ts";
import { explain } from "../engine/explain.ts";
import type { Explanation, Question } from "../engine/explanation.ts";
import { placementOf } from "../engine/placement.ts";
import { type SharedState, sharedStateBytes, sharedStateOver } from "../engine/shared-state.ts";
import type { Placement } from "../engine/placement.ts";
import { silentLog } from "../observe/log.ts";
import type { Plan } from "../plan.ts";
import { type Evidence, HealthKeeper } from "../pool/keeper.ts";
import { seededRandom } from "../random.ts";

/** No traffic has told anything. */
const NOTHING: Evidence = { strikes: () => 0, notices: () => 0, attempts: () => 0, failures: () => 0 };

/**
 * Explains a request by a plan that nothing runs: as a Weir would that has just started and has probed nobody. Opens no socket, and
 * reads no secret: a cookie is then one that nobody can tell the meaning of, unless `affinity.secret` is in the plan.
 * @throws CLI_USAGE where the URL is none, or no listener has the name
 */
export function explainOffline(given: Plan, question: Question): Explanation {
  const plan = withoutSecrets(given);
  const placement = placementOf(plan, 1);
  const { shape } = placement;
  const shared = sharedStateOver(new ArrayBuffer(sharedStateBytes(shape)), shape);
  publish(plan, placement, shared);
  const parts = { plan, placement, worker: 0, ...shared, log: silentLog, clock: systemClock, random: seededRandom(1) };
  const engine = createEngine(parts);
  try {
    return explain(engine.live, question);
  } finally {
    engine.close();
  }
}

/** States, tiers and zones count from the start, whoever has been probed. */
function publish({ pools, zone }: Plan, { backends, lines }: Placement, { words }: SharedState): void {
  for (const [position, pool] of pools.entries()) {
    const keeper = new HealthKeeper(pool.name, zone, seededRandom(1));
    keeper.configure(pool.health, pool.backends, NOTHING, 0);
    const { published } = keeper.look(NOTHING, 0);
    if (published !== null) words.publish(lines[position]!, backends[position]!, published);
  }
}

function withoutSecrets(plan: Plan): Plan {
  const pools = plan.pools.map((pool) =>
    pool.affinity === null || pool.affinity.secret !== null
      ? pool
      : { ...pool, affinity: { ...pool.affinity, secret: crypto.randomUUID() } },
  );
  return { ...plan, pools };
}
