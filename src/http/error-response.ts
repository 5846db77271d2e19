import { STATUS_CODES } from "node:http";
import { type ErrorCode, ERRORS } from "../errors.ts";
import { buildResponseHead } from "./build-head.ts";
import type { Head } from "./head.ts";

/** A response that Weir sends in place of a backend's. */
export interface ErrorResponse {
  readonly head: Head;
  readonly body: Buffer;
}

/**
 * The response that tells a client of an error: a short plain text and `Proxy-Status` (RFC 9209) with the cause.
 * @param detail what exactly happened; reaches the client, and so names no address of a backend
 * @param retryAfterSeconds when it may be tried again (RFC 9110 §10.2.3); `null` where nobody can say
 * @param status for a code that is not always answered
 */
export function errorResponse(
  code: ErrorCode,
  detail: string,
  retryAfterSeconds: number | null = null,
  status: number = ERRORS[code].status,
): ErrorResponse {
  const { proxyStatus, meaning } = ERRORS[code];
  const reason = STATUS_CODES[status] ?? "Error";
  const body = Buffer.from(`${status} ${reason}\n${meaning}${detail === "" ? "" : ` (${detail})`}\n${code}\n`);
  const details = detail === "" ? code : `${code}: ${detail}`;
  const fields: [string, string][] = [
    ["Content-Type", "text/plain; charset=utf-8"],
    ["Cache-Control", "no-store"],
    ["Proxy-Status", `weir; error=${proxyStatus}; details="${toStructuredString(details)}"`],
  ];
  if (retryAfterSeconds !== null) fields.push(["Retry-After", String(retryAfterSeconds)]);
  return { head: buildResponseHead(status, reason, fields, body.length), body };
}

/** The line that says in a backend's own error response why no other backend was asked (RFC 9209 §2). */
export function notRetried(why: string): Buffer {
  return Buffer.from(`Proxy-Status: weir; details="not retried: ${toStructuredString(why)}"\r\n`);
}

/** Text inside a string of RFC 8941 §3.3.3: visible ASCII, quotes and backslashes escaped. */
function toStructuredString(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&");
}
