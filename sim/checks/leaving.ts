import { BackendConnection } from "../../src/http1/backend-connection.ts";
import type { Plan } from "../../src/plan.ts";
import { addressOf, MOST_BACKENDS } from "../course.ts";
import type { Ledger } from "../ledger.ts";
import type { SimNetwork } from "../network/network.ts";
import type { Weir } from "../weir.ts";
import type { World } from "../world.ts";

/** What is left of a response that nobody wants is read for a second, and a deadline of that is late by some ticks. */
const LATE_MS = 1_300;
/** A time to finish that is shorter may be over before all workers have gone over to a plan, and before what they begin meanwhile is known. */
const SHORTEST_MS = 100;

/**
 * Writes down which backends are in no plan any more, and since when; and at the deadlines of `drain` nothing is at one of them, unless it has
 * come back meanwhile: no request when `drain.requests` ends, no tunnel when `drain.tunnels` does.
 */
export function watchLeaving(world: World, network: SimNetwork, { left, stranded }: Ledger, weir: Weir): void {
  /** Backends of all plans so far, the one in force last. */
  const plans = [backendsOf(weir.plan)];
  const look = (backend: number, leftAt: number, what: "request" | "tunnel"): void => {
    if (weir.over || left.get(backend) !== leftAt) return;
    for (const { remoteAddress, data, over, isOpen, name } of network.ends) {
      if (over || !isOpen || remoteAddress !== addressOf(backend)) continue;
      if (data instanceof BackendConnection === (what === "request"))
        world.violate(`a ${what} is still at backend ${backend}, which has left, when its time is over: ${name}`);
    }
  };
  weir.changing = (plan) => {
    // Each worker goes over to it in its own time, and what it has is in use from then on.
    for (const backend of backendsOf(plan)) left.delete(backend);
  };
  weir.changed = (plan) => {
    const inForce = backendsOf(plan);
    plans.push(inForce);
    const { requestsMs, tunnelsMs } = plan.drain;
    for (const backend of new Set(plans.flat())) {
      if (inForce.includes(backend) || left.has(backend)) continue;
      const leftAt = world.now;
      left.set(backend, leftAt);
      if (requestsMs >= SHORTEST_MS) world.aside(requestsMs + LATE_MS, () => look(backend, leftAt, "request"));
      if (tunnelsMs >= SHORTEST_MS) world.aside(tunnelsMs + LATE_MS, () => look(backend, leftAt, "tunnel"));
    }
    stranded.clear();
    for (const former of plans)
      if (former.every((each) => left.has(each))) for (const each of former) stranded.add(each);
  };
}

/** By number. */
function backendsOf({ pools }: Plan): readonly number[] {
  const ids = new Set(pools[0]!.backends.map(({ id }) => id));
  return Array.from({ length: MOST_BACKENDS }, (_, backend) => backend).filter((each) => ids.has(addressOf(each)));
}
