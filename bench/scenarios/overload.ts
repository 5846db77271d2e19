import type { Contest, Course, Entry } from "../contest.ts";
import { haproxyWith } from "../haproxy.ts";
import { nginxWith } from "../nginx.ts";
import { weirWith } from "../weir.ts";

/** 3 × 4 slots of 20 ms: 600 requests a second. */
const course: Course = {
  slots: 4,
  serviceMs: [20, 20, 20],
  rate: 1200,
  deadlineMs: 1000,
  leadMs: 3000,
  measuredMs: 6000,
};
const capacity = course.slots * course.serviceMs.length;

/** All choose the one with the fewest in flight, so that only limits and queues differ. */
const policy = "least-connections";
const balance = "leastconn";
/** As Weir's default. Longer than clients wait: whoever runs a proxy does not know how long that is. */
const queueTimeout = "timeout queue 5s";
const server = `maxconn ${course.slots}`;

const entries: readonly Entry[] = [
  { title: "Weir, no limits", proxy: weirWith({ policy }) },
  {
    title: `Weir, maxInFlight: ${capacity}, maxQueue: 0`,
    proxy: weirWith({ policy, limits: { maxInFlight: capacity, maxQueue: 0 } }),
  },
  {
    title: `Weir, maxInFlight: ${capacity}, queue as by default (newest first)`,
    proxy: weirWith({ policy, limits: { maxInFlight: capacity } }),
  },
  { title: 'Weir, maxInFlight: "auto"', proxy: weirWith({ policy, limits: { maxInFlight: "auto" } }) },
  { title: `HAProxy, ${server}, ${queueTimeout}`, proxy: haproxyWith({ balance, server, lines: [queueTimeout] }) },
  {
    title: "HAProxy, the same, option abortonclose",
    proxy: haproxyWith({ balance, server, lines: [queueTimeout, "option abortonclose"] }),
  },
  {
    title: `HAProxy, ${server}, timeout queue 500ms`,
    proxy: haproxyWith({ balance, server, lines: ["timeout queue 500ms"] }),
  },
  {
    title: `nginx, max_conns=${course.slots}`,
    proxy: nginxWith({ balance: "least_conn", server: `max_conns=${course.slots}` }),
  },
];

/** Goodput at twice the capacity of the backends. */
export const overload: Contest = {
  name: "overload",
  title: `Overload: ${course.rate} requests/s for backends that can do 600/s, clients that wait ${course.deadlineMs / 1000} s`,
  course,
  columns: [
    { title: "answered in time, /s", digits: 0, of: ({ answered }) => perSecond(answered) },
    { title: "their p50, ms", digits: 0, of: ({ answered, p50 }) => (answered === 0 ? NaN : p50) },
    { title: "their p99, ms", digits: 0, of: ({ answered, p99 }) => (answered === 0 ? NaN : p99) },
    { title: "refused, /s", digits: 0, of: ({ refused }) => perSecond(refused) },
    { title: "not in time, /s", digits: 0, of: ({ late, broken }) => perSecond(late + broken) },
  ],
  entries,
  atOnce: 2,
};

function perSecond(count: number): number {
  return count / (course.measuredMs / 1000);
}
