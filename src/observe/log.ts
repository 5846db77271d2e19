/** What a log line may carry beside its event. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Where events of Weir itself go: started, died, failed over, drained. Never asked on the way of a byte. */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Takes everything and says nothing. */
export const silentLog: Log = { info() {}, warn() {}, error() {} };
