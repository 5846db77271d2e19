import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { WeirError } from "../../errors.ts";
import type { Plan } from "../../plan.ts";
import { withExplainToken } from "./explain-token.ts";

/** The file in the state folder: the secret as text, so that it can be copied into a configuration. */
const FILE = "affinity-secret";
/** Bytes of a new secret: as many as the hash gives (RFC 2104 §3). */
const NEW_BYTES = 32;
/** As short as one in a configuration may be. */
const LEAST_BYTES = 16;
/** More is no secret of ours: a bound on what is read. */
const MOST_BYTES = 4096;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Fills in the generated secret where a pool with affinity sets none; made at the first start, and then the same for all Weirs of this
 * user. Touches no file where no pool needs it. For whoever is about to run a plan, not for those who only check it.
 * @param known the generated one where it was read before: it stays the same as long as Weir runs, whatever becomes of the file
 * @throws STATE_UNUSABLE, SECRET_UNSAFE, EXPLAIN_TOKEN_UNSAFE
 */
export function withSecrets(given: Plan, environment: Environment = process.env, known: string | null = null): Plan {
  const plan = withExplainToken(given);
  if (!plan.pools.some(({ affinity }) => affinity !== null && affinity.secret === null)) return plan;
  const secret = known ?? persistedSecret(plan.stateFolder ?? usualStateFolder(environment));
  return {
    ...plan,
    pools: plan.pools.map((pool) => {
      const { affinity } = pool;
      return affinity === null || affinity.secret !== null ? pool : { ...pool, affinity: { ...affinity, secret } };
    }),
  };
}

/** Where state of programs of this user is kept. XDG Base Directory Specification 0.8: a relative path is to be ignored. */
export function usualStateFolder(environment: Environment): string {
  const named = environment["XDG_STATE_HOME"];
  if (named !== undefined && isAbsolute(named)) return join(named, "weir");
  const home = environment["HOME"];
  return join(home !== undefined && isAbsolute(home) ? home : homedir(), ".local", "state", "weir");
}

/**
 * The secret of a state folder, made where there is none yet. Of several Weirs that start at a time one makes it and all read it.
 * @throws STATE_UNUSABLE where it can be neither read nor made
 * @throws SECRET_UNSAFE where others may read it, or it is too short
 */
export function persistedSecret(folder: string): string {
  const path = join(folder, FILE);
  const found = readSecret(path);
  if (found !== null) return found;
  attempt(path, "made", () => createSecret(folder, path));
  const made = readSecret(path);
  if (made === null) throw new WeirError("STATE_UNUSABLE", `${path} was removed while Weir started`);
  return made;
}

function readSecret(path: string): string | null {
  return attempt(path, "read", () => {
    let fd: number;
    try {
      // Not waiting: it might be a pipe that nobody writes to.
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return null;
      throw error;
    }
    try {
      return checked(path, fd);
    } finally {
      closeSync(fd);
    }
  });
}

/** Reads what was opened, and not what may have come in its place since. */
function checked(path: string, fd: number): string {
  const { mode, uid, size } = fstatSync(fd);
  const unsafe = (why: string): WeirError => new WeirError("SECRET_UNSAFE", `${path} ${why}`);
  if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw unsafe("is no file");
  if ((mode & 0o077) !== 0)
    throw unsafe(`is open to others, its mode is ${(mode & 0o777).toString(8).padStart(4, "0")}`);
  if (uid !== process.geteuid?.()) throw unsafe("belongs to another user");
  if (size > MOST_BYTES) throw unsafe(`holds no secret, but ${size} bytes`);
  const secret = readFileSync(fd, "utf8").trim();
  const bytes = Buffer.byteLength(secret);
  if (bytes < LEAST_BYTES) throw unsafe(`holds only ${bytes} bytes, and a secret has at least ${LEAST_BYTES}`);
  return secret;
}

/** Writes it whole under another name first: nobody ever sees a part of it, and it takes the place of none that is there. */
function createSecret(folder: string, path: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}-${crypto.randomUUID()}`;
  const fd = openSync(draft, "wx", 0o600);
  try {
    const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(NEW_BYTES))).toString("base64url");
    writeSync(fd, `${secret}\n`);
    fsyncSync(fd);
    linkSync(draft, path);
  } catch (error) {
    // Another Weir was faster.
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    closeSync(fd);
    unlinkSync(draft);
  }
}

/** Says of which file an error of the system is. */
function attempt<T>(path: string, what: "read" | "made", action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof WeirError) throw error;
    const reason = codeOf(error) ?? String(error);
    throw new WeirError("STATE_UNUSABLE", `${path} cannot be ${what}: ${reason}`, error);
  }
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
