import type { Clock } from "../clock.ts";
import { type ErrorCode, ERRORS } from "../errors.ts";
import type { Log, LogFields } from "./log.ts";

/** In this time an event that repeats is told of once, and then how often it was. */
const QUIET_MS = 10_000;
/** Events that are remembered at a time, about 300 bytes each; while there are more, what is new is told of each time. */
const MOST_EVENTS = 1000;

/**
 * Told of each time: a write is to be found in the log whatever came just before it, and what tells of losses does so every ten seconds as it is,
 * with a number that is not in the next one.
 */
const EACH: ReadonlySet<string> = new Set(["admin write", "access log lines lost", "traces lost"]);

/** Calls something after so many milliseconds. */
export type Later = (milliseconds: number, call: () => void) => void;

const systemLater: Later = (milliseconds, call) => {
  // A summary that is still to come keeps no process alive.
  setTimeout(call, milliseconds).unref();
};

interface Repeats {
  count: number;
  readonly level: "warn" | "error";
  readonly event: string;
  fields: LogFields;
}

/**
 * A log in which warnings and errors that repeat are told of at once the first time, and then as one summary every ten seconds:
 * the last of them, with `more` that there were. Two are the same if event, code and what they are about are.
 * What is said at level `info` passes, and so do writes and losses. Where there is a code, `what` and `mend` of the table of errors are told with it.
 */
export function limitedLog(log: Log, clock: Clock, later: Later = systemLater): Log {
  const quiet = new Map<string, Repeats>();
  const say = (level: "warn" | "error", event: string, given: LogFields = {}): void => {
    const fields = withMend(given);
    if (EACH.has(event)) {
      log[level](event, fields);
      return;
    }
    const key = keyOf(level, event, fields);
    const known = quiet.get(key);
    if (known !== undefined) {
      known.count += 1;
      known.fields = fields;
      return;
    }
    log[level](event, fields);
    if (quiet.size >= MOST_EVENTS) return;
    quiet.set(key, { count: 0, level, event, fields });
    watch(key, clock.now());
  };
  const watch = (key: string, since: number): void => {
    later(QUIET_MS, () => {
      const repeats = quiet.get(key);
      if (repeats === undefined) return;
      const { count, level, event, fields } = repeats;
      if (count === 0) {
        quiet.delete(key);
        return;
      }
      const now = clock.now();
      repeats.count = 0;
      log[level](event, { ...fields, more: count, inMs: Math.round(now - since) });
      watch(key, now);
    });
  };
  return {
    info: (event, fields) => log.info(event, fields),
    warn: (event, fields) => say("warn", event, fields),
    error: (event, fields) => say("error", event, fields),
  };
}

/** Says what a code means and how to mend it, where whoever told it has not. */
function withMend(fields: LogFields): LogFields {
  const { code } = fields;
  if (typeof code !== "string" || !Object.hasOwn(ERRORS, code)) return fields;
  const { meaning: what, mend } = ERRORS[code as ErrorCode];
  return { ...fields, what: fields["what"] ?? what, mend: fields["mend"] ?? mend };
}

/** What an event is about. Numbers of workers and processes are parts of it: two that die are not a repetition. */
const ABOUT = ["code", "listener", "pool", "backend", "worker", "pid", "to", "file", "attempt"] as const;

function keyOf(level: string, event: string, fields: LogFields): string {
  let key = `${level} ${event}`;
  for (const name of ABOUT) key += `\0${fields[name] ?? ""}`;
  return key;
}
