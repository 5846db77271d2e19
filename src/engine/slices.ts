import type { Clock } from "../clock.ts";
import type { Ticker } from "../net/network.ts";
import type { Steps } from "../steps.ts";

/** Work at a stretch: of what a client waits for meanwhile, it must not be felt. */
const SLICE_MS = 0.25;

/** And then the processor's rest. */
const REST_MS = 1;

/**
 * Does it a quarter of a millisecond at a time, or what else is said; in between, the event loop has its turn, and the processor a rest of a
 * millisecond, or what else is said.
 */
export async function bySlices<T>(
  steps: Steps<T>,
  clock: Clock,
  tick: Ticker,
  sliceMs: number = SLICE_MS,
  restMs: number = REST_MS,
): Promise<T> {
  let until = clock.now() + sliceMs;
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (clock.now() < until) continue;
    await rest(tick, restMs);
    until = clock.now() + sliceMs;
  }
}

/** One turn of the event loop, and a millisecond for whoever waits for the processor. */
export function rest(tick: Ticker, ms: number = REST_MS): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = tick(ms, () => {
    stop();
    resolve();
  });
  return promise;
}
