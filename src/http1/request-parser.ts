import { equalsLower, FIELD } from "../http/fields.ts";
import type { Head } from "../http/head.ts";
import { CHARS, CR, HOST, LF, SP, TARGET, TOKEN } from "./chars.ts";
import { type Blame, type HeadLimits, type ParseOutcome, parseFields, refuse } from "./field-parser.ts";

const CLIENT: Blame = {
  bad: "CLIENT_BAD_HEAD",
  framing: "CLIENT_AMBIGUOUS_FRAMING",
  tooLarge: "CLIENT_HEAD_TOO_LARGE",
};

/**
 * Parses a request's head (RFC 9112 §2–§6), strictly and from its first byte: nothing is kept between calls, so a head
 * that comes in pieces is parsed again with more bytes. O(bytes), no text made.
 * @param end first byte that has not come yet
 * @returns `complete` with every part of the head set
 */
export function parseRequestHead(
  head: Head,
  bytes: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
): ParseOutcome {
  head.reset(bytes, start);
  const stop = Math.min(end, start + limits.headBytes);
  const outcome = parseRequest(head, bytes, start, stop, limits);
  if (outcome === "incomplete" && stop - start >= limits.headBytes)
    return refuse(head, CLIENT.tooLarge, `a head of more than ${limits.headBytes} bytes`);
  return outcome;
}

function parseRequest(head: Head, bytes: Buffer, start: number, stop: number, limits: HeadLimits): ParseOutcome {
  let at = start;
  // One empty line before the request is forgiven (RFC 9112 §2.2): old clients send it after a body.
  if (bytes[at] === CR && at < stop) {
    if (at + 1 >= stop) return "incomplete";
    if (bytes[at + 1] !== LF) return refuse(head, CLIENT.bad, "a CR without LF");
    at += 2;
  }
  head.methodStart = at;
  while (at < stop && (CHARS[bytes[at]!]! & TOKEN) !== 0) at += 1;
  if (at >= stop) return "incomplete";
  if (bytes[at] !== SP || at === head.methodStart) {
    // A TLS record of type handshake, version 3.x (RFC 8446 §5.1).
    if (at === head.methodStart && bytes[at] === 0x16)
      return refuse(head, "CLIENT_TLS_ON_PLAIN", "this is TLS, and the port speaks plain HTTP");
    return refuse(head, CLIENT.bad, "no method at the beginning");
  }
  head.methodEnd = at;
  at += 1;
  const targetStart = at;
  while (at < stop && (CHARS[bytes[at]!]! & TARGET) !== 0) {
    at += 1;
    if (at - targetStart > limits.targetBytes)
      return refuse(head, "CLIENT_TARGET_TOO_LONG", `a target of more than ${limits.targetBytes} bytes`);
  }
  if (at >= stop) return "incomplete";
  if (bytes[at] !== SP || at === targetStart)
    return refuse(
      head,
      CLIENT.bad,
      bytes[at] === CR ? "no HTTP version after the target" : "a character that no target has",
    );
  head.targetStart = targetStart;
  head.targetEnd = at;
  at += 1;
  for (let i = 0; i < VERSION.length; i++, at++) {
    if (at >= stop) return "incomplete";
    if (bytes[at] !== VERSION[i]) return refuse(head, CLIENT.bad, "no HTTP version after the target");
  }
  // "1.0" or "1.1", then CRLF.
  if (at >= stop) return "incomplete";
  const major = bytes[at]! - 0x30;
  if (major < 0 || major > 9) return refuse(head, CLIENT.bad, "no HTTP version after the target");
  if (at + 1 >= stop) return "incomplete";
  if (bytes[at + 1] !== 0x2e) return refuse(head, CLIENT.bad, "no HTTP version after the target");
  if (at + 2 >= stop) return "incomplete";
  const minor = bytes[at + 2]! - 0x30;
  if (minor < 0 || minor > 9) return refuse(head, CLIENT.bad, "no HTTP version after the target");
  if (major !== 1 || minor > 1) return refuse(head, "CLIENT_VERSION", `HTTP/${major}.${minor}`);
  head.minor = minor;
  head.keepAlive = minor === 1;
  at += 3;
  if (at >= stop) return "incomplete";
  if (bytes[at] !== CR)
    return refuse(head, CLIENT.bad, bytes[at] === LF ? "a bare LF" : "something after the HTTP version");
  if (at + 1 >= stop) return "incomplete";
  if (bytes[at + 1] !== LF) return refuse(head, CLIENT.bad, "a CR without LF");
  const outcome = parseFields(head, bytes, at + 2, stop, limits, CLIENT, true);
  return outcome === "complete" ? finishRequest(head, bytes) : outcome;
}

