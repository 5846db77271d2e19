import type { OutboundStream } from "../http/streams.ts";

interface Piece {
  readonly bytes: Buffer;
  readonly start: number;
  end: number;
}

/** Of a body that is on its way, so much is kept in case the attempt has to be repeated. */
const KEPT_BYTES = 64 * 1024;
/** Pieces shorter than this are copied behind one another, as are those that would keep much more than themselves alive. */
const LONG = 1024;
/** Room for short pieces. */
const SHARED_BYTES = 4 * 1024;

/**
 * What a new attempt would need of a request's body. Long pieces are kept as the buffers in which they came, short ones are
 * gathered: it holds at most about twice the bytes of the body, however these are cut.
 */
export class KeptBody {
  #pieces: Piece[] = [];
  #bytes = 0;
  /** Where short pieces go, and how much of it is taken; the last piece ends there. */
  #shared: Buffer | null = null;
  #used = 0;
  /** Whether nothing of the body so far is missing here. */
  whole = true;

  /** Whether as much is kept as may be: what comes while there is no stream has to wait. */
  get full(): boolean {
    return this.#bytes >= KEPT_BYTES;
  }

  /**
   * Keeps a piece.
   * @param waiting whether no stream is ready yet: then all that comes is kept, the bound and one read at most, since the client is paused
   */
  add(bytes: Buffer, start: number, end: number, waiting: boolean): void {
    if (!this.whole) return;
    const length = end - start;
    this.#bytes += length;
    if (length >= LONG && 2 * length >= bytes.length) this.#pieces.push({ bytes, start, end });
    else this.#gather(bytes, start, end);
    if (!waiting) this.#bound();
  }

  /**
   * Sends all of it, and from then on keeps no more than the bound.
   * @returns bytes sent
   */
  sendTo(stream: OutboundStream): number {
    const bytes = this.#bytes;
    for (const { bytes: piece, start, end } of this.#pieces) stream.sendBody(piece, start, end);
    this.#bound();
    return bytes;
  }

  /** Keeps nothing any more: the request is not to be sent again. */
  drop(): void {
    this.whole = false;
    this.#pieces = [];
    this.#bytes = 0;
    this.#shared = null;
  }

  #gather(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    let shared = this.#shared;
    if (shared === null || shared.length - this.#used < length) {
      shared = Buffer.allocUnsafeSlow(Math.max(SHARED_BYTES, length));
      this.#shared = shared;
      this.#used = 0;
    }
    bytes.copy(shared, this.#used, start, end);
    const last = this.#pieces.at(-1);
    if (last !== undefined && last.bytes === shared && last.end === this.#used) last.end += length;
    else this.#pieces.push({ bytes: shared, start: this.#used, end: this.#used + length });
    this.#used += length;
  }

  #bound(): void {
    if (this.#bytes > KEPT_BYTES) this.drop();
  }
}
