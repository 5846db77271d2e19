import type { Plan } from "../../src/plan.ts";
import type { World } from "../world.ts";
import type { Weir } from "../weir.ts";

interface Limited {
  readonly id: string;
  readonly row: number;
  readonly most: number;
}

/** After every event no backend has more in flight than it may have. */
export function watchLimits(world: World, weir: Weir): () => void {
  let plan: Plan | null = null;
  let limited: readonly Limited[] = [];
  const { counters } = weir.shared;
  return () => {
    if (weir.plan !== plan) {
      plan = weir.plan;
      limited = limitedOf(weir);
    }
    for (const { id, row, most } of limited) {
      const inFlight = counters.inFlight(row);
      if (inFlight > most) world.violate(`backend ${id} has ${inFlight} in flight, and may have ${most}`);
    }
  };
}

function limitedOf({ plan, placement }: Weir): readonly Limited[] {
  return (plan.pools[0]?.backends ?? []).flatMap(({ id, maxConnections }, index) => {
    const row = placement.backends[0]?.[index];
    return maxConnections === null || row === undefined ? [] : [{ id, row, most: maxConnections }];
  });
}

/** After every event no more clients are let in than there may be; each worker may let in one. */
export function watchCrowd(world: World, { plan, workers }: Weir): () => void {
  const most = Math.max(plan.connections ?? Number.POSITIVE_INFINITY, plan.workers);
  if (most === Number.POSITIVE_INFINITY) return () => {};
  return () => {
    const clients = workers.reduce((sum, engine) => sum + engine.connections().clients, 0);
    if (clients > most) world.violate(`${clients} clients are let in, and there may be ${most}`);
  };
}
