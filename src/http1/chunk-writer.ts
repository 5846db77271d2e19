import type { Head } from "../http/head.ts";
import { FIELD } from "../http/fields.ts";
import { CR, LF } from "./chars.ts";
import { cork } from "../net/cork.ts";
import type { Outbox } from "../net/outbox.ts";

/** A size in hexadecimal has at most 13 digits, and CRLF behind it. */
const SIZE_BYTES = 16;

/** Writes bytes of a body as one chunk (RFC 9112 §7.1). */
export function writeChunk(outbox: Outbox, bytes: Buffer, start: number, end: number): void {
  cork.claim(outbox, SIZE_BYTES);
  cork.used = writeHex(cork.bytes, cork.used, end - start);
  cork.bytes[cork.used++] = CR;
  cork.bytes[cork.used++] = LF;
  outbox.send(bytes, start, end);
  outbox.send(CRLF, 0, 2);
}

/** Ends a chunked body, with the trailers that may pass (RFC 9110 §6.5.1: none that steers framing or routing). */
export function writeLastChunk(outbox: Outbox, trailers: Head | null): void {
  outbox.send(LAST, 0, LAST.length);
  if (trailers !== null) {
    for (let i = 0; i < trailers.count; i++) {
      if (trailers.kind(i) !== FIELD.other) continue;
      outbox.send(trailers.bytes, trailers.nameStart(i), trailers.nameEnd(i));
      outbox.send(COLON, 0, 2);
      outbox.send(trailers.bytes, trailers.valueStart(i), trailers.valueEnd(i));
      outbox.send(CRLF, 0, 2);
    }
  }
  outbox.send(CRLF, 0, 2);
}

/** Writes a number above 0 in hexadecimal. Returns where the output goes on. */
function writeHex(out: Buffer, at: number, value: number): number {
  let digits = 1;
  for (let rest = Math.floor(value / 16); rest > 0; rest = Math.floor(rest / 16)) digits += 1;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    out[i] = HEX_DIGITS[rest % 16]!;
    rest = Math.floor(rest / 16);
  }
  return at + digits;
}

const HEX_DIGITS = Buffer.from("0123456789abcdef");
const LAST = Buffer.from("0\r\n");
const CRLF = Buffer.from("\r\n");
const COLON = Buffer.from(": ");
