/** How long to wait before a dead process is started again. Plain numbers: the caller holds the time. */
export interface Backoff {
  /** Deaths in a row, each soon after its start. */
  readonly failures: number;
}

/** A process that lived this long is taken as sound again. */
export const STABLE_MS = 10_000;

/** The first wait that is not zero; each further one is twice as long. */
export const FIRST_WAIT_MS = 100;

/** The longest wait: a connection may sit that long in the queue of the missing worker. */
export const LONGEST_WAIT_MS = 5000;

/** A process that has not died yet. */
export const fresh: Backoff = { failures: 0 };

/**
 * What a death leads to: at once the first time, then 100, 200, 400 … 5000 ms while each dies young.
 * @param livedMs how long the process lived
 */
export function afterDeath(backoff: Backoff, livedMs: number): { readonly backoff: Backoff; readonly waitMs: number } {
  const failures = livedMs >= STABLE_MS ? 1 : backoff.failures + 1;
  const waitMs = failures === 1 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (failures - 2), LONGEST_WAIT_MS);
  return { backoff: { failures }, waitMs };
}
