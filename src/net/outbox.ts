import type { Connection } from "./connection.ts";
import { cork } from "./cork.ts";

/** Bytes up to this size are gathered with what goes before them; larger ones are written without a copy. */
const GATHER_BYTES = 16 * 1024;

/**
 * A buffer of this size or more that is the outbox's own is given back when the system has taken it. Left to the garbage
 * collector, a slow reader's connection held three times as much.
 */
const GIVE_BACK_BYTES = 64 * 1024;

/** The backlog of all outboxes without one, which are most: never to be written. */
const EMPTY: Buffer[] = [];
/**
 * The backlog of all outboxes whose peer is gone: never to be written nor sent, so that its source waits. Of a reset that a write has met nothing is
 * told while a connection is not read: its source would be read, and what it brings dropped, without end.
 */
const LOST: Buffer[] = [Buffer.alloc(0)];

/**
 * The sending side of a connection: gathers small pieces, keeps what the system would not take, and tells whether the
 * source must wait. It holds what one event of the source brought, no more, as long as the source is paused while
 * `blocked`.
 */
export class Outbox {
  #connection: Connection | null;
  /** What the system has not taken yet, in order; the first is cut where it got to. */
  #backlog: Buffer[] = EMPTY;
  /** Whether something in the backlog may also be somebody else's. */
  #shared = false;
  #finishing = false;
  #closed = false;
  /** Whether the system has taken any byte since this was last set to false. */
  took = false;
  /**
   * Whether a write has failed: the peer is gone. The system tells of a reset once, and that was the write's answer: what the connection
   * is told of then is an end in good order, which it is not.
   */
  lost = false;

  /** @param connection `null` while it is being dialled: everything waits for `attach` */
  constructor(connection: Connection | null) {
    this.#connection = connection;
  }

  /** Gives it the connection that was dialled, and sends what has waited. */
  attach(connection: Connection): void {
    this.#connection = connection;
    if (this.blocked) this.drain();
    else if (this.#finishing) connection.shutdown();
  }

  /** Whether bytes wait here, or the peer is gone: the source should pause until `drain` answers true. */
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

  /**
   * Sends a buffer at once: where nothing is to be gathered with it, as in a tunnel. A whole buffer is the outbox's from
   * then on, and nobody may read it any more.
   */
  sendAtOnce(bytes: Buffer): void {
    if (this.#closed) return;
    // The size first: asking a small buffer for its memory costs more than sending it.
    const owned = bytes.length >= GIVE_BACK_BYTES && bytes.length === bytes.buffer.byteLength;
    if (this.#backlog.length === 0 && this.#connection !== null && !cork.holds(this)) {
      const taken = this.#connection.write(bytes);
      if (taken > 0) this.took = true;
      if (taken === bytes.length) {
        if (owned) giveBack(bytes);
      } else if (taken < 0) this.#lose();
      else this.#keep(bytes.subarray(taken), owned);
      return;
    }
    if (cork.holds(this)) cork.flush();
    this.#write(bytes, 0, bytes.length, owned);
  }

  /** For the cork alone: sends the first bytes of its buffer, which it will use again. */
  sendGathered(bytes: Buffer, length: number): void {
    if (this.#closed) return;
    let taken = 0;
    if (this.#backlog.length === 0 && this.#connection !== null) {
      taken = this.#connection.write(bytes, 0, length);
      if (taken > 0) this.took = true;
      if (taken === length) return;
      if (taken < 0) {
        this.#lose();
        return;
      }
    }
    this.#keep(Buffer.from(bytes.subarray(taken, length)), false);
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
   * @returns whether nothing waits any more; never where the peer is gone
   */
  drain(): boolean {
    const connection = this.#connection;
    if (connection === null || this.lost) return false;
    if (this.#backlog.length === 0) return true;
    const waiting = this.#backlog;
    this.#backlog = EMPTY;
    for (let i = 0; i < waiting.length; i++) {
      const bytes = waiting[i]!;
      const taken = connection.write(bytes, 0, bytes.length);
      if (taken > 0) this.took = true;
      if (taken === bytes.length) {
        if (!this.#shared) giveBack(bytes);
        continue;
      }
      if (taken < 0) {
        this.#lose();
        return false;
      }
      const rest = bytes.subarray(taken);
      waiting[i] = this.#shared ? rest : tightened(rest);
      this.#backlog = waiting.slice(i);
      return false;
    }
    this.#shared = false;
    if (this.#finishing) connection.shutdown();
    return true;
  }

  /** Forgets what waits; nothing more is sent. */
  close(): void {
    this.#closed = true;
    this.#backlog = EMPTY;
  }

  #lose(): void {
    this.lost = true;
    this.close();
    this.#backlog = LOST;
  }

  #write(bytes: Buffer, start: number, end: number, owned: boolean): void {
    let from = start;
    if (this.#backlog.length === 0 && this.#connection !== null) {
      const taken = this.#connection.write(bytes, start, end - start);
      if (taken > 0) this.took = true;
      if (taken === end - start) {
        if (owned) giveBack(bytes);
        return;
      }
      if (taken < 0) {
        this.#lose();
        return;
      }
      from += taken;
    }
    this.#keep(bytes.subarray(from, end), owned);
  }

  #keep(rest: Buffer, owned: boolean): void {
    if (!owned) this.#shared = true;
    const kept = owned ? tightened(rest) : rest;
    if (this.#backlog === EMPTY) this.#backlog = [kept];
    else this.#backlog.push(kept);
  }
}

/**
 * What waits takes at most twice its own size in memory: where more than half of a large buffer is sent, the rest moves to one of its own. As that
 * halves what is kept each time, no more is copied in all than the buffer had.
 */
function tightened(rest: Buffer): Buffer {
  const { byteLength } = rest.buffer;
  if (byteLength < GIVE_BACK_BYTES || rest.length * 2 > byteLength) return rest;
  const own = Buffer.allocUnsafeSlow(rest.length);
  rest.copy(own);
  giveBack(rest);
  return own;
}

/** Frees the memory of a buffer now: a moved buffer is empty, and the new one has no bytes. About 0.2 µs. */
function giveBack(bytes: Buffer): void {
  (bytes.buffer as ArrayBuffer).transfer(0);
}
