import { HEALTH_FLAG } from "../../observe/health-words.ts";
import { columnFamily, errorsFamily, inFlightFamily, type Kind, responsesFamily } from "./counted.ts";
import type { Family } from "./family.ts";
import { isHealthy, stateOfFlags, STATES } from "./standing.ts";
import { timingFamilies } from "./timing.ts";
import type { MetricsView } from "./view.ts";

const BACKEND: Kind = {
  prefix: "weir_backend",
  labels: ["pool", "backend"],
  places: function* ({ plan, placement }) {
    for (const [pool, { name, backends }] of plan.pools.entries())
      for (const [index, { id }] of backends.entries()) yield [[name, id], placement.backends[pool]?.[index] ?? 0];
  },
};

function gauge(name: string, help: string, read: (view: MetricsView, row: number) => number): Family {
  return {
    name: `${BACKEND.prefix}_${name}`,
    type: "gauge",
    help,
    labels: BACKEND.labels,
    *samples(view) {
      for (const [values, row] of BACKEND.places(view)) yield [values, read(view, row)];
    },
  };
}

/** A gauge of what the last probe came to; none where there was no probe. */
function probeGauge(name: string, help: string, read: (passed: boolean, tookMs: number) => number): Family {
  return {
    name: `${BACKEND.prefix}_${name}`,
    type: "gauge",
    help,
    labels: BACKEND.labels,
    *samples(view) {
      for (const { name: pool } of view.plan.pools)
        for (const { plan: backend, lastProbe } of view.keeper(pool)?.backends ?? [])
          if (lastProbe !== null) yield [[pool, backend.id], read(lastProbe.kind === "passed", lastProbe.tookMs)];
    },
  };
}

/** The weight that the policy goes by, in the measure of the configuration. */
const WEIGHT: Family = {
  name: "weir_backend_weight",
  type: "gauge",
  help: "What the backend counts for now, its configured weight in a slow start, on advice or in a panic; 0 gets no new work.",
  labels: BACKEND.labels,
  *samples({ plan, placement, words }) {
    for (const [pool, { name, backends }] of plan.pools.entries()) {
      const line = placement.lines[pool] ?? 0;
      const published = words.version(line) !== 0;
      for (const [index, { id, weight }] of backends.entries()) {
        const row = placement.backends[pool]?.[index] ?? 0;
        yield [[name, id], published ? words.weight(row) / (words.scale(line) || 1) : weight];
      }
    }
  },
};

const STATE: Family = {
  name: "weir_backend_state",
  type: "gauge",
  help: `1 for what the backend is: ${STATES.join(", ")} (ramp: in its slow start); 0 for what it is not.`,
  labels: [...BACKEND.labels, "state"],
  *samples(view) {
    for (const [values, row] of BACKEND.places(view)) {
      const is = stateOfFlags(view.words.flags(row));
      for (const state of STATES) yield [[...values, state], state === is ? 1 : 0];
    }
  },
};

/** Of backends: what attempts on them came to. */
export const BACKEND_FAMILIES: readonly Family[] = [
  gauge("up", "1 while the backend is neither down by its probes nor ejected, else 0.", ({ words }, row) =>
    isHealthy(words, row) ? 1 : 0,
  ),
  STATE,
  gauge("ejected", "1 while the backend is out for a time because its traffic failed, else 0.", ({ words }, row) =>
    (words.flags(row) & HEALTH_FLAG.ejected) === 0 ? 0 : 1,
  ),
  WEIGHT,
  probeGauge("probe_success", "1 if the last probe passed, else 0.", (passed) => (passed ? 1 : 0)),
  probeGauge("probe_duration_seconds", "How long the last probe took.", (_passed, tookMs) => tookMs / 1000),
  inFlightFamily(BACKEND, "Requests, tunnels and TCP connections under way."),
  columnFamily(BACKEND, "connections_total", "connections", "Connections opened to the backend."),
  columnFamily(BACKEND, "requests_total", "requests", "Requests sent to the backend, retries and hedges included."),
  responsesFamily(BACKEND, "Responses of the backend, by the class of their status."),
  errorsFamily(BACKEND, "Attempts on the backend that failed, by the code of the error (docs/errors.md).", (code) =>
    code.startsWith("BACKEND_"),
  ),
  columnFamily(
    BACKEND,
    "retries_total",
    "retries",
    "Attempts on the backend that failed and were followed by another.",
  ),
  columnFamily(
    BACKEND,
    "hedges_total",
    "hedges",
    "Second attempts on the backend beside one that took long elsewhere.",
  ),
  columnFamily(BACKEND, "sent_bytes_total", "bytesIn", "Bytes of heads and bodies sent to the backend."),
  columnFamily(BACKEND, "received_bytes_total", "bytesOut", "Bytes of heads and bodies received from the backend."),
  ...timingFamilies(BACKEND, {
    request: "From the beginning of an attempt to the last byte of its response, dialling included.",
    firstByte: "From the beginning of an attempt to the head of its response, dialling included.",
    connect: "From dialling to an open connection, of connections that a request or a client waited for.",
  }),
];
