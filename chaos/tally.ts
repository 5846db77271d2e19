/** What came of the requests of one kind. */
export interface Count {
  sent: number;
  right: number;
  /** How many failed, by why: `502 BACKEND_RESET`, `connection reset`, `wrong body`. */
  readonly failed: Record<string, number>;
  /** The longest that one took, answered or failed. */
  longestMs: number;
}

/** What came of the load while a fault was there. */
export interface Tally {
  /** GET and PUT. */
  readonly idempotent: Count;
  /** POST. */
  readonly other: Count;
}

/** Nothing yet. */
export function noTally(): Tally {
  const none = (): Count => ({ sent: 0, right: 0, failed: {}, longestMs: 0 });
  return { idempotent: none(), other: none() };
}

/** How many failed, for whatever reason. */
export function failures({ failed }: Count): number {
  return Object.values(failed).reduce((sum, n) => sum + n, 0);
}
