/** One server-sent event. */
export interface ServerSentEvent {
  /** `message` where the server gave no name. */
  readonly event: string;
  readonly data: string;
  /** The last id that was given, by this event or one before it; what `Last-Event-ID` resumes with. */
  readonly id: string;
}

/** Longest line, in characters: 500 backends are some 30,000. Beyond it the stream is no stream of Weir. */
const LONGEST_LINE = 8 * 1024 * 1024;

/**
 * Reads server-sent events from text as it comes (WHATWG HTML §9.2.6). Pure, and with nothing of a browser or a server, so that the
 * dashboard and `weir top` read alike: `EventSource` cannot send a token. O(1) a character.
 */
export class EventReader {
  #rest = "";
  #event = "";
  #data: string[] = [];
  #id: string;
  #used = false;

  /** @param lastId of the stream that this one resumes */
  constructor(lastId = "") {
    this.#id = lastId;
  }

  /** Whether an event has come. */
  get used(): boolean {
    return this.#used;
  }

  /** The id to resume with after this stream has ended. */
  get lastId(): string {
    return this.#id;
  }

  /**
   * @param text the next piece, cut anywhere
   * @returns the events that it completes
   * @throws Error where a line is longer than any that Weir sends
   */
  push(text: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > LONGEST_LINE) throw new Error("this is no stream of events");
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (line === "") this.#complete(events);
      else this.#field(line);
    }
    return events;
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment: the server shows that it lives
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
  }

  #complete(events: ServerSentEvent[]): void {
    if (this.#data.length > 0) {
      this.#used = true;
      events.push({ event: this.#event === "" ? "message" : this.#event, data: this.#data.join("\n"), id: this.#id });
    }
    this.#event = "";
    this.#data = [];
  }
}
