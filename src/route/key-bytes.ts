/** Parts of a request as bytes of a CRC-32: each function gives the state after them, and the state as it was where there are none. */
import { crc32Byte, crc32Bytes } from "../balance/crc32.ts";
import { FIELD } from "../http/fields.ts";
import type { Head } from "../http/head.ts";
import type { RequestFields } from "../pool/affinity.ts";
import { pathOf } from "./request-key.ts";

const TAB = 0x09;
const SPACE = 0x20;
const PERCENT = 0x25;
const AMPERSAND = 0x26;
const PLUS = 0x2b;
const COMMA = 0x2c;
const DOT = 0x2e;
const SLASH = 0x2f;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUESTION_MARK = 0x3f;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

const COOKIE = Buffer.from("cookie");

/** Text that is ASCII, such as an address. */
export function withText(crc: number, text: string): number {
  let state = crc;
  for (let i = 0; i < text.length; i++) state = crc32Byte(state, text.charCodeAt(i));
  return state;
}

/** The path as `pathOf` gives it. */
export function withPath(crc: number, request: Head): number {
  const { bytes, targetStart, targetEnd } = request;
  let end = targetStart;
  for (; end < targetEnd && bytes[end] !== QUESTION_MARK; end++) {
    const byte = bytes[end];
    if (byte === PERCENT || (byte === DOT && bytes[end - 1] === SLASH)) return withText(crc, pathOf(request));
  }
  return end === targetStart ? withText(crc, pathOf(request)) : crc32Bytes(crc, bytes, targetStart, end);
}

/** The host as `hostOf` gives it: in lower case, without port and final dot. */
export function withHost(crc: number, { bytes, authorityStart, authorityEnd }: Head): number {
  let end = authorityEnd;
  for (let at = authorityEnd - 1; at >= authorityStart && bytes[at] !== CLOSE_BRACKET; at--) {
    if (bytes[at] !== COLON) continue;
    end = at;
    break;
  }
  if (end > authorityStart && bytes[end - 1] === DOT) end -= 1;
  let state = crc;
  for (let at = authorityStart; at < end; at++) state = crc32Byte(state, lower(bytes[at]!));
  return state;
}

/**
 * The value of a field; of several their values with a comma and a space between, as if they were one (RFC 9110 §5.3).
 * @param name in lower case
 */
export function withHeader(crc: number, request: Head, name: Buffer): number {
  let state = crc;
  let some = false;
  for (let i = 0; i < request.count; i++) {
    const start = request.valueStart(i);
    const end = request.valueEnd(i);
    if (start === end || !isNamed(request, i, name)) continue;
    if (some) state = crc32Byte(crc32Byte(state, COMMA), SPACE);
    state = crc32Bytes(state, request.bytes, start, end);
    some = true;
  }
  return state;
}

/** Where something stands in the bytes of a request. */
export interface Range {
  start: number;
  end: number;
}

/** Filled anew for each cookie: one object for all. */
const FOUND: Range = { start: 0, end: 0 };

/** The value of the first cookie of a name. */
export function withCookie(crc: number, request: Head, name: Buffer): number {
  return findCookie(request, name, FOUND) ? crc32Bytes(crc, request.bytes, FOUND.start, FOUND.end) : crc;
}

/**
 * Finds the first cookie of a name, in whichever field (RFC 6265 §4.2.1; HTTP/2 may send one field a cookie). O(bytes of cookies).
 * @param into is told where its value stands
 * @returns whether there is one
 */
export function findCookie(request: RequestFields, name: Buffer, into: Range): boolean {
  const { bytes } = request;
  for (let i = 0; i < request.count; i++) {
    if (!isNamed(request, i, COOKIE)) continue;
    const last = request.valueEnd(i);
    for (let start = request.valueStart(i), end = start; start < last; start = end + 1) {
      start = afterSpace(bytes, start, last);
      end = find(bytes, SEMICOLON, start, last);
      const equals = start + name.length;
      if (equals >= end || bytes[equals] !== EQUALS || name.compare(bytes, start, equals) !== 0) continue;
      into.start = afterSpace(bytes, equals + 1, end);
      into.end = beforeSpace(bytes, into.start, end);
      return true;
    }
  }
  return false;
}

