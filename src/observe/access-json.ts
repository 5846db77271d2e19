import type { ErrorCode } from "../errors.ts";
import type { AttemptRecord, ExchangeRecord } from "./exchange-record.ts";
import { type FixedText, fixedText, type LineWriter, MOST_ESCAPED } from "./line-writer.ts";
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

/** Writes a record as one object of JSON (docs/logging.md), without the line's end. About 0.2 µs alone, 0.5 µs under load. */
export function writeJson(out: LineWriter, record: ExchangeRecord): void {
  const { bytes, trace } = record;
  out.fixed(TIME);
  writeIso(out, record.time);
  out.fixed(KIND);
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
  out.fixed(BYTES_IN);
  out.whole(record.bytesIn);
  out.fixed(BYTES_OUT);
  out.whole(record.bytesOut);
  out.fixed(DURATION);
  out.milliseconds(record.endedMs - record.startedMs);
  time(out, FIRST_BYTE, record.startedMs, record.firstByteMs);
  out.fixed(ATTEMPTS);
  const { attempts } = record;
  const told = Math.min(attempts.length, MOST_ATTEMPTS);
  for (let i = 0; i < told; i++) writeAttempt(out, attempts[i]!, i === 0);
  out.fixed(ATTEMPTS_END);
  text(out, REQUEST_ID, record.requestId);
  text(out, TRACE_ID, trace === null ? "" : trace.traceId);
  part(out, AGENT, bytes, record.agentStart, record.agentEnd, MOST.agent);
  part(out, REFERER, bytes, record.refererStart, record.refererEnd, MOST.referer);
  out.fixed(END);
}

function writeAttempt(out: LineWriter, attempt: AttemptRecord, first: boolean): void {
  out.fixed(first ? BACKEND : NEXT_BACKEND);
  out.foreignText(attempt.backend, MOST_BACKEND, "json");
  out.fixed(attempt.reused ? REUSED : NOT_REUSED);
  out.fixed(attempt.hedge ? HEDGE : NO_HEDGE);
  time(out, CONNECT, attempt.begunMs, attempt.connectedMs);
  time(out, RESPONSE, attempt.connectedMs, attempt.answeredMs);
  whole(out, STATUS, attempt.status);
  code(out, CODE, attempt.code);
  out.fixed(END);
}

/** A time of day with milliseconds, as ISO 8601 has it. */
export function writeIso(out: LineWriter, milliseconds: number): void {
  out.ascii(isoSeconds(milliseconds));
  out.thousandths(Math.floor(milliseconds) % 1000);
  out.ascii("Z");
}

/** A text, or null where it is empty. */
function text(out: LineWriter, key: Key, value: string): void {
  if (value === "") {
    out.fixed(key.none);
    return;
  }
  out.fixed(key.quote);
  out.foreignText(value, MOST_BACKEND, "json");
  out.fixed(QUOTE);
}

function part(out: LineWriter, key: Key, bytes: Buffer, start: number, end: number, most: number): void {
  if (start === end) {
    out.fixed(key.none);
    return;
  }
  out.fixed(key.quote);
  out.foreign(bytes, start, end, most, "json");
  out.fixed(QUOTE);
}

function whole(out: LineWriter, key: Key, value: number): void {
  if (value === 0) {
    out.fixed(key.none);
    return;
  }
  out.fixed(key.name);
  out.whole(value);
}

function time(out: LineWriter, key: Key, from: number, to: number): void {
  if (from === -1 || to === -1) {
    out.fixed(key.none);
    return;
  }
  out.fixed(key.name);
  out.milliseconds(to - from);
}

function code(out: LineWriter, key: Key, value: ErrorCode | null): void {
  if (value === null) {
    out.fixed(key.none);
    return;
  }
  out.fixed(key.quote);
  out.ascii(value);
  out.fixed(QUOTE);
}

/** A key that may be followed by null. */
interface Key {
  readonly name: FixedText;
  /** With the null. */
  readonly none: FixedText;
  /** With the quote that begins a text. */
  readonly quote: FixedText;
}

function keyOf(name: string, before = ","): Key {
  const key = `${before}"${name}":`;
  return { name: fixedText(key), none: fixedText(`${key}null`), quote: fixedText(`${key}"`) };
}

const QUOTE = fixedText('"');
const TIME = fixedText('{"time":"');
const KIND = fixedText('","kind":"');
const LISTENER = keyOf("listener", '",');
const ROUTE = keyOf("route");
const POOL = keyOf("pool");
const CLIENT = keyOf("client");
const METHOD = keyOf("method");
const HOST = keyOf("host");
const TARGET = keyOf("target");
const STATUS = keyOf("status");
const CODE = keyOf("code");
const BYTES_IN = fixedText(',"bytesIn":');
const BYTES_OUT = fixedText(',"bytesOut":');
const DURATION = fixedText(',"durationMs":');
const FIRST_BYTE = keyOf("firstByteMs");
const ATTEMPTS = fixedText(',"attempts":[');
const BACKEND = fixedText('{"backend":"');
const NEXT_BACKEND = fixedText(',{"backend":"');
const REUSED = fixedText('","reused":true');
const NOT_REUSED = fixedText('","reused":false');
const HEDGE = fixedText(',"hedge":true');
const NO_HEDGE = fixedText(',"hedge":false');
const CONNECT = keyOf("connectMs");
const RESPONSE = keyOf("responseMs");
const ATTEMPTS_END = fixedText("]");
const REQUEST_ID = keyOf("requestId");
const TRACE_ID = keyOf("traceId");
const AGENT = keyOf("userAgent");
const REFERER = keyOf("referer");
const END = fixedText("}");
