import type { Head } from "./head.ts";

/** Adds a field line, with its CRLF, to what is sent with a response. */
export function addLine(response: Head, line: Buffer): void {
  response.extra = response.extra === null ? line : Buffer.concat([response.extra, line]);
}
