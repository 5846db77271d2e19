import type { Log, LogFields } from "../../observe/log.ts";
import type { Level } from "../events.ts";

/** Of what a worker says without a warning, that which tells what Weir does: others hear of it too. */
const TELLING: ReadonlySet<string> = new Set(["room again", "listener paused", "listener resumed"]);

/** A worker's log, whose warnings, errors and telling lines the supervisor hears of. */
export function told(log: Log, tell: (level: Level, event: string, fields: LogFields) => void): Log {
  const both =
    (level: Level) =>
    (event: string, fields?: LogFields): void => {
      log[level](event, fields);
      if (level !== "info" || TELLING.has(event)) tell(level, event, fields ?? {});
    };
  return { info: both("info"), warn: both("warn"), error: both("error") };
}
