import { EXCHANGE_ERROR_CODES, type ErrorCode } from "../../errors.ts";
import { COLUMN, type Column, errorColumn } from "../../observe/columns.ts";
import type { Counters } from "../../observe/counters.ts";
import type { Family, Sample } from "./family.ts";
import type { MetricsView } from "./view.ts";

/** Something with a row: the values of its labels, and the row. */
export type Place = readonly [labels: readonly string[], row: number];

/** What families of listeners and of backends have in common: whose they are, and where their rows are. */
export interface Kind {
  /** Begins the names of its families. */
  readonly prefix: string;
  readonly labels: readonly string[];
  readonly places: (view: MetricsView) => Iterable<Place>;
}

const CLASSES: readonly (readonly [code: string, column: Column])[] = [
  ["1xx", "responses1xx"],
  ["2xx", "responses2xx"],
  ["3xx", "responses3xx"],
  ["4xx", "responses4xx"],
  ["5xx", "responses5xx"],
];

/** A family of the numbers in one column. */
export function columnFamily(kind: Kind, name: string, column: Column, help: string): Family {
  return counterFamily(kind, name, help, [], function* (counters, row) {
    yield [[], counters.total(row, COLUMN[column])];
  });
}

/** A family of responses by the class of their status. */
export function responsesFamily(kind: Kind, help: string): Family {
  return counterFamily(kind, "responses_total", help, ["code"], function* (counters, row) {
    for (const [code, column] of CLASSES) yield [[code], counters.total(row, COLUMN[column])];
  });
}

/**
 * A family of errors by their code.
 * @param always codes that are there from the start, so that the first error is a step from 0; others come with it
 */
export function errorsFamily(kind: Kind, help: string, always: (code: ErrorCode) => boolean): Family {
  return counterFamily(kind, "errors_total", help, ["code"], function* (counters, row) {
    for (const code of EXCHANGE_ERROR_CODES) {
      const count = counters.total(row, errorColumn(code));
      if (count > 0 || always(code)) yield [[code], count];
    }
  });
}

/** A family of what is under way at a row. */
export function inFlightFamily(kind: Kind, help: string): Family {
  const { prefix, labels } = kind;
  return {
    name: `${prefix}_in_flight`,
    type: "gauge",
    help,
    labels,
    *samples(view) {
      // A worker takes and gives in no order that others see: for a moment one that was given may be missed.
      for (const [values, row] of kind.places(view)) yield [values, Math.max(0, view.counters.inFlight(row))];
    },
  };
}

function counterFamily(
  { prefix, labels, places }: Kind,
  name: string,
  help: string,
  more: readonly string[],
  read: (counters: Counters, row: number) => Iterable<Sample>,
): Family {
  return {
    name: `${prefix}_${name}`,
    type: "counter",
    help,
    labels: [...labels, ...more],
    *samples(view) {
      for (const [values, row] of places(view))
        for (const [own, count] of read(view.counters, row)) yield [[...values, ...own], count];
    },
  };
}