/**
 * The value of the first parameter of a name, decoded.
 * @param name decoded
 */
export function withQuery(crc: number, request: Head, name: Buffer): number {
  const { bytes, targetEnd } = request;
  let start = find(bytes, QUESTION_MARK, request.targetStart, targetEnd) + 1;
  while (start < targetEnd) {
    const end = find(bytes, AMPERSAND, start, targetEnd);
    const equals = find(bytes, EQUALS, start, end);
    if (isDecoded(bytes, start, equals, name)) return withDecoded(crc, bytes, equals + 1, end);
    start = end + 1;
  }
  return crc;
}

/** The last address of `X-Forwarded-For`, without the port that some proxies write beside it. */
export function withForwarded(crc: number, request: Head): number {
  const { bytes } = request;
  for (let i = request.count - 1; i >= 0; i--) {
    if (request.kind(i) !== FIELD.xForwardedFor) continue;
    const end = beforeSpace(bytes, request.valueStart(i), request.valueEnd(i));
    let start = end;
    while (start > request.valueStart(i) && bytes[start - 1] !== COMMA) start -= 1;
    return withAddress(crc, bytes, afterSpace(bytes, start, end), end);
  }
  return crc;
}

/** `192.0.2.7:4711` and `[2001:db8::7]:4711` without port and brackets; an IPv6 address without brackets has no port. */
function withAddress(crc: number, bytes: Buffer, start: number, end: number): number {
  if (bytes[start] === OPEN_BRACKET) return crc32Bytes(crc, bytes, start + 1, find(bytes, CLOSE_BRACKET, start, end));
  const colon = find(bytes, COLON, start, end);
  const more = colon < end && find(bytes, COLON, colon + 1, end) < end;
  return crc32Bytes(crc, bytes, start, more ? end : colon);
}

/** Where a byte is first, `end` where it is not. */
function find(bytes: Buffer, byte: number, start: number, end: number): number {
  for (let at = start; at < end; at++) if (bytes[at] === byte) return at;
  return end;
}

function afterSpace(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
  return at;
}

function beforeSpace(bytes: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && (bytes[at - 1] === SPACE || bytes[at - 1] === TAB)) at -= 1;
  return at;
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

function isNamed(request: RequestFields, index: number, name: Buffer): boolean {
  const start = request.nameStart(index);
  if (request.nameEnd(index) - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (lower(request.bytes[start + i]!) !== name[i]) return false;
  return true;
}

/** Whether bytes, decoded, are the name. */
function isDecoded(bytes: Buffer, start: number, end: number, name: Buffer): boolean {
  let i = 0;
  for (let at = start; at < end; at += lengthAt(bytes, at, end), i++) {
    if (i === name.length || decodedAt(bytes, at, end) !== name[i]) return false;
  }
  return i === name.length;
}

function withDecoded(crc: number, bytes: Buffer, start: number, end: number): number {
  let state = crc;
  for (let at = start; at < end; at += lengthAt(bytes, at, end)) state = crc32Byte(state, decodedAt(bytes, at, end));
  return state;
}

/** How many bytes stand for one: three where they are an escape. */
function lengthAt(bytes: Buffer, at: number, end: number): number {
  return bytes[at] === PERCENT && at + 2 < end && isHex(bytes[at + 1]!) && isHex(bytes[at + 2]!) ? 3 : 1;
}

function decodedAt(bytes: Buffer, at: number, end: number): number {
  if (bytes[at] === PLUS) return SPACE;
  return lengthAt(bytes, at, end) === 1 ? bytes[at]! : (hexValue(bytes[at + 1]!) << 4) | hexValue(bytes[at + 2]!);
}

function isHex(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (lower(byte) >= 0x61 && lower(byte) <= 0x66);
}

function hexValue(byte: number): number {
  return byte <= 0x39 ? byte - 0x30 : lower(byte) - 0x57;
}
