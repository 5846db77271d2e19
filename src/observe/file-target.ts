import { close, constants, fstatSync, open, openSync, write } from "node:fs";
import { WeirError } from "../errors.ts";
import { type LineTarget, linesIn, type Loss } from "./line-sink.ts";

/** Who may read a log that Weir makes: its user and group. It holds addresses of people. */
const MODE = 0o640;
/** Of a pipe by name, neither opening nor writing waits for its reader (fifo(7)); a file does not mind. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOCTTY | constants.O_NONBLOCK;
/** Up to here a write to a pipe is not mixed with those of others (PIPE_BUF of Linux, pipe(7)). */
const PIPE_BYTES = 4096;
/** How long to wait with a reader that keeps its end of a pipe full, where the descriptor does not wait by itself. */
const FULL_MS = 10;

/**
 * Lines in a file, which several workers append to: the system puts each write whole at its end (O_APPEND, write(2)). Writes
 * happen on a thread of the runtime.
 */
export class FileTarget implements LineTarget {
  readonly name: string;
  readonly #path: string;
  #fd: number | null;
  /** Bytes that are written at a time. */
  #most: number;
  #reopen = false;
  /** Whether the last write ended within a line. */
  #torn = false;

  /**
   * Opens it, so that what is wrong is known before anything is accepted.
   * @throws ACCESS_LOG_UNUSABLE
   */
  constructor(path: string) {
    this.name = path;
    this.#path = path;
    try {
      this.#fd = openSync(path, FLAGS, MODE);
      this.#most = mostOf(this.#fd);
    } catch (error) {
      throw unusable(path, error);
    }
  }

  async write(bytes: Buffer, end: number): Promise<Loss | null> {
    if (this.#reopen || this.#fd === null) await this.#open();
    const fd = this.#fd;
    if (fd === null) return { lines: linesIn(bytes, 0, end), why: "the file cannot be opened" };
    if (this.#torn) await writeAll(fd, NEWLINE, 0, 1);
    const { written, why } = await writeLines(fd, bytes, end, this.#most);
    this.#torn = written === 0 ? this.#torn : bytes[written - 1] !== LF;
    return why === null ? null : { lines: linesIn(bytes, written, end), why };
  }

  reopen(): void {
    this.#reopen = true;
  }

  release(): void {
    const fd = this.#fd;
    this.#fd = null;
    if (fd !== null) close(fd, () => {});
  }

  /** Opens the path anew; where that fails, the file that is open goes on. */
  async #open(): Promise<void> {
    const fd = await new Promise<number | null>((resolve) => {
      open(this.#path, FLAGS, MODE, (error, opened) => resolve(error === null ? opened : null));
    });
    if (fd === null) return;
    this.release();
    this.#fd = fd;
    this.#most = mostOf(fd);
    this.#torn = false;
    this.#reopen = false;
  }
}

/** Lines on the standard output: of a terminal or a pipe in pieces that are not mixed with those of other workers. */
export class StdoutTarget implements LineTarget {
  readonly name = "stdout";
  readonly #fd: number;
  readonly #most: number;

  /** @param fd another descriptor than that of the standard output, for tests */
  constructor(fd = 1) {
    this.#fd = fd;
    try {
      this.#most = mostOf(fd);
    } catch (error) {
      throw unusable("stdout", error);
    }
  }

  async write(bytes: Buffer, end: number): Promise<Loss | null> {
    const { written, why } = await writeLines(this.#fd, bytes, end, this.#most);
    return why === null ? null : { lines: linesIn(bytes, written, end), why };
  }

  reopen(): void {}

  release(): void {}
}

function mostOf(fd: number): number {
  return fstatSync(fd).isFile() ? Number.POSITIVE_INFINITY : PIPE_BYTES;
}

/** Where a piece of whole lines ends that is no longer than that; a longer line is a piece of its own. */
function wholeLines(bytes: Buffer, start: number, end: number, most: number): number {
  if (end - start <= most) return end;
  const last = bytes.lastIndexOf(LF, start + most - 1);
  return last >= start ? last + 1 : bytes.indexOf(LF, start) + 1;
}

/** Up to where it was written, and why no further. */
interface Written {
  readonly written: number;
  readonly why: string | null;
}

/** Writes lines, in pieces of whole ones. */
async function writeLines(fd: number, bytes: Buffer, end: number, most: number): Promise<Written> {
  let at = 0;
  while (at < end) {
    const result = await writeAll(fd, bytes, at, wholeLines(bytes, at, end, most));
    if (result.why !== null) return result;
    at = result.written;
  }
  return { written: at, why: null };
}

/** Writes all of a range. */
async function writeAll(fd: number, bytes: Buffer, start: number, end: number): Promise<Written> {
  let at = start;
  while (at < end) {
    const result = await writeOnce(fd, bytes, at, end - at);
    if (typeof result === "number") at += result;
    else if (result === "EAGAIN") await Bun.sleep(FULL_MS);
    else return { written: at, why: result };
  }
  return { written: at, why: null };
}

function writeOnce(fd: number, bytes: Buffer, at: number, length: number): Promise<number | string> {
  return new Promise((resolve) => {
    write(fd, bytes, at, length, null, (error, written) =>
      resolve(error === null ? written : (error.code ?? error.message)),
    );
  });
}

function unusable(path: string, error: unknown): WeirError {
  const { code = String(error) } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  const user = process.geteuid?.();
  const who = user === undefined ? "" : ` by the user with number ${user}, as whom workers run`;
  return new WeirError("ACCESS_LOG_UNUSABLE", `${path} cannot be opened${who}: ${code}`, error);
}

const LF = 0x0a;
const NEWLINE = Buffer.from("\n");
