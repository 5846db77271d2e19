import type { Head } from "../http/head.ts";
import type { Outbox } from "../net/outbox.ts";
import { writeChunk, writeLastChunk } from "./chunk-writer.ts";
import { writeResponseHead } from "./head-writer.ts";

/** Sends the responses of a connection, each framed for the request that it answers. */
export class ResponseSender {
  readonly #outbox: Outbox;
  #minor = 1;
  #noBody = false;
  #chunked = false;
  /** Whether the response at hand ends with the connection: it cannot be told broken but by a reset. */
  untilClose = false;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** Makes ready for the answer to a request of HTTP/1.`minor`. */
  begin(minor: number, isHead: boolean): void {
    this.#minor = minor;
    this.#noBody = isHead;
    this.#chunked = false;
    this.untilClose = false;
  }

  /** Sends an interim head. A client of HTTP/1.0 knows none (RFC 9110 §15.2). */
  interim(response: Head, via: boolean): void {
    if (this.#minor === 0 && response.status !== 101) return;
    this.#write(response, false, false, via);
  }

  /**
   * Sends the final head.
   * @param keepAlive whether the connection is to live on
   * @returns whether it does: a body without a known length ends with the connection for a client of HTTP/1.0
   */
  head(response: Head, keepAlive: boolean, via: boolean): boolean {
    const unbounded = response.framing !== "none" && response.framing !== "length" && !this.#noBody;
    this.#chunked = unbounded && this.#minor === 1;
    this.untilClose = unbounded && this.#minor === 0;
    const lives = keepAlive && !this.untilClose;
    this.#write(response, !lives, lives && this.#minor === 0, via);
    return lives;
  }

  body(bytes: Buffer, start: number, end: number): void {
    if (this.#noBody) return;
    if (this.#chunked) writeChunk(this.#outbox, bytes, start, end);
    // Nobody reads a response's bytes after this: a whole buffer is freed as soon as it is sent, however slow the reader.
    else if (end - start === bytes.length) this.#outbox.sendAtOnce(bytes);
    else this.#outbox.send(bytes, start, end);
  }

  end(trailers: Head | null): void {
    if (this.#chunked) writeLastChunk(this.#outbox, trailers);
  }

  #write(response: Head, close: boolean, keepAlive: boolean, via: boolean): void {
    FRAMING.chunked = this.#chunked;
    FRAMING.close = close;
    FRAMING.keepAlive = keepAlive;
    FRAMING.via = via;
    writeResponseHead(this.#outbox, response, FRAMING);
  }
}

/** Filled anew for each head: one object for all. */
const FRAMING = { chunked: false, close: false, keepAlive: false, via: false };
