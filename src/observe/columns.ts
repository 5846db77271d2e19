import { EXCHANGE_ERROR_CODES, type ErrorCode } from "../errors.ts";

/**
 * The columns of a row of counters. A row belongs to one backend, one listener or one pool, as one worker saw it.
 * Each is a number that only this worker writes, with plain stores; whoever reads adds the workers up.
 */
export const COLUMNS = [
  "connections", // opened to a backend, or accepted by a listener
  "requests", // HTTP attempts on a backend, or requests received by a listener
  "responses1xx",
  "responses2xx",
  "responses3xx",
  "responses4xx",
  "responses5xx",
  "bytesIn", // from the client towards the backend
  "bytesOut", // from the backend towards the client
  "retries", // attempts repeated elsewhere or on a fresh connection after this backend failed
  "hedges", // second attempts on a backend beside one that took long elsewhere
  "pauses", // times that a listener stopped accepting, since there was no room
] as const;

/** Name of a counter. */
export type Column = (typeof COLUMNS)[number];

/** Position of each counter in its row. */
export const COLUMN: Readonly<Record<Column, number>> = Object.fromEntries(
  COLUMNS.map((name, index) => [name, index]),
) as Record<Column, number>;

const FIRST_ERROR = COLUMNS.length;
const ERROR_COLUMN = new Map<ErrorCode, number>(EXCHANGE_ERROR_CODES.map((code, index) => [code, FIRST_ERROR + index]));

/** Position of the counter of an error in its row. */
export function errorColumn(code: ErrorCode): number {
  const column = ERROR_COLUMN.get(code);
  if (column === undefined) throw new Error(`${code} is no error of an exchange`);
  return column;
}

/** Each power of two of microseconds has four buckets, up to 2²⁸ µs (4.5 minutes): a bucket is at most 25 % wide. */
export const BUCKETS: number = 4 * 27;
/** Microseconds from which on all are in the last bucket. */
const LONGEST = 2 ** 28;

/** A histogram of times in a row: where its sum of microseconds stands, and where its buckets do. */
export interface Histogram {
  readonly sum: number;
  /** Position of the first bucket. */
  readonly first: number;
  readonly buckets: number;
  /** 2 to the power of this many neighbours, of the buckets that `bucketOf` tells, are one here. */
  readonly shift: number;
}

const FIRST_HISTOGRAM = FIRST_ERROR + EXCHANGE_ERROR_CODES.length;

/** @param before the histogram that stands before it in the row, `null` for the first */
function histogram(before: Histogram | null, shift: number): Histogram {
  const sum = before === null ? FIRST_HISTOGRAM : before.first + before.buckets;
  return { sum, first: sum + 1, buckets: BUCKETS >> shift, shift };
}

/** From the head of a request to the head of its response: of a pool the client's, waiting and all attempts included; of a backend an attempt's. */
export const FIRST_BYTE: Histogram = histogram(null, 0);
/** From the head of a request to the last byte of its response, likewise. */
export const DURATION: Histogram = histogram(FIRST_BYTE, 0);
/** From dialling to an open connection. Its buckets are four times as wide: a row is a kilobyte shorter for it. */
export const CONNECT: Histogram = histogram(DURATION, 2);

/** Numbers in a row, rounded up to whole cache lines of 64 bytes, so that two rows never share one. */
export const ROW_LENGTH: number = Math.ceil((CONNECT.first + CONNECT.buckets) / 8) * 8;

/** The bucket that a latency falls into, from 0 to `BUCKETS - 1`. O(1). */
export function bucketOf(microseconds: number): number {
  // Before it is cut to 32 bits: 36 minutes are more than those hold.
  if (microseconds >= LONGEST) return BUCKETS - 1;
  if (microseconds < 0) return 0;
  const whole = microseconds | 0;
  if (whole < 4) return whole;
  const exponent = 31 - Math.clz32(whole);
  return (exponent - 1) * 4 + ((whole >>> (exponent - 2)) & 3);
}

/** The smallest whole number of microseconds that falls into a bucket. */
export function bucketFloor(bucket: number): number {
  if (bucket < 4) return bucket;
  const exponent = (bucket >> 2) + 1;
  return (4 + (bucket & 3)) * 2 ** (exponent - 2);
}
