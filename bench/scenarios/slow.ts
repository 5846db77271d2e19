import type { Contest, Course, Entry } from "../contest.ts";
import { haproxyWith } from "../haproxy.ts";
import { nginxWith } from "../nginx.ts";
import { weirWith, type PoolSettings } from "../weir.ts";

const fastMs = 5;
const slowMs = 50;

/** The slow one can do 80 requests a second, 10 more than its even share. It is the first in the list. */
const course: Course = {
  slots: 4,
  serviceMs: [slowMs, ...Array.from({ length: 9 }, () => fastMs)],
  rate: 700,
  deadlineMs: 2000,
  leadMs: 2000,
  measuredMs: 8000,
};

/** Each request has one of 10,000 paths. */
function byKey(name: string): PoolSettings {
  return { policy: { name, key: "path", maxLoadFactor: 1.25 } };
}

const weirs: Readonly<Record<string, PoolSettings>> = {
  "round-robin": { policy: "round-robin" },
  random: { policy: "random" },
  "least-connections": { policy: "least-connections" },
  "two-choices": { policy: "two-choices" },
  'two-choices, load: "peak-ewma"': { policy: { name: "two-choices", load: "peak-ewma" } },
  "least-time": { policy: "least-time" },
  [`first, maxConnections: ${course.slots}`]: { policy: "first", backend: { maxConnections: course.slots } },
  "rendezvous, maxLoadFactor: 1.25": byKey("rendezvous"),
  "ring, maxLoadFactor: 1.25": byKey("ring"),
  "maglev, maxLoadFactor: 1.25": byKey("maglev"),
};

const entries: readonly Entry[] = [
  ...Object.entries(weirs).map(([title, pool]) => ({ title: `Weir, ${title}`, proxy: weirWith(pool) })),
  ...["roundrobin", "leastconn", "random(2)"].map((balance) => ({
    title: `HAProxy, ${balance}`,
    proxy: haproxyWith({ balance }),
  })),
  { title: "nginx, round robin", proxy: nginxWith({}) },
  ...["least_conn", "random two least_conn"].map((balance) => ({
    title: `nginx, ${balance}`,
    proxy: nginxWith({ balance }),
  })),
];

/** Latency with one of ten backends ten times slower, by policy. */
export const slow: Contest = {
  name: "slow",
  title: `One slow backend of ten: ${fastMs} ms, the slow one ${slowMs} ms, ${course.rate} requests/s`,
  course,
  columns: [
    { title: "p50, ms", digits: 1, of: ({ p50 }) => p50 },
    { title: "p99, ms", digits: 1, of: ({ p99 }) => p99 },
    {
      title: "to the slow one, %",
      digits: 2,
      of: ({ byBackend, answered }) => ((byBackend[0] ?? 0) / answered) * 100,
    },
    {
      title: "failed, %",
      digits: 1,
      of: ({ answered, refused, late, broken }) =>
        ((refused + late + broken) / (answered + refused + late + broken)) * 100,
    },
  ],
  entries,
  atOnce: 4,
};
