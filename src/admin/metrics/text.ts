import { BACKEND_FAMILIES } from "./backend-families.ts";
import type { Family } from "./family.ts";
import { LISTENER_FAMILIES } from "./listener-families.ts";
import { POOL_FAMILIES } from "./pool-families.ts";
import { PROCESS_FAMILIES } from "./process-families.ts";
import { BOUNDS, secondsOf } from "./seconds.ts";
import type { MetricsView } from "./view.ts";
import { WEIR_FAMILIES } from "./weir-families.ts";

/** `Content-Type` of the text. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Every family of metrics, in the order of the text. `docs/metrics.md` is generated from it. */
export const FAMILIES: readonly Family[] = [
  ...WEIR_FAMILIES,
  ...LISTENER_FAMILIES,
  ...POOL_FAMILIES,
  ...BACKEND_FAMILIES,
  ...PROCESS_FAMILIES,
];

/** Values of `le`. */
const BOUND_TEXTS = [...BOUNDS.map(String), "+Inf"];
/** Characters of a part. */
const PART = 64 * 1024;

/**
 * The metrics in the text format of Prometheus, version 0.0.4, read from the shared memory and /proc alone: workers do not notice.
 * O(workers × backends), some 8 KB of text and 30 µs for each backend. @see https://prometheus.io/docs/instrumenting/exposition_formats
 */
export function metricsText(view: MetricsView): string {
  return [...metricsParts(view)].join("");
}

/**
 * The same in parts of some 64 KiB, so that who sends it can do something else between them. All are of one generation.
 * @param exclude names of families to leave out
 */
export function* metricsParts(view: MetricsView, exclude: ReadonlySet<string> = new Set()): Generator<string> {
  const { plan, placement, counters, words, generation, startedAt, seats, reloaded } = view;
  const keeper: MetricsView["keeper"] = (pool) => view.keeper(pool);
  const moment = { plan, placement, counters, words, generation, startedAt, seats, reloaded, keeper };
  let part = "";
  for (const family of FAMILIES) {
    if (exclude.has(family.name)) continue;
    part += `# HELP ${family.name} ${escapeHelp(family.help)}\n# TYPE ${family.name} ${family.type}\n`;
    for (const lines of samplesOf(family, moment)) {
      part += lines;
      if (part.length < PART) continue;
      yield part;
      part = "";
    }
  }
  yield part;
}

function* samplesOf(family: Family, view: MetricsView): Generator<string> {
  const { name } = family;
  if (family.type !== "histogram") {
    for (const [values, value] of family.samples(view)) {
      const labels = labelText(family.labels, values);
      yield `${name}${labels === "" ? "" : `{${labels}}`} ${numberText(value)}\n`;
    }
    return;
  }
  for (const [values, row] of family.samples(view)) {
    const labels = labelText(family.labels, values);
    const { below, count, sum } = secondsOf(view.counters, row, family.histogram);
    let lines = "";
    for (const [index, bound] of BOUND_TEXTS.entries())
      lines += `${name}_bucket{${labels},le="${bound}"} ${below[index] ?? count}\n`;
    yield `${lines}${name}_sum{${labels}} ${numberText(sum)}\n${name}_count{${labels}} ${count}\n`;
  }
}

function labelText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, index) => `${name}="${escapeLabel(values[index] ?? "")}"`).join(",");
}

function escapeLabel(text: string): string {
  return /[\\"\n]/.test(text) ? escapeHelp(text).replaceAll('"', '\\"') : text;
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

/** As Go's ParseFloat reads it. */
function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}
