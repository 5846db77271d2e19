import type { Plan } from "../src/plan.ts";

/**
 * A plan in which whatever is as it was in another is the very same object, as a worker's store of plans has it: listeners and their routes, pools
 * and their backends.
 */
export function sharing(before: Plan, plan: Plan): Plan {
  const listeners = plan.listeners.map((listener) => {
    const former = before.listeners.find(({ name }) => name === listener.name);
    if (former === undefined) return listener;
    const routes = listener.routes.map((route, index) => sameOr(former.routes[index], route));
    return sameOr(former, { ...listener, routes });
  });
  const pools = plan.pools.map((pool) => {
    const former = before.pools.find(({ name }) => name === pool.name);
    if (former === undefined) return pool;
    const known = new Map(former.backends.map((backend) => [backend.id, backend]));
    return sameOr(former, {
      ...pool,
      backends: pool.backends.map((backend) => sameOr(known.get(backend.id), backend)),
    });
  });
  return { ...plan, listeners, pools };
}

function sameOr<T>(former: T | undefined, now: T): T {
  return former !== undefined && JSON.stringify(former) === JSON.stringify(now) ? former : now;
}
