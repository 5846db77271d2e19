import { closeSync, openSync } from "node:fs";

/** Signals that ask a program to end, with the exit status that a shell gives to one that they ended (128 + number). */
const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

type StopSignal = keyof typeof STATUS;

/** How a stop was asked for. */
export interface Stop {
  /** Aborted by the first signal: drain. */
  readonly drain: AbortSignal;
  /** Aborted by the second signal: end at once. Its reason is the exit status. */
  readonly now: AbortSignal;
  /** The same without a signal: whoever asked another way, and was told so. */
  readonly ask: (now: boolean) => void;
}

/**
 * One more SIGINT within this time is the same request: what starts programs may pass Ctrl-C on to one that has already had it from the
 * terminal, some milliseconds later. Who sent a signal is not to be seen. npm always does so (`@npmcli/run-script`), and may take its time on a
 * busy machine: of a second Ctrl-C both signals count then, so that waiting longer for the first one's costs nothing.
 */
const SAME_MS = 200;
const SAME_UNDER_NPM_MS = 2000;

/** Listens for SIGINT and SIGTERM from now on. */
export function stopSignals(): Stop {
  const drain = new AbortController();
  const now = new AbortController();
  const sameMs = process.env["npm_lifecycle_event"] === undefined ? SAME_MS : SAME_UNDER_NPM_MS;
  /** When the first SIGINT came, until another one is taken for the same. */
  let firstAt = Number.NEGATIVE_INFINITY;
  for (const signal of Object.keys(STATUS) as StopSignal[]) {
    process.on(signal, () => {
      const at = performance.now();
      if (signal === "SIGINT" && at - firstAt < sameMs) {
        firstAt = Number.NEGATIVE_INFINITY;
        return;
      }
      if (signal === "SIGINT" && !drain.signal.aborted) firstAt = at;
      if (drain.signal.aborted) now.abort(STATUS[signal]);
      else drain.abort();
    });
  }
  const ask = (atOnce: boolean): void => {
    drain.abort();
    if (atOnce) now.abort(0);
  };
  return { drain: drain.signal, now: now.signal, ask };
}

/** Fulfilled when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** What may be asked of a running Weir by a signal. Before `answer` is called, it waits. */
export interface Asked {
  /** @param act called once for what came before, and for each that comes */
  answer(act: () => void): void;
}

/** Listens for a signal from now on. */
export function asked(signal: "SIGHUP" | "SIGUSR1" | "SIGUSR2"): Asked {
  let act: (() => void) | null = null;
  let waiting = false;
  process.on(signal, () => {
    if (act === null) waiting = true;
    else act();
  });
  return {
    answer(then) {
      act = then;
      if (waiting) then();
      waiting = false;
    },
  };
}

/** Tells whether the terminal that a program was started from is still there: SIGHUP also says that it is gone. */
export function terminalOf(): () => boolean {
  const had = hasTerminal();
  return () => !had || hasTerminal();
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
