import { type Response, readResponse } from "./response.ts";

/** What came of a request: its response, or why there is none. */
export type Answer = Response | { readonly failed: string };

/** The body of a request that takes its time. */
export interface SlowBody {
  readonly pieces: readonly string[];
  readonly everyMs: number;
}

/** Longer than any deadline of the configurations that are tried. */
const NO_ANSWER_MS = 20_000;

/** A client's connection, one request at a time. */
export class Connection {
  /** Whether it can take no further request. */
  ended = false;
  #text = "";
  #answer: ((answer: Answer) => void) | null = null;
  #socket: Bun.Socket | null = null;

  /** Opens a connection; it may have ended already. @returns `null` when it was refused */
  static async open(port: number): Promise<Connection | null> {
    const connection = new Connection();
    const ended = (why: string) => (): void => connection.#end(why);
    try {
      connection.#socket = await Bun.connect({
        hostname: "127.0.0.1",
        port,
        socket: {
          binaryType: "buffer",
          data: (_socket, bytes) => connection.#take(bytes.toString("latin1")),
          end: ended("connection ended"),
          close: (_socket, error) => connection.#end(error === undefined ? "connection ended" : "connection reset"),
          error: ended("connection reset"),
        },
      });
      return connection;
    } catch {
      return null;
    }
  }

  /**
   * Sends a request and waits for its answer. What is sent at a time is short enough for the system to take it whole.
   * @param slow what follows, piece by piece
   */
  async ask(request: string, slow: SlowBody | null = null): Promise<Answer> {
    if (this.ended || this.#socket === null) return { failed: "connection ended" };
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#answer = resolve;
    const late = setTimeout(() => this.#end(`no answer in ${NO_ANSWER_MS / 1000} s`), NO_ANSWER_MS);
    this.#write(this.#socket, request);
    for (const piece of slow?.pieces ?? []) {
      await Bun.sleep(slow?.everyMs ?? 0);
      if (this.ended) break;
      this.#write(this.#socket, piece);
    }
    const answer = await promise;
    clearTimeout(late);
    return answer;
  }

  close(): void {
    this.ended = true;
    this.#socket?.end();
  }

  #write(socket: Bun.Socket, text: string): void {
    const bytes = Buffer.from(text, "latin1");
    const taken = socket.write(bytes);
    if (taken <= 0) this.#end("connection ended");
    else if (taken < bytes.length) this.#end(`only ${taken} bytes of the request were taken`);
  }

  #take(text: string): void {
    this.#text += text;
    try {
      const response = readResponse(this.#text);
      if (response === null) return;
      if (this.#text.length > response.length || this.#answer === null) throw new Error("more than one response");
      this.#text = "";
      if (/^connection: *close$/im.test(response.head)) this.ended = true;
      this.#tell(response);
    } catch (error) {
      this.#end(`wrong bytes (${String(error)})`);
    }
  }

  #end(why: string): void {
    this.ended = true;
    this.#tell({ failed: this.#text === "" ? why : `${why} in a response` });
    this.#socket?.end();
  }

  #tell(answer: Answer): void {
    this.#answer?.(answer);
    this.#answer = null;
  }
}