/** Looks at the target and Host together (RFC 9112 §3.2, §3.3). */
function finishRequest(head: Head, bytes: Buffer): ParseOutcome {
  // "Content-Length: 0" is passed on as it came, and means that nothing is to be waited for.
  if (head.framing === "length" && head.length === 0) head.framing = "none";
  if (head.methodIs(CONNECT)) return refuse(head, "CLIENT_CONNECT", "CONNECT is not supported");
  const host = head.find(FIELD.host);
  if (host === -1) {
    if (head.minor === 1) return refuse(head, "CLIENT_BAD_HOST", "no Host field");
  } else {
    for (let i = host + 1; i < head.count; i++)
      if (head.kind(i) === FIELD.host) return refuse(head, "CLIENT_BAD_HOST", "Host twice");
    head.authorityStart = head.valueStart(host);
    head.authorityEnd = head.valueEnd(host);
    if (!isAuthority(bytes, head.authorityStart, head.authorityEnd))
      return refuse(head, "CLIENT_BAD_HOST", "a Host that is no host");
  }
  const first = bytes[head.targetStart];
  if (first === SLASH) return "complete";
  if (first === ASTERISK && head.targetEnd - head.targetStart === 1) {
    return head.methodIs(OPTIONS)
      ? "complete"
      : refuse(head, CLIENT.bad, "the target * with a method other than OPTIONS");
  }
  return splitAbsoluteTarget(head, bytes);
}

/** `http://host/path`: its host counts, not that of the Host field (RFC 9112 §3.2.2). */
function splitAbsoluteTarget(head: Head, bytes: Buffer): ParseOutcome {
  let at = head.targetStart;
  if (head.targetEnd - at > HTTP.length && equalsLower(bytes, at, HTTP)) at += HTTP.length;
  else if (head.targetEnd - at > HTTPS.length && equalsLower(bytes, at, HTTPS)) at += HTTPS.length;
  else return refuse(head, CLIENT.bad, "a target that is neither a path nor an http URL");
  head.authorityStart = at;
  while (at < head.targetEnd && bytes[at] !== SLASH && bytes[at] !== QUESTION) at += 1;
  head.authorityEnd = at;
  if (!isAuthority(bytes, head.authorityStart, at))
    return refuse(head, "CLIENT_BAD_HOST", "a target whose host is no host");
  head.targetStart = at;
  return "complete";
}

/** A host with an optional port: a name, an IPv4 address, or an IPv6 address in brackets. */
function isAuthority(bytes: Buffer, start: number, end: number): boolean {
  if (start === end) return false;
  let at = start;
  if (bytes[at] === OPEN) {
    at += 1;
    while (at < end && (CHARS[bytes[at]!]! & HOST) !== 0 && bytes[at] !== CLOSE && bytes[at] !== OPEN) at += 1;
    if (at >= end || bytes[at] !== CLOSE || at === start + 1) return false;
    at += 1;
  } else {
    while (at < end && bytes[at] !== PORT) {
      const byte = bytes[at]!;
      if ((CHARS[byte]! & HOST) === 0 || byte === OPEN || byte === CLOSE) return false;
      at += 1;
    }
    if (at === start) return false;
  }
  if (at === end) return true;
  if (bytes[at] !== PORT || end - at > 6) return false;
  let port = 0;
  for (at += 1; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= LAST_PORT;
}

const VERSION = Buffer.from("HTTP/");
const CONNECT = Buffer.from("CONNECT");
const OPTIONS = Buffer.from("OPTIONS");
// "/" and ":" have bit 0x20 set, so that `equalsLower` leaves them.
const HTTP = Buffer.from("http://");
const HTTPS = Buffer.from("https://");
const SLASH = 0x2f;
const ASTERISK = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const PORT = 0x3a;
const LAST_PORT = 65_535;
