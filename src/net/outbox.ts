import type { Connection } from "./connection.ts";
import { cork } from "./cork.ts";

/** Bytes up to this size are gathered with what goes before them; larger ones are written without a copy. */
const GATHER_BYTES = 16 * 1024;

/**
 * The sending side of a connection: gathers small pieces, keeps what the system would not take, and tells whether the
 * source must wait. It holds what one event of the source brought, no more, as long as the source is paused while
 * `blocked`.
 */
export class Outbox {
  #connection: Connection | null;
  /** What the system has not taken yet, in order; the first is cut where it got to. */
  #backlog: Buffer[] = [];
  #finishing = false;
  #closed = false;

  /** @param connection `null` while it is being dialled: everything waits for `attach` */
  constructor(connection: Connection | null) {
    this.#connection = connection;
  }

  /** Gives it the connection that was dialled, and sends what has waited. */
  attach(connection: Connection): void {
    this.#connection = connection;
    this.drain();
  }

  /** Whether bytes wait here: the source should pause until `drain` answers true. */
  get blocked(): boolean {
    return this.#backlog.length > 0;
  }

  /** Sends a piece of a buffer that nobody will change. */
  send(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length === 0 || this.#closed) return;
    if (length <= GATHER_BYTES) {
      cork.claim(this, length);
      bytes.copy(cork.bytes, cork.used, start, end);
      cork.used += length;
      return;
    }
    if (cork.holds(this)) cork.flush();
    this.#write(bytes, start, end, false);
  }

  /** Sends a whole buffer that nobody will change, at once: where nothing is to be gathered with it, as in a tunnel. */
  sendAtOnce(bytes: Buffer): void {
    if (this.#closed) return;
    if (this.#backlog.length === 0 && this.#connection !== null && !cork.holds(this)) {
      const taken = this.#connection.write(bytes);
      if (taken === bytes.length) return;
      if (taken < 0) this.close();
      else this.#backlog.push(bytes.subarray(taken));
      return;
    }
    if (cork.holds(this)) cork.flush();
    this.#write(bytes, 0, bytes.length, false);
  }

  /** For the cork alone: sends the first bytes of its buffer, which it will use again. */
  sendGathered(bytes: Buffer, length: number): void {
    if (!this.#closed) this.#write(bytes, 0, length, true);
  }

  /** Sends FIN when everything before it is sent. */
  finish(): void {
    if (this.#finishing || this.#closed) return;
    if (cork.holds(this)) cork.flush();
    this.#finishing = true;
    if (!this.blocked && this.#connection !== null) this.#connection.shutdown();
  }

  /**
   * To be called when the system has room again.
   * @returns whether nothing waits any more
   */
  drain(): boolean {
    const connection = this.#connection;
    if (connection === null) return false;
    if (this.#backlog.length === 0) return true;
    const waiting = this.#backlog;
    this.#backlog = [];
    for (let i = 0; i < waiting.length; i++) {
      const bytes = waiting[i]!;
      const taken = connection.write(bytes, 0, bytes.length);
      if (taken === bytes.length) continue;
      if (taken < 0) {
        this.close();
        return false;
      }
      waiting[i] = bytes.subarray(taken);
      this.#backlog = waiting.slice(i);
      return false;
    }
    if (this.#finishing) connection.shutdown();
    return true;
  }

  /** Forgets what waits; nothing more is sent. */
  close(): void {
    this.#closed = true;
    this.#backlog = [];
  }

  #write(bytes: Buffer, start: number, end: number, copy: boolean): void {
    let from = start;
    if (this.#backlog.length === 0 && this.#connection !== null) {
      const taken = this.#connection.write(bytes, start, end - start);
      if (taken === end - start) return;
      if (taken < 0) {
        this.close();
        return;
      }
      from += taken;
    }
    const rest = bytes.subarray(from, end);
    this.#backlog.push(copy ? Buffer.from(rest) : rest);
  }
}
