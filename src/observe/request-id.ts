/** Bytes of a request id that Weir makes: 128 bits, so that no two are alike. */
const ID_BYTES = 16;
/** Ids for which the system is asked for chance at a time: a call for each would cost as much as the rest of the line. */
const IDS_AT_A_TIME = 256;

/** Makes ids of chance, from a store that is filled by one call of the system for many. About 100 ns. */
export class Ids {
  readonly #store: Buffer = Buffer.allocUnsafeSlow(ID_BYTES * IDS_AT_A_TIME);
  #used: number = this.#store.length;

  /** So many bytes of chance in hexadecimal, never all zeros. @param bytes at most 16 */
  hex(bytes: number): string {
    if (this.#used + bytes > this.#store.length) {
      crypto.getRandomValues(this.#store);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += bytes;
    // What is all zeros is no id (W3C Trace Context §3.2.2.3).
    this.#store[start] = this.#store[start]! | 1;
    return this.#store.toString("hex", start, start + bytes);
  }

  /** A part of the whole that chance gives, from 0 up to 1. */
  part(): number {
    return Number.parseInt(this.hex(4).slice(2), 16) / 0x1000000;
  }

  /** A new request id: 32 hexadecimal digits. */
  requestId(): string {
    return this.hex(ID_BYTES);
  }
}

/** Longest id of a client that is kept. */
const MOST_KEPT = 128;

/** Whether an id that came may be kept: 1 to 128 bytes of visible ASCII, without spaces. */
export function isRequestId(bytes: Buffer, start: number, end: number): boolean {
  if (end === start || end - start > MOST_KEPT) return false;
  for (let i = start; i < end; i++) if (bytes[i]! <= 0x20 || bytes[i]! >= 0x7f) return false;
  return true;
}
