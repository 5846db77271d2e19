import type { ErrorCode } from "../errors.ts";
import { equalsLower, FIELD, fieldKind } from "../http/fields.ts";
import { maxForwards } from "../http/max-forwards.ts";
import type { Head } from "../http/head.ts";
import { CHARS, COLON, CR, HTAB, LF, NAME, SP, TOKEN, UNDERSCORE, VALUE } from "./chars.ts";

/** What a parser answers: the head is complete, more bytes are needed, or what is wrong (words in `head.problem`). */
export type ParseOutcome = "complete" | "incomplete" | ErrorCode;

/** Bounds of a head. */
export interface HeadLimits {
  readonly headBytes: number;
  readonly fields: number;
  readonly targetBytes: number;
}

/** The codes with which one side's mistakes are told. */
export interface Blame {
  readonly bad: ErrorCode;
  readonly framing: ErrorCode;
  readonly tooLarge: ErrorCode;
}

/** Refuses a head. */
export function refuse(head: Head, code: ErrorCode, problem: string): ErrorCode {
  head.problem = problem;
  return code;
}

/**
 * Parses field lines up to and with the empty line (RFC 9112 §5), strictly: every line ends in CRLF, no space before
 * the colon, no folded line, no control character in a value.
 * @param semantic whether the fields steer the connection (heads do, trailers do not)
 * @returns `complete` with `head.end` set
 */
export function parseFields(
  head: Head,
  bytes: Buffer,
  from: number,
  stop: number,
  limits: HeadLimits,
  blame: Blame,
  semantic: boolean,
): ParseOutcome {
  let at = from;
  for (;;) {
    if (at >= stop) return "incomplete";
    if (bytes[at] === CR) {
      if (at + 1 >= stop) return "incomplete";
      if (bytes[at + 1] !== LF) return refuse(head, blame.bad, "a CR without LF");
      head.end = at + 2;
      return "complete";
    }
    const nameStart = at;
    while (at < stop && (CHARS[bytes[at]!]! & NAME) !== 0) at += 1;
    if (at >= stop) return "incomplete";
    let underscored = false;
    if (bytes[at] !== COLON) {
      underscored = bytes[at] === UNDERSCORE;
      while (at < stop && (CHARS[bytes[at]!]! & TOKEN) !== 0) at += 1;
      if (at >= stop) return "incomplete";
    }
    if (bytes[at] !== COLON || at === nameStart) return refuse(head, blame.bad, fieldNameProblem(bytes, nameStart, at));
    const nameEnd = at;
    at += 1;
    while (at < stop && (bytes[at] === SP || bytes[at] === HTAB)) at += 1;
    const valueStart = at;
    while (at < stop && (CHARS[bytes[at]!]! & VALUE) !== 0) at += 1;
    if (at >= stop) return "incomplete";
    if (bytes[at] !== CR)
      return refuse(head, blame.bad, bytes[at] === LF ? "a bare LF" : "a control character in a field's value");
    if (at + 1 >= stop) return "incomplete";
    if (bytes[at + 1] !== LF) return refuse(head, blame.bad, "a CR without LF");
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd -= 1;
    at += 2;
    if (head.count >= limits.fields) return refuse(head, blame.tooLarge, `more than ${limits.fields} fields`);
    const kind = underscored ? FIELD.underscored : fieldKind(bytes, nameStart, nameEnd);
    head.add(kind, nameStart, nameEnd, valueStart, valueEnd);
    if (semantic && kind !== FIELD.other) {
      const outcome = applyField(head, kind, bytes, valueStart, valueEnd, blame);
      if (outcome !== null) return outcome;
    }
  }
}

function fieldNameProblem(bytes: Buffer, start: number, at: number): string {
  const byte = bytes[at];
  if (at === start && (byte === SP || byte === HTAB)) return "a folded line (a line that begins with a space)";
  if (byte === SP || byte === HTAB) return "a space before the colon of a field";
  if (byte === LF) return "a bare LF";
  return at === start ? "a field without a name" : "a character that no field name has";
}

