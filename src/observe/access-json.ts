import type { ErrorCode } from "../errors.ts";
import type { AttemptRecord, ExchangeRecord } from "./exchange-record.ts";
import { type LineWriter, MOST_ESCAPED } from "./line-writer.ts";
import { isoSeconds } from "./time-text.ts";

/** Bytes of what a client sent that a line tells, by field; what is longer is cut. */
export const MOST = { method: 64, target: 8192, host: 300, agent: 1024, referer: 2048, id: 128 } as const;
/** A backend may have a long name or path. */
const MOST_BACKEND = 300;
/** Attempts that a line tells of: a hundred may be configured. */
const MOST_ATTEMPTS = 16;

/** Most bytes of a line, whatever is in it: all of the fields of others escaped, and room for Weir's own. */
export const MOST_LINE: number =
  MOST_ESCAPED *
    (Object.values(MOST).reduce((a: number, b) => a + b, 0) + 4 * MOST_BACKEND + MOST_ATTEMPTS * MOST_BACKEND) +
  8192;

/** Writes a record as one object of JSON (docs/logging.md), without the line's end. About 1 µs. */
export function writeJson(out: LineWriter, record: ExchangeRecord): void {
  const { bytes, trace } = record;
  out.raw(TIME);
  writeIso(out, record.time);
  out.raw(KIND);
  out.ascii(record.kind);
  text(out, LISTENER, record.listener);
  text(out, ROUTE, record.route);
  text(out, POOL, record.pool);
  text(out, CLIENT, record.client);
  part(out, METHOD, bytes, record.methodStart, record.methodEnd, MOST.method);
  part(out, HOST, bytes, record.hostStart, record.hostEnd, MOST.host);
  part(out, TARGET, bytes, record.targetStart, record.targetEnd, MOST.target);
  whole(out, STATUS, record.status);
  code(out, CODE, record.code);
  out.raw(BYTES_IN);
  out.whole(record.bytesIn);
  out.raw(BYTES_OUT);
  out.whole(record.bytesOut);
  out.raw(DURATION);
  out.milliseconds(record.endedMs - record.startedMs);
  time(out, FIRST_BYTE, record.startedMs, record.firstByteMs);
  out.raw(ATTEMPTS);
  const { attempts } = record;
  const told = Math.min(attempts.length, MOST_ATTEMPTS);
  for (let i = 0; i < told; i++) writeAttempt(out, attempts[i]!, i === 0);
  out.raw(ATTEMPTS_END);
  text(out, REQUEST_ID, record.requestId);
  text(out, TRACE_ID, trace === null ? "" : trace.traceId);
  part(out, AGENT, bytes, record.agentStart, record.agentEnd, MOST.agent);
  part(out, REFERER, bytes, record.refererStart, record.refererEnd, MOST.referer);
  out.raw(END);
}

function writeAttempt(out: LineWriter, attempt: AttemptRecord, first: boolean): void {
  out.raw(first ? BACKEND : NEXT_BACKEND);
  out.foreignText(attempt.backend, MOST_BACKEND, "json");
  out.raw(attempt.reused ? REUSED : NOT_REUSED);
  out.raw(attempt.hedge ? HEDGE : NO_HEDGE);
  time(out, CONNECT, attempt.begunMs, attempt.connectedMs);
  time(out, RESPONSE, attempt.connectedMs, attempt.answeredMs);
  whole(out, STATUS, attempt.status);
  code(out, CODE, attempt.code);
  out.raw(END);
}

/** A time of day with milliseconds, as ISO 8601 has it. */
export function writeIso(out: LineWriter, milliseconds: number): void {
  out.ascii(isoSeconds(milliseconds));
  const rest = Math.floor(milliseconds) % 1000;
  out.ascii(rest < 10 ? ".00" : rest < 100 ? ".0" : ".");
  out.whole(rest);
  out.ascii("Z");
}

/** A text, or null where it is empty. */
function text(out: LineWriter, key: Key, value: string): void {
  out.raw(key.name);
  if (value === "") {
    out.raw(NULL);
    return;
  }
  out.raw(QUOTE);
  out.foreignText(value, MOST_BACKEND, "json");
  out.raw(QUOTE);
}

function part(out: LineWriter, key: Key, bytes: Buffer, start: number, end: number, most: number): void {
  out.raw(key.name);
  if (start === end) {
    out.raw(NULL);
    return;
  }
  out.raw(QUOTE);
  out.foreign(bytes, start, end, most, "json");
  out.raw(QUOTE);
}

function whole(out: LineWriter, key: Key, value: number): void {
  out.raw(key.name);
  if (value === 0) out.raw(NULL);
  else out.whole(value);
}

function time(out: LineWriter, key: Key, from: number, to: number): void {
  out.raw(key.name);
  if (from === -1 || to === -1) out.raw(NULL);
  else out.milliseconds(to - from);
}

function code(out: LineWriter, key: Key, value: ErrorCode | null): void {
  out.raw(key.name);
  if (value === null) {
    out.raw(NULL);
    return;
  }
  out.raw(QUOTE);
  out.ascii(value);
  out.raw(QUOTE);
}

/** A key that may be followed by null. */
interface Key {
  readonly name: Buffer;
}

function keyOf(name: string): Key {
  return { name: Buffer.from(`,"${name}":`) };
}

const NULL = Buffer.from("null");
const QUOTE = Buffer.from('"');
const TIME = Buffer.from('{"time":"');
const KIND = Buffer.from('","kind":"');
const LISTENER = { name: Buffer.from('","listener":') };
const ROUTE = keyOf("route");
const POOL = keyOf("pool");
const CLIENT = keyOf("client");
const METHOD = keyOf("method");
const HOST = keyOf("host");
const TARGET = keyOf("target");
const STATUS = keyOf("status");
const CODE = keyOf("code");
const BYTES_IN = Buffer.from(',"bytesIn":');
const BYTES_OUT = Buffer.from(',"bytesOut":');
const DURATION = Buffer.from(',"durationMs":');
const FIRST_BYTE = keyOf("firstByteMs");
const ATTEMPTS = Buffer.from(',"attempts":[');
const BACKEND = Buffer.from('{"backend":"');
const NEXT_BACKEND = Buffer.from(',{"backend":"');
const REUSED = Buffer.from('","reused":true');
const NOT_REUSED = Buffer.from('","reused":false');
const HEDGE = Buffer.from(',"hedge":true');
const NO_HEDGE = Buffer.from(',"hedge":false');
const CONNECT = keyOf("connectMs");
const RESPONSE = keyOf("responseMs");
const ATTEMPTS_END = Buffer.from("]");
const REQUEST_ID = keyOf("requestId");
const TRACE_ID = keyOf("traceId");
const AGENT = keyOf("userAgent");
const REFERER = keyOf("referer");
const END = Buffer.from("}");
