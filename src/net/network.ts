import { type Dial, dial } from "./dial.ts";
import { type Listen, listen } from "./listen.ts";

/** Calls something every so many milliseconds, until what it returns is called. */
export type Ticker = (everyMs: number, tick: () => void) => () => void;

/** All that a data path needs of the world: connections both ways, and to be woken. A simulation has its own. */
export interface Network {
  readonly dial: Dial;
  readonly listen: Listen;
  readonly tick: Ticker;
}

/** The system's sockets and timers. */
export const systemNetwork: Network = {
  dial,
  listen,
  tick(everyMs, tick) {
    const timer = setInterval(tick, everyMs);
    return () => clearInterval(timer);
  },
};
