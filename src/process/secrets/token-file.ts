import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { type ErrorCode, WeirError } from "../../errors.ts";

/** More is no token: a bound on what is read. */
const MOST_BYTES = 4096;

/**
 * Reads a token from a file, without the space around it. What opens here is what is looked at, and not what may have come in its place since.
 * @param wrong what is wrong with the text; `null` where nothing is
 * @throws the code, where others may read the file, or it holds no such token
 */
export function readTokenFile(path: string, code: ErrorCode, wrong: (token: string) => string | null): string {
  const unsafe = (why: string): WeirError => new WeirError(code, `${path} ${why}`);
  let fd: number;
  try {
    // Not waiting: it might be a pipe that nobody writes to.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw unsafe(`cannot be read: ${error instanceof Error && "code" in error ? String(error.code) : String(error)}`);
  }
  try {
    const { mode, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw unsafe("is no file");
    // The group may read it: that is how a service is given one.
    if ((mode & 0o007) !== 0)
      throw unsafe(`is open to others, its mode is ${(mode & 0o777).toString(8).padStart(4, "0")}`);
    if (size > MOST_BYTES) throw unsafe(`holds no token, but ${size} bytes`);
    const token = readFileSync(fd, "utf8").trim();
    const why = wrong(token);
    if (why !== null) throw unsafe(why);
    return token;
  } finally {
    closeSync(fd);
  }
}
