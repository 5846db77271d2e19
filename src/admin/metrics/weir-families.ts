import manifest from "../../../package.json" with { type: "json" };
import type { Family } from "./family.ts";

/** Of Weir as a whole and of its workers. */
export const WEIR_FAMILIES: readonly Family[] = [
  {
    name: "weir_info",
    type: "gauge",
    help: "Always 1; the version of Weir is its label.",
    labels: ["version"],
    samples: () => [[[manifest.version], 1]],
  },
  {
    name: "weir_uptime_seconds",
    type: "gauge",
    help: "How long this Weir has been running.",
    labels: [],
    samples: ({ startedAt }) => [[[], Math.max(0, (Date.now() - startedAt) / 1000)]],
  },
  {
    name: "weir_generation",
    type: "gauge",
    help: "Number of the plan in force: 1 at the start, one more with each change.",
    labels: [],
    samples: ({ generation }) => [[[], generation]],
  },
  {
    name: "weir_config_last_reload_successful",
    type: "gauge",
    help: "1 if the last attempt to reload the configuration brought it into force, and before the first one; else 0.",
    labels: [],
    samples: ({ reloaded }) => [[[], reloaded.ok ? 1 : 0]],
  },
  {
    name: "weir_config_last_reload_success_timestamp_seconds",
    type: "gauge",
    help: "When the configuration was last brought into force, in seconds since 1970.",
    labels: [],
    samples: ({ reloaded }) => [[[], reloaded.succeededAt / 1000]],
  },
  {
    name: "weir_workers",
    type: "gauge",
    help: "Workers that there are to be.",
    labels: [],
    samples: ({ seats }) => [[[], seats.length]],
  },
  {
    name: "weir_worker_up",
    type: "gauge",
    help: "1 while the worker accepts connections, else 0.",
    labels: ["worker"],
    samples: ({ seats }) => seats.map(({ worker, state }) => [[String(worker)], state === "running" ? 1 : 0]),
  },
  {
    name: "weir_worker_deaths_total",
    type: "counter",
    help: "Times that the worker's process died and was replaced.",
    labels: ["worker"],
    samples: ({ seats }) => seats.map(({ worker, deaths }) => [[String(worker)], deaths]),
  },
  {
    name: "weir_access_log_lost_lines_total",
    type: "counter",
    help: "Lines of access logs that could not be written (ACCESS_LOG_LOST).",
    labels: [],
    samples: ({ counters }) => [[[], counters.losses.total("lines")]],
  },
  {
    name: "weir_traces_lost_exchanges_total",
    type: "counter",
    help: "Exchanges whose spans could not be exported (TRACES_LOST).",
    labels: [],
    samples: ({ counters }) => [[[], counters.losses.total("exchanges")]],
  },
];
