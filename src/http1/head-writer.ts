import { dateLine } from "../http/date.ts";
import { FIELD, type FieldKind } from "../http/fields.ts";
import type { Head } from "../http/head.ts";
import { maxForwards } from "../http/max-forwards.ts";
import type { Origin } from "../http/streams.ts";
import { cork } from "../net/cork.ts";
import type { Outbox } from "../net/outbox.ts";

/** What is done with a known field: passed on, left out, or decided by `…Passes`. */
const PASS = 0;
const DROP = 1;
const ASK = 2;
type Fate = typeof PASS | typeof DROP | typeof ASK;

/** Room for what Weir adds beside the parts that are measured. */
const ADDED_BYTES = 512;

/** Hop-by-hop fields (RFC 9110 §7.6.1) and those that Weir writes itself. */
function fates(rows: Partial<Record<keyof typeof FIELD, Fate>>): Uint8Array {
  const table = new Uint8Array(Object.keys(FIELD).length);
  for (const [name, fate] of Object.entries(rows)) table[FIELD[name as keyof typeof FIELD]] = fate;
  return table;
}

const HOP_BY_HOP = {
  connection: DROP,
  keepAlive: DROP,
  proxyConnection: DROP,
  transferEncoding: DROP,
  upgrade: ASK,
} as const;
const REQUEST_FATES = fates({
  ...HOP_BY_HOP,
  contentLength: ASK,
  te: DROP,
  expect: ASK,
  maxForwards: ASK,
  // As nginx and Caddy do: a CGI or WSGI server reads X_Forwarded_For and X-Forwarded-For as one field.
  underscored: DROP,
  http2Settings: DROP,
  // It carries a secret between a client and this Weir.
  weirExplain: DROP,
  replaced: DROP,
  host: ASK,
  forwarded: ASK,
  xForwardedFor: ASK,
  xForwardedHost: ASK,
  xForwardedProto: ASK,
});
// What a backend says to this Weir is not for a Weir before it, which would drain all that is behind this one.
const RESPONSE_FATES = fates({ ...HOP_BY_HOP, contentLength: ASK, weirState: DROP, weirExplain: DROP, replaced: DROP });

/**
 * Writes a request's head for a backend: the fields that pass as the client sent them, and what Weir adds.
 * @param backendHost for a request without a host of its own (HTTP/1.0)
 */
export function writeRequestHead(outbox: Outbox, head: Head, origin: Origin, backendHost: Buffer): void {
  const authorityLength = head.authorityEnd - head.authorityStart;
  const size =
    head.end -
    head.start +
    2 * authorityLength +
    origin.forwarded.length +
    origin.address.length +
    backendHost.length +
    ADDED_BYTES;
  cork.claim(outbox, size);
  const out = cork.bytes;
  const bytes = head.bytes;
  let at = cork.used;
  if (head.targetStart === head.methodEnd + 1) {
    at += bytes.copy(out, at, head.methodStart, head.targetEnd);
  } else {
    // An absolute target: its path, "/" where it has none, "*" for OPTIONS of the whole server (RFC 9112 §3.2.4).
    at += bytes.copy(out, at, head.methodStart, head.methodEnd);
    out[at++] = 0x20;
    if (bytes[head.targetStart] !== 0x2f || head.targetStart === head.targetEnd)
      at += (head.targetStart === head.targetEnd && head.method === "OPTIONS" ? ASTERISK : SLASH).copy(out, at);
    at += bytes.copy(out, at, head.targetStart, head.targetEnd);
  }
  at += VERSION_LINE.copy(out, at);
  const hostField = head.find(FIELD.host);
  const ownHost = hostField !== -1 && head.valueStart(hostField) === head.authorityStart;
  if (!ownHost) {
    at += HOST.copy(out, at);
    at += authorityLength > 0 ? bytes.copy(out, at, head.authorityStart, head.authorityEnd) : backendHost.copy(out, at);
    out[at++] = 0x0d;
    out[at++] = 0x0a;
  }
  at = copyFields(
    head,
    at,
    head.count === 0 ? head.end - 2 : head.nameStart(0),
    REQUEST_FATES,
    origin.trusted,
    head.upgrade,
    ownHost,
    true,
  );
  at = writeForwarded(head, at, origin, authorityLength);
  if (head.framing === "chunked") at += CHUNKED_LINE.copy(out, at);
  if (head.acceptsTrailers) at += TE_LINE.copy(out, at);
  if (head.upgrade) at += UPGRADE_LINE.copy(out, at);
  if (origin.via) at += viaLine(head).copy(out, at);
  if (head.extra !== null) at = writeExtra(outbox, head.extra, at);
  out[at++] = 0x0d;
  out[at++] = 0x0a;
  cork.used = at;
}

