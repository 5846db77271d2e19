import { expect, test } from "bun:test";
import fc from "fast-check";
import { planOf } from "../../test/fixtures/cluster.ts";
import { requestHead } from "../../test/fixtures/head-text.ts";
import type { ListenerPlan, RoutePlan } from "../plan.ts";
import type { LivePool } from "../proxy/target.ts";
import { atOnce } from "../steps.ts";
import { makeRouter, type NewPools, type Router } from "./router.ts";

const POOLS: readonly string[] = ["a", "b", "c"];
const HOSTS = [null, "x.test", "y.x.test", "*.x.test", "*.test"] as const;
const PATHS = [null, "/*", "/v1", "/v1/*", "/v1/x/*"] as const;
const REQUESTS = ["x.test", "y.x.test", "z.x.test", "q.test", "other"].flatMap((host) =>
  ["/", "/v1", "/v1/y", "/v1/x/y"].map((path) => requestHead(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)),
);

const base = planOf({ backends: [1] }).listeners[0]!;
const aRoute = fc
  .record({ host: fc.constantFrom(...HOSTS), path: fc.constantFrom(...PATHS), pool: fc.constantFrom(...POOLS) })
  .map((match): RoutePlan => ({ ...base.routes[0]!, ...match }));
/** As in a plan that was put together of parts, what is written twice is one object. */
const someRoutes = fc
  .array(aRoute, { minLength: 1, maxLength: 10 })
  .chain((routes) => fc.shuffledSubarray([...routes, ...routes], { minLength: 1 }));
const somePools = fc.subarray([...POOLS]);

/** A pool at work, of which a router only needs to know that it is another one. */
function pool(): LivePool {
  return { budget: {}, latencies: null } as LivePool;
}

function newPools(before: NewPools | null, changed: readonly string[]): NewPools {
  const lives = POOLS.map((name) => {
    const known = changed.includes(name) ? undefined : before?.lives.get(name);
    return [name, known ?? pool()] as const;
  });
  return { lives: new Map(lives), changed: new Set(changed) };
}

function ways({ route }: Router): readonly (LivePool | null)[] {
  return REQUESTS.map((request) => route(request)?.live ?? null);
}

test("property: led to other pools, it finds what a router made anew finds, once it has begun", () => {
  fc.assert(
    fc.property(someRoutes, fc.array(fc.tuple(somePools, fc.boolean()), { maxLength: 5 }), (routes, changes) => {
      const listener: ListenerPlan = { ...base, routes };
      let pools = newPools(null, POOLS);
      let router = atOnce(makeRouter(listener, pools, 1, null));
      for (const [changed, taken] of changes) {
        const next = newPools(pools, changed);
        const before = ways(router);
        const led = atOnce(router.ledTo(next, 1))!;
        expect(ways(router)).toEqual(before);
        if (!taken) continue;
        const targets = new Map(router.targets);
        led.begin();
        const anew = atOnce(makeRouter(listener, next, 1, null));
        for (const [i, live] of ways(anew).entries()) expect(ways(led)[i]).toBe(live);
        expect(led.limits).toEqual(anew.limits);
        for (const [route, target] of led.targets)
          expect(target === targets.get(route)).toBe(!changed.includes(route.pool));
        // A plan with other routes follows.
        const after = atOnce(makeRouter({ ...listener, routes: routes.toReversed() }, next, 1, led));
        for (const [route, target] of after.targets) expect(target).toBe(led.targets.get(route)!);
        [pools, router] = [next, led];
      }
    }),
    { numRuns: 300 },
  );
});

test("where many routes lead to what has changed, a router is to be made anew", () => {
  const routes = Array.from({ length: 300 }, (_, i) => ({ ...base.routes[0]!, host: `h${i}.test`, pool: "a" }));
  const pools = newPools(null, POOLS);
  const router = atOnce(makeRouter({ ...base, routes }, pools, 1, null));
  expect(atOnce(router.ledTo(newPools(pools, ["b"]), 1))).not.toBeNull();
  expect(atOnce(router.ledTo(newPools(pools, ["a"]), 1))).toBeNull();
});

test("a listener parses by the widest limits of its routes", () => {
  const [route] = base.routes;
  const limits = (headBytes: number, fields: number): RoutePlan["limits"] => ({ ...route!.limits, headBytes, fields });
  const routes = [
    { ...route!, limits: limits(9, 1) },
    { ...route!, limits: limits(1, 7) },
  ];
  const { targetBytes } = route!.limits;
  const router = atOnce(
    makeRouter({ ...base, routes: routes.map((each) => ({ ...each, pool: "a" })) }, newPools(null, POOLS), 1, null),
  );
  expect(router.limits).toEqual({ headBytes: 9, fields: 7, targetBytes });
});
