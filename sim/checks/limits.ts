import type { Plan } from "../../src/plan.ts";
import type { SimNetwork } from "../network/network.ts";
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
export function watchCrowd(world: World, network: SimNetwork, { plan, workers }: Weir): () => void {
  const most = Math.max(plan.connections ?? Number.POSITIVE_INFINITY, plan.workers);
  if (most === Number.POSITIVE_INFINITY) return () => {};
  return () => {
    const sessions = workers.reduce((sum, engine) => sum + engine.connections().clients, 0);
    if (sessions <= most) return;
    // One whose client has gone may still bring a backend what that has sent: it has no connection, and takes nobody's place.
    const clients = presentClients(network, workers);
    if (clients > most) world.violate(`${clients} clients are let in, and there may be ${most}`);
  };
}

/** Connections of clients that are open and have been let in, by those of the system: none that is turned away is among them. */
function presentClients({ ends }: SimNetwork, workers: Weir["workers"]): number {
  const known = new Set<object>(workers.flatMap((engine) => engine.clients().map(({ connection }) => connection)));
  // Where clients are counted, what a session has is the receiver of the system's connection.
  return ends.filter((end) => !end.over && (known.has(end) || known.has(end.data))).length;
}
