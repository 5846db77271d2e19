import type { WriteLine } from "./access-template.ts";
import { MOST_LINE } from "./access-json.ts";
import type { ExchangeRecord } from "./exchange-record.ts";
import { LineWriter } from "./line-writer.ts";
import type { Log } from "./log.ts";

/** Where lines go: a file, the standard output, syslog. */
export interface LineTarget {
  /** What messages call it. */
  readonly name: string;
  /**
   * Writes whole lines, never waiting for a slow reader on this thread.
   * @returns why some were lost, and how many; `null` where none was
   */
  write(bytes: Buffer, end: number): Promise<Loss | null>;
  /** Opens it anew at the next write: whoever rotates files has moved the old one. */
  reopen(): void;
  /** Gives up what it holds until the next write. */
  release(): void;
}

/** Lines that could not be written. */
export interface Loss {
  readonly lines: number;
  readonly why: string;
}

/** Lines are written when there are so many bytes of them, or when the first of them is so old. */
const BATCH_BYTES = 64 * 1024;
const BATCH_MS = 100;
/** Bytes that may wait for a slow disk or reader, in each of two buffers; later lines are dropped and counted. */
const WAITING_BYTES = 2 * 1024 * 1024;
/** How often a loss that goes on is told of. */
const TOLD_MS = 10_000;

/**
 * Gathers lines and writes them behind the data path's back: one buffer is filled while the other is written. A line costs what
 * its formatting costs; nothing waits for anybody. Two buffers of 2 MiB, of which the system gives what is used.
 */
export class LineSink {
  readonly #target: LineTarget;
  readonly #log: Log;
  #filling: LineWriter = new LineWriter(WAITING_BYTES);
  #spare: LineWriter = new LineWriter(WAITING_BYTES);
  #writing: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #retired = false;
  #lost = 0;
  #why = "";
  #toldMs = Number.NEGATIVE_INFINITY;
  /** Tells what was lost last, also where no more is. */
  #telling: ReturnType<typeof setTimeout> | null = null;
  readonly #counted: (lines: number) => void;
  /** Lines lost since the beginning. */
  lost = 0;

  /** @param counted is told of lines that are lost */
  constructor(target: LineTarget, log: Log, counted: (lines: number) => void = () => {}) {
    this.#target = target;
    this.#log = log;
    this.#counted = counted;
  }

  /** Adds a line, or drops it where too much waits already. */
  add(record: ExchangeRecord, write: WriteLine): void {
    const out = this.#filling;
    if (out.at + MOST_LINE > WAITING_BYTES) {
      this.#lose(1, "what waits to be written has reached its bound");
      return;
    }
    write(out, record);
    out.bytes[out.at++] = LF;
    if (this.#writing !== null) return;
    if (out.at >= BATCH_BYTES) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), BATCH_MS);
  }

  /** Goes on in a new file; no line is lost. */
  reopen(): void {
    this.#target.reopen();
  }

  /** No plan names it any more: it is kept open only while something is written. */
  retire(): void {
    this.#retired = true;
    this.#rest();
  }

  /** A plan names it again. */
  revive(): void {
    this.#retired = false;
  }

  /** Writes what is gathered. Fulfilled when all of it is written or lost, or after that time. */
  async flush(timeoutMs: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, timeoutMs);
    await Promise.race([this.#flushed(), late.promise]);
    clearTimeout(timer);
  }

  async #flushed(): Promise<void> {
    while (this.#writing !== null || this.#filling.at > 0) {
      if (this.#writing === null) this.#write();
      await this.#writing;
    }
    this.#tell();
  }

  #write(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const out = this.#filling;
    this.#filling = this.#spare;
    this.#spare = out;
    const failed = (error: unknown): Loss => ({ lines: linesIn(out.bytes, 0, out.at), why: String(error) });
    const written = this.#target.write(out.bytes, out.at).catch(failed);
    this.#writing = written.then((loss) => {
      out.at = 0;
      this.#writing = null;
      if (loss !== null) this.#lose(loss.lines, loss.why);
      if (this.#filling.at >= BATCH_BYTES) this.#write();
      else if (this.#filling.at > 0) this.#timer ??= setTimeout(() => this.#write(), BATCH_MS);
      else this.#rest();
    });
  }

  #rest(): void {
    if (this.#retired && this.#writing === null && this.#filling.at === 0) this.#target.release();
  }

  #lose(lines: number, why: string): void {
    this.lost += lines;
    this.#lost += lines;
    this.#counted(lines);
    this.#why = why;
    this.#tellInTime();
  }

  /** The first loss at once, then how many there were. */
  #tellInTime(): void {
    const waitMs = this.#toldMs + TOLD_MS - performance.now();
    if (waitMs <= 0) this.#tell();
    // It keeps no process alive: one that drains tells by `flush`.
    else this.#telling ??= setTimeout(() => this.#tell(), waitMs).unref();
  }

  #tell(): void {
    if (this.#telling !== null) clearTimeout(this.#telling);
    this.#telling = null;
    if (this.#lost === 0) return;
    this.#toldMs = performance.now();
    this.#log.warn("access log lines lost", {
      code: "ACCESS_LOG_LOST",
      to: this.#target.name,
      lines: this.#lost,
      reason: this.#why,
    });
    this.#lost = 0;
  }
}

const LF = 0x0a;

/** How many lines there are in a part of a buffer. */
export function linesIn(bytes: Uint8Array, start: number, end: number): number {
  let lines = 0;
  for (let i = start; i < end; i++) if (bytes[i] === LF) lines += 1;
  return lines;
}
