/** Where time comes from. Decisions take it as an argument, so that tests and the simulator can set it. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
}

/** The machine's monotonic clock. About 40 ns a call. */
export const systemClock: Clock = { now: () => performance.now() };

/** The time of day, for what people and other machines read. */
export interface WallClock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
}

/** The machine's time of day. */
export const systemWallClock: WallClock = { now: () => Date.now() };

/** A time of day as HTTP writes it (IMF-fixdate, RFC 9110 §5.6.7). */
export function httpDate(milliseconds: number): string {
  return new Date(milliseconds).toUTCString();
}
