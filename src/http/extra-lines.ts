import type { Head } from "./head.ts";

/** Adds a field line, with its CRLF, to what is sent with a request or response. */
export function addLine(head: Head, line: Buffer): void {
  head.extra = head.extra === null ? line : Buffer.concat([head.extra, line]);
}
