import type { OutboundStream } from "../http/streams.ts";

interface Piece {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Of a body that is on its way, so much is kept in case the attempt has to be repeated. */
const KEPT_BYTES = 64 * 1024;

/** What a new attempt would need of a request's body: the buffers as they came, not copies of them. */
export class KeptBody {
  #pieces: Piece[] = [];
  #bytes = 0;
  /** Whether nothing of the body so far is missing here. */
  whole = true;

  /**
   * Keeps a piece.
   * @param waiting whether no stream is ready yet: then all that comes is kept, one read at most, since the client is paused
   */
  add(bytes: Buffer, start: number, end: number, waiting: boolean): void {
    if (!this.whole) return;
    this.#bytes += end - start;
    this.#pieces.push({ bytes, start, end });
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

  #bound(): void {
    if (this.#bytes <= KEPT_BYTES) return;
    this.whole = false;
    this.#pieces = [];
    this.#bytes = 0;
  }
}
