import { BoundedMap } from "../pool/bounded-map.ts";

/** So many wrong tokens of one address within `WINDOW_MS`, and it is not listened to any more until they are over. */
const MOST = 10;
const WINDOW_MS = 10_000;
/** Addresses remembered. */
const ADDRESSES = 1000;

interface Tried {
  readonly sinceMs: number;
  readonly wrong: number;
}

/** Wrong tokens by the address that they came from: nobody may try many. Pure but for what it remembers. */
export class Tries {
  readonly #tried = new BoundedMap<Tried>(ADDRESSES);

  /** Milliseconds for which an address has to wait; 0 where it need not. */
  waitMs(address: string, now: number): number {
    const tried = this.#tried.get(address);
    if (tried === null || tried.wrong < MOST) return 0;
    return Math.max(0, tried.sinceMs + WINDOW_MS - now);
  }

  /**
   * Notes a wrong token.
   * @returns how many there were in this window, itself included
   */
  wrong(address: string, now: number): number {
    const tried = this.#tried.get(address);
    const anew = tried === null || now - tried.sinceMs >= WINDOW_MS;
    const next = anew ? { sinceMs: now, wrong: 1 } : { sinceMs: tried.sinceMs, wrong: tried.wrong + 1 };
    this.#tried.set(address, next);
    return next.wrong;
  }
}
