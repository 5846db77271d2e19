import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { isExplainToken } from "../config/explain-parts.ts";
import { WeirError } from "../errors.ts";
import type { Plan } from "../plan.ts";

/** More is no token: a bound on what is read. */
const MOST_BYTES = 4096;

/**
 * Fills in the token of `explain` where it is in a file. Read by the supervisor: workers may not be allowed to.
 * @throws EXPLAIN_TOKEN_UNSAFE where others may read the file, or it holds none
 */
export function withExplainToken(plan: Plan): Plan {
  const { explain } = plan;
  if (explain === undefined || explain.token !== null || explain.tokenFile === null) return plan;
  return { ...plan, explain: { ...explain, token: readExplainToken(explain.tokenFile) } };
}

function readExplainToken(path: string): string {
  const unsafe = (why: string): WeirError => new WeirError("EXPLAIN_TOKEN_UNSAFE", `${path} ${why}`);
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
    if (!isExplainToken(token)) throw unsafe("holds no 16 to 256 visible ASCII characters");
    return token;
  } finally {
    closeSync(fd);
  }
}
