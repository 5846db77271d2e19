import { createHash, timingSafeEqual } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { WeirError } from "../errors.ts";

/** Shorter ones can be guessed. */
const LEAST_BYTES = 16;
/** More is no token: a bound on what is read. */
const MOST_BYTES = 4096;

/**
 * Reads the token of the admin API, without the space around it.
 * @throws ADMIN_TOKEN_UNSAFE where others may read the file, or it holds none
 */
export function readToken(path: string): string {
  const unsafe = (why: string): WeirError => new WeirError("ADMIN_TOKEN_UNSAFE", `${path} ${why}`);
  let fd: number;
  try {
    // Not waiting: it might be a pipe that nobody writes to.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw unsafe(`cannot be read: ${code}`);
  }
  try {
    const { mode, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw unsafe("is no file");
    // The group may read it: that is how a service is given one.
    if ((mode & 0o007) !== 0)
      throw unsafe(`is open to others, its mode is ${(mode & 0o777).toString(8).padStart(4, "0")}`);
    if (size > MOST_BYTES) throw unsafe(`holds no token, but ${size} bytes`);
    const token = readFileSync(fd, "utf8").trim();
    const bytes = Buffer.byteLength(token);
    if (bytes < LEAST_BYTES) throw unsafe(`holds ${bytes} bytes, and a token has at least ${LEAST_BYTES}`);
    if (!/^[\u0021-\u007e]+$/.test(token)) throw unsafe("holds signs that a header field cannot carry");
    return token;
  } finally {
    closeSync(fd);
  }
}

/** Whether the `Authorization` of a request shows the token. How long it takes says nothing of either, but how long the given one is. */
export function showsToken(authorization: string | null, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1] ?? "";
  return timingSafeEqual(digest(given), digest(token)) && given !== "";
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
