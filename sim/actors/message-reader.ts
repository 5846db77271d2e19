/** A head as an actor reads it. */
export interface ReadHead {
  /** The first line. */
  readonly line: string;
  /** Fields by their name in lower case; of several of one name the last. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Who is told of the messages on a connection. */
export interface MessageEvents {
  /**
   * A head came. Answers how its body ends where its fields do not say so: never begun, or with the connection. Behind a `tunnel` all
   * bytes are the body, and it never ends.
   */
  head(head: ReadHead): "no body" | "as told" | "until close" | "tunnel";
  body(bytes: Buffer): void;
  end(trailers: ReadonlyMap<string, string>): void;
}

type State = "head" | "length" | "size" | "data" | "data end" | "trailers" | "until close" | "tunnel" | "broken";

/**
 * Reads the messages of HTTP/1.1 on a connection, strictly and slowly: written apart from Weir's own parsers, so that a mistake in
 * those is not made twice (RFC 9112).
 */
export class MessageReader {
  readonly #events: MessageEvents;
  #state: State = "head";
  #line = "";
  #left = 0;
  #trailers: Map<string, string> = new Map();
  /** What is wrong with the framing; empty while nothing is. */
  problem = "";

  constructor(events: MessageEvents) {
    this.#events = events;
  }

  /** Whether a message has begun and not ended. */
  get within(): boolean {
    return this.#state !== "head" || this.#line !== "";
  }

  /** Whether the end of the connection is the end of the message. */
  get untilClose(): boolean {
    return this.#state === "until close";
  }

  feed(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.#state !== "broken") at = this.#step(bytes, at);
  }

  /** The connection ended in order. */
  finish(): void {
    if (this.#state !== "until close") return;
    this.#state = "head";
    this.#events.end(this.#trailers);
  }

  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case "head":
        return this.#readHead(bytes, at);
      case "length":
      case "data":
        return this.#readBytes(bytes, at);
      case "until close":
      case "tunnel":
        this.#events.body(bytes.subarray(at));
        return bytes.length;
      case "size":
      case "data end":
      case "trailers":
        return this.#readLine(bytes, at);
      case "broken":
        return bytes.length;
    }
  }

  #readHead(bytes: Buffer, start: number): number {
    // The end of a head may come in pieces: three bytes of what came before belong to it.
    const before = this.#line.length;
    this.#line += bytes.toString("latin1", start);
    const end = this.#line.indexOf("\r\n\r\n", Math.max(0, before - 3));
    if (end === -1) return bytes.length;
    const [line = "", ...rest] = this.#line.slice(0, end).split("\r\n");
    this.#line = "";
    this.#begin({ line, fields: fieldsOf(rest) });
    return start + end + 4 - before;
  }

  #begin(head: ReadHead): void {
    const ends = this.#events.head(head);
    const length = head.fields.get("content-length");
    this.#trailers = new Map();
    this.#state = "head";
    if (ends === "tunnel") this.#state = "tunnel";
    else if (ends === "no body") this.#end();
    else if (head.fields.get("transfer-encoding") === "chunked") {
      if (length === undefined) this.#state = "size";
      else this.#break("both Content-Length and Transfer-Encoding");
    } else if (length !== undefined) {
      if (!/^\d+$/.test(length)) this.#break(`Content-Length ${length}`);
      else if (Number(length) === 0) this.#end();
      else {
        this.#left = Number(length);
        this.#state = "length";
      }
    } else if (ends === "until close") this.#state = "until close";
    else this.#end();
  }

  #readBytes(bytes: Buffer, at: number): number {
    const stop = Math.min(bytes.length, at + this.#left);
    this.#left -= stop - at;
    const whole = this.#left === 0;
    const isChunk = this.#state === "data";
    if (whole && isChunk) this.#state = "data end";
    this.#events.body(bytes.subarray(at, stop));
    if (whole && !isChunk) {
      this.#state = "head";
      this.#end();
    }
    return stop;
  }

  #readLine(bytes: Buffer, start: number): number {
    const lf = bytes.indexOf(0x0a, start);
    const stop = lf === -1 ? bytes.length : lf + 1;
    this.#line += bytes.toString("latin1", start, stop);
    if (lf === -1) return stop;
    const line = this.#line;
    this.#line = "";
    if (!line.endsWith("\r\n")) this.#break("a line without CR");
    else this.#take(line.slice(0, -2));
    return stop;
  }

  #take(line: string): void {
    if (this.#state === "data end") {
      if (line === "") this.#state = "size";
      else this.#break(`a chunk longer than its size: ${JSON.stringify(line.slice(0, 20))}`);
    } else if (this.#state === "size") {
      if (!/^[0-9a-f]+$/i.test(line)) this.#break(`chunk size ${JSON.stringify(line.slice(0, 20))}`);
      else {
        this.#left = Number.parseInt(line, 16);
        this.#state = this.#left === 0 ? "trailers" : "data";
      }
    } else if (line === "") {
      this.#state = "head";
      this.#end();
    } else for (const [name, value] of fieldsOf([line])) this.#trailers.set(name, value);
  }

  #end(): void {
    this.#events.end(this.#trailers);
  }

  #break(problem: string): void {
    this.problem = problem;
    this.#state = "broken";
  }
}

function fieldsOf(lines: readonly string[]): Map<string, string> {
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}
