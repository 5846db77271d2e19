import type { Kind } from "./counted.ts";
import type { Family } from "./family.ts";
import { isHealthy } from "./standing.ts";
import { timingFamilies } from "./timing.ts";
import type { MetricsView } from "./view.ts";

const POOL: Kind = {
  prefix: "weir_pool",
  labels: ["pool"],
  places: function* ({ plan, placement }) {
    for (const [index, { name }] of plan.pools.entries()) yield [[name], placement.pools[index] ?? 0];
  },
};

/** A gauge that is made of a pool's position in the plan. */
function gauge(name: string, help: string, read: (view: MetricsView, pool: number) => number): Family {
  return {
    name: `${POOL.prefix}_${name}`,
    type: "gauge",
    help,
    labels: POOL.labels,
    samples: (view) => view.plan.pools.map((pool, index) => [[pool.name], read(view, index)] as const),
  };
}

const rowsOf = ({ placement }: MetricsView, pool: number): readonly number[] => placement.backends[pool] ?? [];

/** Of pools: what clients wait for, whichever backends it took. */
export const POOL_FAMILIES: readonly Family[] = [
  gauge("backends", "Backends of the pool.", ({ plan }, pool) => plan.pools[pool]?.backends.length ?? 0),
  gauge(
    "healthy_backends",
    "Backends that are neither down by their probes nor ejected.",
    (view, pool) => rowsOf(view, pool).filter((row) => isHealthy(view.words, row)).length,
  ),
  gauge(
    "panic",
    "1 while too few backends are healthy and all of them get work, else 0.",
    ({ words, placement }, pool) => (words.panic(placement.lines[pool] ?? 0) ? 1 : 0),
  ),
  // The pool's own count is kept only where its policy or its limits ask for it.
  gauge("in_flight", "Requests, tunnels and TCP connections under way at its backends.", (view, pool) =>
    rowsOf(view, pool).reduce((sum, row) => sum + Math.max(0, view.counters.inFlight(row)), 0),
  ),
  gauge("waiting", "Requests and TCP connections that wait for a backend with room.", ({ counters, placement }, pool) =>
    Math.max(0, counters.waiting(placement.pools[pool] ?? 0)),
  ),
  ...timingFamilies(POOL, {
    request:
      "From the head of a request to the last byte of its response, with all waiting and all attempts. Counts each request for the pool once, however it ended.",
    firstByte: "From the head of a request to the head of a backend's response, with all waiting and all attempts.",
    connect: "From dialling to an open connection, of connections that a request or a client waited for.",
  }),
];