/** Tells the backend who asks: replaced for a stranger, appended to for a trusted proxy. */
function writeForwarded(head: Head, start: number, origin: Origin, authorityLength: number): number {
  const out = cork.bytes;
  const bytes = head.bytes;
  let at = start;
  if (!origin.trusted) {
    at += origin.forwarded.copy(out, at);
  } else {
    at += X_FORWARDED_FOR.copy(out, at);
    for (let i = 0; i < head.count; i++) {
      if (head.kind(i) !== FIELD.xForwardedFor || head.valueEnd(i) === head.valueStart(i)) continue;
      at += bytes.copy(out, at, head.valueStart(i), head.valueEnd(i));
      out[at++] = 0x2c;
      out[at++] = 0x20;
    }
    at += out.write(`${origin.address}\r\n`, at, "latin1");
    if (head.find(FIELD.xForwardedProto) === -1) at += X_FORWARDED_PROTO.copy(out, at);
    if (head.find(FIELD.xForwardedHost) !== -1) return at;
  }
  if (authorityLength === 0) return at;
  at += X_FORWARDED_HOST.copy(out, at);
  at += bytes.copy(out, at, head.authorityStart, head.authorityEnd);
  out[at++] = 0x0d;
  out[at++] = 0x0a;
  return at;
}

/** How a response's head is sent to this client. */
export interface ResponseFraming {
  /** Adds `Transfer-Encoding: chunked`. */
  readonly chunked: boolean;
  /** Adds `Connection: close`. */
  readonly close: boolean;
  /** Adds `Connection: keep-alive`, which a client of HTTP/1.0 has to be told. */
  readonly keepAlive: boolean;
  readonly via: boolean;
}

/** Writes a response's head for a client: the fields that pass as the backend sent them, and what Weir adds. */
export function writeResponseHead(outbox: Outbox, head: Head, framing: ResponseFraming): void {
  cork.claim(outbox, head.end - head.start + ADDED_BYTES);
  const out = cork.bytes;
  let at = cork.used;
  const final = head.status >= 200;
  const fieldsStart = head.count === 0 ? head.end - 2 : head.nameStart(0);
  let copyFrom = head.start;
  if (head.minor === 0 || head.reasonStart < head.start + STATUS_LINE_BYTES) {
    // The status line as HTTP/1.1 has it: the version of this hop, and the space that some servers leave out.
    at += VERSION.copy(out, at);
    at += out.write(`${head.status} `, at, "latin1");
    at += head.bytes.copy(out, at, head.reasonStart, head.reasonEnd);
    out[at++] = 0x0d;
    out[at++] = 0x0a;
    copyFrom = fieldsStart;
  }
  const dropLength = head.status === 204 || !final;
  cork.used = at;
  at = copyFields(head, at, copyFrom, RESPONSE_FATES, false, head.status === 101, false, !dropLength);
  if (head.extra !== null) at = writeExtra(outbox, head.extra, at);
  if (final && head.find(FIELD.date) === -1) at += dateLine().copy(out, at);
  if (framing.chunked) at += CHUNKED_LINE.copy(out, at);
  if (head.status === 101) at += UPGRADE_LINE.copy(out, at);
  else if (framing.close) at += CLOSE_LINE.copy(out, at);
  else if (framing.keepAlive) at += KEEP_ALIVE_LINE.copy(out, at);
  if (framing.via) at += viaLine(head).copy(out, at);
  out[at++] = 0x0d;
  out[at++] = 0x0a;
  cork.used = at;
}

/**
 * Writes lines for which no room was claimed: only a head that has some pays for it.
 * @param at where in the output
 * @returns where the output goes on, with room for what Weir adds
 */
function writeExtra(outbox: Outbox, lines: Buffer, at: number): number {
  cork.used = at;
  cork.claim(outbox, lines.length + ADDED_BYTES);
  return cork.used + lines.copy(cork.bytes, cork.used);
}

