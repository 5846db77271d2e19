import { createHash, timingSafeEqual } from "node:crypto";
import { readTokenFile } from "../process/secrets/token-file.ts";

/** Shorter ones can be guessed. */
const LEAST_BYTES = 16;

/**
 * Reads the token of the admin API, without the space around it.
 * @throws ADMIN_TOKEN_UNSAFE where others may read the file, or it holds none
 */
export function readToken(path: string): string {
  return readTokenFile(path, "ADMIN_TOKEN_UNSAFE", (token) => {
    const bytes = Buffer.byteLength(token);
    if (bytes < LEAST_BYTES) return `holds ${bytes} bytes, and a token has at least ${LEAST_BYTES}`;
    return /^[\u0021-\u007e]+$/.test(token) ? null : "holds signs that a header field cannot carry";
  });
}

/** Whether the `Authorization` of a request shows the token. How long it takes says nothing of either, but how long the given one is. */
export function showsToken(authorization: string | null, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1] ?? "";
  return timingSafeEqual(digest(given), digest(token)) && given !== "";
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
