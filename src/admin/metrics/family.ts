import type { Histogram } from "../../observe/columns.ts";
import type { MetricsView } from "./view.ts";

/** The values of a family's labels, in their order, and a number. Numbers are in the base unit of the name. */
export type Sample = readonly [labels: readonly string[], value: number];

interface Described {
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  readonly labels: readonly string[];
}

/** Metrics of one name that differ in their labels. Their number is bounded by the configuration, not by what clients send. */
export interface PlainFamily extends Described {
  readonly type: "counter" | "gauge";
  samples(view: MetricsView): Iterable<Sample>;
}

/** Histograms of times in seconds: each sample names the row that they are in. */
export interface HistogramFamily extends Described {
  readonly type: "histogram";
  readonly histogram: Histogram;
  samples(view: MetricsView): Iterable<readonly [labels: readonly string[], row: number]>;
}

export type Family = PlainFamily | HistogramFamily;
