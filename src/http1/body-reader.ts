import { type Framing, Head } from "../http/head.ts";
import { CHARS, CR, HEX, LF } from "./chars.ts";
import { EXTENSION, type ExtensionState, extensionMayEnd, readExtension } from "./chunk-extension.ts";
import { type Blame, type HeadLimits, parseFields } from "./field-parser.ts";
import { tellsMore } from "./partial.ts";

/** Who is given a body, free of its framing. */
export interface BodySink {
  /** Bytes of the body. */
  body(bytes: Buffer, start: number, end: number): void;
}

/** Where in a chunked body the next byte stands (RFC 9112 §7.1). */
const CHUNK = { size: 0, extension: 1, sizeLf: 2, data: 3, dataCr: 4, dataLf: 5, trailers: 6 } as const;
type ChunkState = (typeof CHUNK)[keyof typeof CHUNK];

/** A size line longer than this serves nobody: 16 digits of size and an extension. */
const SIZE_LINE_BYTES = 256;
/** 2⁵² bytes and more cannot be counted exactly. */
const SIZE_DIGITS = 13;
/**
 * Extensions are dropped, and so cost the sender more than they give it: a body may have so many bytes of them in all
 * (CVE-2023-39326 is a flood of them).
 */
const EXTENSION_BYTES = 16 * 1024;

/** Finds the end of a body. One for each direction of a connection, begun anew for each message. */
export class BodyReader {
  /** Whether the body is complete. */
  done = true;
  /** What is wrong with the framing, in words; empty while nothing is. */
  problem = "";
  /** Bytes of the body so far. */
  bytes = 0;
  #framing: Framing = "none";
  #remaining = 0;
  #state: ChunkState = CHUNK.size;
  #digits = 0;
  #extension: ExtensionState = EXTENSION.start;
  #lineBytes = 0;
  #extensionBytes = 0;
  #trailers: Head | null = null;
  #trailerBytes: Buffer | null = null;

  /** Begins a body. */
  begin(framing: Framing, length: number): void {
    this.#framing = framing;
    this.#remaining = framing === "length" ? length : 0;
    this.done = framing === "none" || (framing === "length" && length === 0);
    this.bytes = 0;
    this.problem = "";
    this.#state = CHUNK.size;
    this.#digits = 0;
    this.#lineBytes = 0;
    this.#extensionBytes = 0;
    this.#trailers = null;
    this.#trailerBytes = null;
  }

  /** The fields after a chunked body, `null` where there are none. Valid once `done`. */
  get trailers(): Head | null {
    return this.#trailers;
  }

  /** Whether the body ends with the connection. */
  get untilClose(): boolean {
    return this.#framing === "until-close";
  }

  /**
   * Reads on.
   * @returns first byte that is no more part of the message; `end` while it is not done. Stops early at a `problem`.
   */
  feed(bytes: Buffer, start: number, end: number, limits: HeadLimits, blame: Blame, sink: BodySink): number {
    if (this.done) return start;
    if (this.#framing === "chunked") return this.#feedChunked(bytes, start, end, limits, blame, sink);
    let stop = end;
    if (this.#framing === "length") {
      stop = Math.min(end, start + this.#remaining);
      this.#remaining -= stop - start;
      if (this.#remaining === 0) this.done = true;
    }
    this.bytes += stop - start;
    if (stop > start) sink.body(bytes, start, stop);
    return stop;
  }

  #feedChunked(bytes: Buffer, start: number, end: number, limits: HeadLimits, blame: Blame, sink: BodySink): number {
    let at = start;
    while (at < end) {
      const byte = bytes[at]!;
      switch (this.#state) {
        case CHUNK.size:
          if ((CHARS[byte]! & HEX) !== 0) {
            this.#digits += 1;
            if (this.#digits > SIZE_DIGITS) return this.#refuse("a chunk size too large to be true", at);
            this.#remaining = this.#remaining * 16 + (byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57);
          } else if (this.#digits === 0) return this.#refuse("a chunk without a size", at);
          else if (byte === CR) this.#state = CHUNK.sizeLf;
          else if (byte === SEMICOLON) {
            this.#state = CHUNK.extension;
            this.#extension = EXTENSION.start;
          } else return this.#refuse("a chunk size that is no hexadecimal number", at);
          at += 1;
          break;
        case CHUNK.extension:
          if (byte === CR && extensionMayEnd(this.#extension)) this.#state = CHUNK.sizeLf;
          else {
            this.#extension = readExtension(this.#extension, byte);
            if (this.#extension === EXTENSION.wrong) return this.#refuse("a chunk extension that is none", at);
          }
          this.#lineBytes += 1;
          this.#extensionBytes += 1;
          if (this.#lineBytes > SIZE_LINE_BYTES || this.#extensionBytes > EXTENSION_BYTES)
            return this.#refuse("too long a chunk extension", at);
          at += 1;
          break;
        case CHUNK.sizeLf:
          if (byte !== LF) return this.#refuse("a CR without LF after a chunk size", at);
          this.#state = this.#remaining === 0 ? CHUNK.trailers : CHUNK.data;
          this.#digits = 0;
          this.#lineBytes = 0;
          at += 1;
          break;
        case CHUNK.data: {
          const stop = Math.min(end, at + this.#remaining);
          this.#remaining -= stop - at;
          this.bytes += stop - at;
          if (this.#remaining === 0) this.#state = CHUNK.dataCr;
          const from = at;
          at = stop;
          sink.body(bytes, from, stop);
          break;
        }
        case CHUNK.dataCr:
          if (byte !== CR) return this.#refuse("a chunk longer than its size", at);
          this.#state = CHUNK.dataLf;
          at += 1;
          break;
        case CHUNK.dataLf:
          if (byte !== LF) return this.#refuse("a chunk longer than its size", at);
          this.#state = CHUNK.size;
          at += 1;
          break;
        case CHUNK.trailers:
          return this.#feedTrailers(bytes, at, end, limits, blame);
      }
    }
    return at;
  }

  #feedTrailers(bytes: Buffer, start: number, end: number, limits: HeadLimits, blame: Blame): number {
    const held = this.#trailerBytes;
    const from = held === null ? start : 0;
    const come = bytes.subarray(start, end);
    const all = held === null ? bytes : Buffer.concat([held, come]);
    if (held !== null && !tellsMore(come, all.length, limits.headBytes)) {
      this.#trailerBytes = all;
      return end;
    }
    const until = held === null ? end : all.length;
    const trailers = new Head();
    trailers.reset(all, from);
    const stop = Math.min(until, from + limits.headBytes);
    const outcome = parseFields(trailers, all, from, stop, limits, blame, false);
    if (outcome === "incomplete") {
      if (stop - from >= limits.headBytes) return this.#refuse("trailers larger than a head may be", start);
      this.#trailerBytes = Buffer.from(all.subarray(from, until));
      return end;
    }
    if (outcome !== "complete") return this.#refuse(trailers.problem, start);
    this.done = true;
    if (trailers.count > 0) this.#trailers = trailers;
    // How far into the bytes of this call the trailers reach.
    return end - (until - trailers.end);
  }

  #refuse(problem: string, at: number): number {
    this.problem = problem;
    return at;
  }
}

const SEMICOLON = 0x3b;
