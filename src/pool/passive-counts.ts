import { type ErrorCode, ERRORS, EXCHANGE_ERROR_CODES } from "../errors.ts";
import { COLUMN, errorColumn } from "../observe/columns.ts";
import type { Counters } from "../observe/counters.ts";

/** Failures of which no request was sent: they are attempts that `requests` does not count. */
const NOT_CONNECTED: readonly ErrorCode[] = [
  "BACKEND_REFUSED",
  "BACKEND_UNREACHABLE",
  "BACKEND_NAME",
  "BACKEND_CONNECT_TIMEOUT",
];
const NOT_CONNECTED_COLUMNS = NOT_CONNECTED.map(errorColumn);
const FAILURE_COLUMNS = EXCHANGE_ERROR_CODES.filter((code) => ERRORS[code].source === "backend").map(errorColumn);

/** Attempts of any kind on a backend since its row began, over all workers: requests, or connections in mode `tcp`. O(workers). */
export function attemptsOf(counters: Counters, row: number): number {
  const sent = counters.total(row, COLUMN.requests) + sum(counters, row, NOT_CONNECTED_COLUMNS);
  return Math.max(sent, counters.total(row, COLUMN.connections));
}

/**
 * Those of them that failed: by the connection, or by an answer of 5xx. Whether 500 is the backend's fault or the application's
 * does not matter, as these are only ever compared with what the others in the pool have. O(workers × codes).
 */
export function failuresOf(counters: Counters, row: number): number {
  return sum(counters, row, FAILURE_COLUMNS) + counters.total(row, COLUMN.responses5xx);
}

function sum(counters: Counters, row: number, columns: readonly number[]): number {
  let total = 0;
  for (const column of columns) total += counters.total(row, column);
  return total;
}
