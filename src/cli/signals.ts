/** Signals that ask a program to end, with the exit status that a shell gives to one that they ended (128 + number). */
const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

type StopSignal = keyof typeof STATUS;

/** How a stop was asked for. */
export interface Stop {
  /** Aborted by the first signal: drain. */
  readonly drain: AbortSignal;
  /** Aborted by the second signal: end at once. Its reason is the exit status. */
  readonly now: AbortSignal;
}

/**
 * One more SIGINT within this time is the same request: npm passes Ctrl-C on to a program that has already had it from the
 * terminal, some milliseconds later.
 */
const SAME_MS = 200;

/** Listens for SIGINT and SIGTERM from now on. */
export function stopSignals(): Stop {
  const drain = new AbortController();
  const now = new AbortController();
  /** When the first SIGINT came, until another one is taken for the same. */
  let firstAt = Number.NEGATIVE_INFINITY;
  for (const signal of Object.keys(STATUS) as StopSignal[]) {
    process.on(signal, () => {
      const at = performance.now();
      if (signal === "SIGINT" && at - firstAt < SAME_MS) {
        firstAt = Number.NEGATIVE_INFINITY;
        return;
      }
      if (signal === "SIGINT" && !drain.signal.aborted) firstAt = at;
      if (drain.signal.aborted) now.abort(STATUS[signal]);
      else drain.abort();
    });
  }
  return { drain: drain.signal, now: now.signal };
}

/** Fulfilled when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
