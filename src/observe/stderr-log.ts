import { isatty } from "node:tty";
import type { Log, LogFields } from "./log.ts";

type Level = "info" | "warn" | "error";

const COLOUR: Readonly<Record<Level, number>> = { info: 32, warn: 33, error: 31 };

/** One line as JSON: time in ISO 8601, level, event, then the fields. */
export function jsonLine(time: Date, level: Level, event: string, fields: LogFields): string {
  return JSON.stringify({ time: time.toISOString(), level, event, ...fields });
}

/** One line for a terminal: local time, level, event, then `key=value`. */
export function textLine(time: Date, level: Level, event: string, fields: LogFields, colour: boolean): string {
  const paint = (code: number, text: string): string => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  const two = (n: number, digits = 2): string => String(n).padStart(digits, "0");
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${two(time.getMilliseconds(), 3)}`;
  let line = `${paint(2, clock)} ${paint(COLOUR[level], level.toUpperCase().padEnd(5))} ${event.padEnd(15)}`;
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const text = String(value);
    // Quoted where it would be taken for two words; escaped, so that nothing a client sent can move the cursor.
    line += ` ${paint(36, key)}=${/^[\w.:/@+%[\]-]+$/.test(text) ? text : JSON.stringify(text)}`;
  }
  return line.trimEnd();
}

/** Lines that may wait for a reader of stderr that has stopped reading; later ones are dropped and counted. */
const MOST_WAITING = 1000;

/** Writes lines to stderr without ever waiting for who reads it. */
class StderrLines {
  readonly #sink = Bun.stderr.writer({ highWaterMark: 1 });
  #waiting = 0;
  #dropped = 0;
  #last: Promise<unknown> = Promise.resolve();

  write(line: string): void {
    if (this.#waiting >= MOST_WAITING) {
      this.#dropped += 1;
      return;
    }
    const missing = this.#dropped === 0 ? "" : `(${this.#dropped} lines dropped: nobody read them)\n`;
    this.#dropped = 0;
    const taken: unknown = this.#sink.write(`${missing}${line}\n`);
    if (!(taken instanceof Promise)) return;
    this.#waiting += 1;
    const done = (): void => {
      this.#waiting -= 1;
    };
    // Nobody is there to be told that the reader has gone.
    this.#last = taken.then(done, done);
  }

  async flush(timeoutMs: number): Promise<void> {
    await Promise.race([this.#last, Bun.sleep(timeoutMs)]);
  }
}

let lines: StderrLines | null = null;

/**
 * The log of Weir's own processes: one line for each event on stderr, readable on a terminal, JSON otherwise.
 * Never blocks; colours respect `NO_COLOR`.
 * @param context fields that every line carries
 */
export function stderrLog(context: LogFields = {}): Log {
  const out = (lines ??= new StderrLines());
  const terminal = isatty(2);
  const colour = terminal && !process.env["NO_COLOR"];
  const write = (level: Level, event: string, fields: LogFields = {}): void => {
    const all = { ...context, ...fields };
    const now = new Date();
    out.write(terminal ? textLine(now, level, event, all, colour) : jsonLine(now, level, event, all));
  };
  return {
    info: (event, fields) => write("info", event, fields),
    warn: (event, fields) => write("warn", event, fields),
    error: (event, fields) => write("error", event, fields),
  };
}

/** Waits until what was logged has been written, at most this long. To be awaited before the process ends. */
export async function flushLog(timeoutMs = 500): Promise<void> {
  await lines?.flush(timeoutMs);
}
