/** Where time comes from. Decisions take it as an argument, so that tests and the simulator can set it. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
}

/** The machine's monotonic clock. About 40 ns a call. */
export const systemClock: Clock = { now: () => performance.now() };
