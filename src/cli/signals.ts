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
 * A second SIGINT within this time is the same request: npm passes Ctrl-C on to a program that has already had it from the
 * terminal.
 */
const SAME_MS = 500;

/** Listens for SIGINT and SIGTERM from now on. */
export function stopSignals(): Stop {
  const drain = new AbortController();
  const now = new AbortController();
  let last: { readonly signal: StopSignal; readonly at: number } | null = null;
  for (const signal of Object.keys(STATUS) as StopSignal[]) {
    process.on(signal, () => {
      const at = performance.now();
      const same = signal === "SIGINT" && last?.signal === signal && at - last.at < SAME_MS;
      last ??= { signal, at };
      if (same) return;
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
