import type { Rows } from "../../src/engine/rows.ts";
import type { Counters } from "../../src/observe/counters.ts";
import type { Plan } from "../../src/plan.ts";
import type { World } from "../world.ts";

/** After every event no backend has more in flight than it may have. */
export function watchLimits(world: World, { pools }: Plan, counters: Counters, rows: Rows): () => void {
  const limited = (pools[0]?.backends ?? []).flatMap(({ id, maxConnections }, index) => {
    const row = rows.backends[0]?.[index];
    return maxConnections === null || row === undefined ? [] : [{ id, row, most: maxConnections }];
  });
  return () => {
    for (const { id, row, most } of limited) {
      const inFlight = counters.inFlight(row);
      if (inFlight > most) world.violate(`backend ${id} has ${inFlight} in flight, and may have ${most}`);
    }
  };
}