/**
 * Copies the lines that pass, in runs as long as they stand together, and writes anew those whose value may not stay.
 * @param start where in the output
 * @param from first byte of the first run
 * @returns where the output goes on
 */
function copyFields(
  head: Head,
  start: number,
  from: number,
  table: Uint8Array,
  trusted: boolean,
  upgrade: boolean,
  host: boolean,
  contentLength: boolean,
): number {
  const out = cork.bytes;
  const bytes = head.bytes;
  let at = start;
  let runStart = from;
  const count = head.count;
  for (let i = 0; i < count; i++) {
    const kind = head.kind(i);
    if (kind === FIELD.other ? !head.namesFields : table[kind] === PASS) continue;
    if (passes(head, i, kind, table, trusted, upgrade, host, contentLength)) continue;
    const line = head.nameStart(i);
    if (line > runStart) at += bytes.copy(out, at, runStart, line);
    runStart = i + 1 < count ? head.nameStart(i + 1) : head.end - 2;
    if (kind === FIELD.contentLength && contentLength)
      at += out.write(`Content-Length: ${head.length}\r\n`, at, "latin1");
    else if (kind === FIELD.maxForwards) at += out.write(`Max-Forwards: ${hopsLeft(head, i) - 1}\r\n`, at, "latin1");
  }
  const stop = head.end - 2;
  if (stop > runStart) at += bytes.copy(out, at, runStart, stop);
  return at;
}

function passes(
  head: Head,
  index: number,
  kind: FieldKind,
  table: Uint8Array,
  trusted: boolean,
  upgrade: boolean,
  host: boolean,
  contentLength: boolean,
): boolean {
  if (table[kind] === DROP) return false;
  if (table[kind] === PASS) return !(head.namesFields && head.isNamedByConnection(index));
  if (kind === FIELD.upgrade) return upgrade;
  // What decides where and how long a message is cannot be taken away by the message.
  if (kind === FIELD.host) return host;
  if (kind === FIELD.contentLength) return contentLength && !isPadded(head, index);
  if (kind === FIELD.expect) return head.minor !== 0;
  // Parsed already, and more than 0 where it counts.
  if (kind === FIELD.maxForwards) return hopsLeft(head, index) === -1;
  return trusted && kind !== FIELD.xForwardedFor;
}

/** Whether a length has zeros before it, which some servers take for octal. */
function isPadded(head: Head, index: number): boolean {
  const start = head.valueStart(index);
  return head.valueEnd(index) - start > 1 && head.bytes[start] === 0x30;
}

function hopsLeft(head: Head, index: number): number {
  return maxForwards(head, head.bytes, head.valueStart(index), head.valueEnd(index));
}

/** RFC 9110 §7.6.3: the version with which the message came. */
function viaLine(head: Head): Buffer {
  return head.minor === 0 ? VIA_LINE_OF_1_0 : VIA_LINE;
}

const STATUS_LINE_BYTES = "HTTP/1.1 200 ".length;
const VERSION = Buffer.from("HTTP/1.1 ");
const VERSION_LINE = Buffer.from(" HTTP/1.1\r\n");
const SLASH = Buffer.from("/");
const ASTERISK = Buffer.from("*");
const HOST = Buffer.from("Host: ");
const X_FORWARDED_FOR = Buffer.from("X-Forwarded-For: ");
const X_FORWARDED_HOST = Buffer.from("X-Forwarded-Host: ");
const X_FORWARDED_PROTO = Buffer.from("X-Forwarded-Proto: http\r\n");
const CHUNKED_LINE = Buffer.from("Transfer-Encoding: chunked\r\n");
// TE is a field of one hop, and says so (RFC 9110 §10.1.4).
const TE_LINE = Buffer.from("TE: trailers\r\nConnection: TE\r\n");
const UPGRADE_LINE = Buffer.from("Connection: Upgrade\r\n");
const CLOSE_LINE = Buffer.from("Connection: close\r\n");
const KEEP_ALIVE_LINE = Buffer.from("Connection: keep-alive\r\n");
// RFC 9110 §7.6.3: the protocol as received, and a name in place of a host.
const VIA_LINE = Buffer.from("Via: 1.1 weir\r\n");
const VIA_LINE_OF_1_0 = Buffer.from("Via: 1.0 weir\r\n");