function applyField(
  head: Head,
  kind: number,
  bytes: Buffer,
  start: number,
  end: number,
  blame: Blame,
): ErrorCode | null {
  switch (kind) {
    case FIELD.contentLength:
      return applyContentLength(head, bytes, start, end, blame);
    case FIELD.transferEncoding:
      if (head.framing !== "none")
        return refuse(
          head,
          blame.framing,
          head.framing === "length" ? "both Content-Length and Transfer-Encoding" : "Transfer-Encoding twice",
        );
      // A sender of HTTP/1.0 cannot mean it (RFC 9112 §6.1).
      if (head.minor === 0) return refuse(head, blame.framing, "Transfer-Encoding in HTTP/1.0");
      if (end - start !== CHUNKED.length || !equalsLower(bytes, start, CHUNKED))
        return refuse(head, blame.framing, "a Transfer-Encoding other than chunked");
      head.framing = "chunked";
      return null;
    case FIELD.connection:
      applyConnection(head, bytes, start, end);
      return null;
    case FIELD.upgrade:
      return null;
    case FIELD.expect:
      // HTTP/1.0 has no interim responses (RFC 9110 §10.1.1).
      head.expectContinue = head.minor !== 0 && end - start === CONTINUE.length && equalsLower(bytes, start, CONTINUE);
      return null;
    case FIELD.maxForwards:
      return maxForwards(head, bytes, start, end) === 0 ? refuse(head, blame.bad, "Max-Forwards is at 0") : null;
    case FIELD.te:
      if (end - start === TRAILERS.length && equalsLower(bytes, start, TRAILERS)) head.acceptsTrailers = true;
      return null;
    case FIELD.weirState:
      head.asksToDrain = end - start === DRAIN.length && equalsLower(bytes, start, DRAIN);
      return null;
    case FIELD.weirExplain:
      head.asksWhy = true;
      return null;
    case FIELD.keepAlive: {
      const match = /(?:^|[,\s])timeout=(\d{1,6})/i.exec(head.text(start, end));
      if (match) head.keepAliveSeconds = Number(match[1]);
      return null;
    }
    default:
      return null;
  }
}

/** One field of digits alone. A list or a repetition, even of equal values, is refused: RFC 9112 §6.3 allows it. */
function applyContentLength(head: Head, bytes: Buffer, start: number, end: number, blame: Blame): ErrorCode | null {
  if (head.framing !== "none")
    return refuse(
      head,
      blame.framing,
      head.framing === "chunked" ? "both Content-Length and Transfer-Encoding" : "Content-Length twice",
    );
  let length = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return refuse(head, blame.framing, "a Content-Length that is no number");
    length = length * 10 + digit;
    if (length > Number.MAX_SAFE_INTEGER) return refuse(head, blame.framing, "a Content-Length too large to be true");
  }
  if (start === end) return refuse(head, blame.framing, "an empty Content-Length");
  head.framing = "length";
  head.length = length;
  return null;
}

/** Reads the options of `Connection` (RFC 9110 §7.6.1). Empty elements are allowed and mean nothing. */
function applyConnection(head: Head, bytes: Buffer, start: number, end: number): void {
  let at = start;
  while (at < end) {
    let tokenEnd = at;
    while (tokenEnd < end && bytes[tokenEnd] !== 0x2c) tokenEnd += 1;
    let first = at;
    let last = tokenEnd;
    while (first < last && (bytes[first] === SP || bytes[first] === HTAB)) first += 1;
    while (last > first && (bytes[last - 1] === SP || bytes[last - 1] === HTAB)) last -= 1;
    applyOption(head, bytes, first, last - first);
    at = tokenEnd + 1;
  }
}

function applyOption(head: Head, bytes: Buffer, start: number, length: number): void {
  if (length === 0) return;
  if (length === CLOSE.length && equalsLower(bytes, start, CLOSE)) {
    head.keepAlive = false;
    head.closes = true;
  } else if (length === KEEP_ALIVE.length && equalsLower(bytes, start, KEEP_ALIVE)) {
    if (!head.closes) head.keepAlive = true;
  } else if (length === UPGRADE.length && equalsLower(bytes, start, UPGRADE)) head.upgrade = true;
  // TE goes no further in any case.
  else if (length !== TE.length || !equalsLower(bytes, start, TE)) head.namesFields = true;
}

const CHUNKED = Buffer.from("chunked");
const CONTINUE = Buffer.from("100-continue");
const TRAILERS = Buffer.from("trailers");
const TE = Buffer.from("te");
const DRAIN = Buffer.from("drain");
const CLOSE = Buffer.from("close");
const KEEP_ALIVE = Buffer.from("keep-alive");
const UPGRADE = Buffer.from("upgrade");
