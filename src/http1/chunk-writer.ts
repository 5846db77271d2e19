import type { Head } from "../http/head.ts";
import { FIELD } from "../http/fields.ts";
import { cork } from "../net/cork.ts";
import type { Outbox } from "../net/outbox.ts";

/** A size in hexadecimal has at most 13 digits, and CRLF behind it. */
const SIZE_BYTES = 16;

/** Writes bytes of a body as one chunk (RFC 9112 §7.1). */
export function writeChunk(outbox: Outbox, bytes: Buffer, start: number, end: number): void {
  cork.claim(outbox, SIZE_BYTES);
  cork.used += cork.bytes.write(`${(end - start).toString(16)}\r\n`, cork.used, "latin1");
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

const LAST = Buffer.from("0\r\n");
const CRLF = Buffer.from("\r\n");
const COLON = Buffer.from(": ");
