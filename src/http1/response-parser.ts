import type { Head } from "../http/head.ts";
import { CHARS, CR, LF, SP, VALUE } from "./chars.ts";
import { type Blame, type HeadLimits, type ParseOutcome, parseFields, refuse } from "./field-parser.ts";

const BACKEND: Blame = {
  bad: "BACKEND_BAD_RESPONSE",
  framing: "BACKEND_BAD_RESPONSE",
  tooLarge: "BACKEND_HEAD_TOO_LARGE",
};

/**
 * Parses a response's head (RFC 9112 §4–§6) from its first byte, as strictly as a request's: a backend that can be
 * confused confuses its clients.
 * @param toHead whether it answers a HEAD request, and so has no body
 * @returns `complete` with every part of the head set, `framing` among them
 */
export function parseResponseHead(
  head: Head,
  bytes: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
  toHead: boolean,
): ParseOutcome {
  head.reset(bytes, start);
  const stop = Math.min(end, start + limits.headBytes);
  const outcome = parseResponse(head, bytes, start, stop, limits, toHead);
  if (outcome === "incomplete" && stop - start >= limits.headBytes)
    return refuse(head, BACKEND.tooLarge, `a head of more than ${limits.headBytes} bytes`);
  return outcome;
}

function parseResponse(
  head: Head,
  bytes: Buffer,
  start: number,
  stop: number,
  limits: HeadLimits,
  toHead: boolean,
): ParseOutcome {
  let at = start;
  for (let i = 0; i < VERSION.length; i++, at++) {
    if (at >= stop) return "incomplete";
    if (bytes[at] !== VERSION[i]) return refuse(head, BACKEND.bad, "no HTTP/1.x at the beginning");
  }
  if (at + 4 >= stop) return "incomplete";
  const minor = bytes[at]! - 0x30;
  if (minor !== 0 && minor !== 1) return refuse(head, BACKEND.bad, "an HTTP version other than 1.0 and 1.1");
  head.minor = minor;
  head.keepAlive = minor === 1;
  if (bytes[at + 1] !== SP) return refuse(head, BACKEND.bad, "no status after the version");
  at += 2;
  let status = 0;
  for (const last = at + 3; at < last; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return refuse(head, BACKEND.bad, "a status that is no number of three digits");
    status = status * 10 + digit;
  }
  if (status < 100 || status > 599) return refuse(head, BACKEND.bad, "a status outside 100 to 599");
  head.status = status;
  if (at >= stop) return "incomplete";
  // The space is missing where the reason is, with some servers.
  if (bytes[at] === SP) at += 1;
  else if (bytes[at] !== CR) return refuse(head, BACKEND.bad, "a status that is no number of three digits");
  head.reasonStart = at;
  while (at < stop && (CHARS[bytes[at]!]! & VALUE) !== 0) at += 1;
  head.reasonEnd = at;
  if (at >= stop) return "incomplete";
  if (bytes[at] !== CR)
    return refuse(head, BACKEND.bad, bytes[at] === LF ? "a bare LF" : "a control character in the status line");
  if (at + 1 >= stop) return "incomplete";
  if (bytes[at + 1] !== LF) return refuse(head, BACKEND.bad, "a CR without LF");
  const outcome = parseFields(head, bytes, at + 2, stop, limits, BACKEND, true);
  if (outcome === "complete") settleFraming(head, toHead);
  return outcome;
}

/** RFC 9112 §6.3, rules 1 to 8 as they are left after the strict fields. */
function settleFraming(head: Head, toHead: boolean): void {
  if (toHead || head.status < 200 || head.status === 204 || head.status === 304) {
    // A 204 must not announce a body (RFC 9110 §8.6): whoever does may send one, and it would answer the next request.
    if (head.status === 204 && (head.framing === "chunked" || head.length > 0)) head.keepAlive = false;
    head.framing = "none";
  } else if (head.framing === "none") {
    head.framing = "until-close";
    head.keepAlive = false;
  }
}

const VERSION = Buffer.from("HTTP/1.");
