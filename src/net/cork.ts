import type { Outbox } from "./outbox.ts";

/**
 * Bytes that are gathered before they are handed to the system: a head and a small body leave in one write.
 * There is one in a process, since callbacks are synchronous: every event of `net/` ends with `flush`, and a claim by
 * another outbox sends what the former one had gathered.
 */
class Cork {
  /** A head of the largest size that may be configured, with what Weir adds, fits twice. */
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(256 * 1024);
  /** Where the next byte goes. */
  used = 0;
  #owner: Outbox | null = null;

  /**
   * Makes room for bytes of an outbox: write them at `used` and move it.
   * @param length at most the size of the buffer
   */
  claim(outbox: Outbox, length: number): void {
    if (this.#owner !== outbox || this.used + length > this.bytes.length) {
      this.flush();
      this.#owner = outbox;
    }
  }

  /** Whether bytes of this outbox are waiting here. */
  holds(outbox: Outbox): boolean {
    return this.#owner === outbox && this.used > 0;
  }

  /** Sends what is gathered. */
  flush(): void {
    const owner = this.#owner;
    if (owner === null) return;
    this.#owner = null;
    const used = this.used;
    this.used = 0;
    if (used > 0) owner.sendGathered(this.bytes, used);
  }
}

/** The cork of this process. */
export const cork: Cork = new Cork();
