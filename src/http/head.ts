import type { FieldKind } from "./fields.ts";
import { FIELD } from "./fields.ts";

/** How the end of a message's body is found (RFC 9112 §6.3). */
export type Framing = "none" | "length" | "chunked" | "until-close";

/** Fields there is room for at first; it grows up to the limit of the configuration. */
const FIRST_FIELDS = 32;

/**
 * The one form of a request's or response's head, whatever the protocol: bytes and offsets into them. Text is made
 * only when someone asks. A head is reused for one message after another; who wants to keep it, keeps `bytes`.
 */
export class Head {
  /** Where all offsets point to. */
  bytes: Buffer = EMPTY;
  /** First byte of the head and first byte after it. */
  start = 0;
  end = 0;

  /** Requests: the method's name. */
  methodStart = 0;
  methodEnd = 0;
  /** Requests: path and query as they are to be forwarded. Empty for an absolute target without a path. */
  targetStart = 0;
  targetEnd = 0;
  /** Requests: host and port, from an absolute target or the Host field. Empty when the request has none (HTTP/1.0). */
  authorityStart = 0;
  authorityEnd = 0;

  /** Responses: the status code; 0 in a request. */
  status = 0;
  reasonStart = 0;
  reasonEnd = 0;

  /** 0 for HTTP/1.0, 1 for HTTP/1.1 and every later protocol. */
  minor = 1;
  framing: Framing = "none";
  /** Bytes of the body when `framing` is `length`. */
  length = 0;
  /** Whether the sender will take another message on this connection after this one. */
  keepAlive = true;
  /** Whether `Connection: close` was sent, which outweighs `keep-alive`. */
  closes = false;
  /** Whether the connection is asked to, or does, change its protocol. */
  upgrade = false;
  /** Whether the client waits for a 100 response before it sends the body. */
  expectContinue = false;
  /** Whether `Connection` names fields that go no further than this hop. */
  namesFields = false;
  /** Whether `TE: trailers` was sent. */
  acceptsTrailers = false;
  /** Whether `weir-state: drain` was sent: in a response, the backend wants no new work. */
  asksToDrain = false;
  /** Whether `weir-explain` was sent: in a request, somebody wants to know why it goes where it goes. */
  asksWhy = false;
  /** What is wrong with it, in words, when a parser refused it. */
  problem = "";
  /** Seconds of the peer's `Keep-Alive: timeout=`; -1 where it told none. */
  keepAliveSeconds = -1;
  /** Whole field lines, each with its CRLF, that are sent behind those of `bytes`, verbatim; `null` for none. */
  extra: Buffer | null = null;

  /** Number of fields. */
  count = 0;
  #fields: Uint32Array = new Uint32Array(FIRST_FIELDS * 4);
  #kinds: Uint8Array = new Uint8Array(FIRST_FIELDS);

  /** Makes it empty, for a head that begins at an offset of a buffer. */
  reset(bytes: Buffer, start: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = start;
    this.methodStart = this.methodEnd = start;
    this.targetStart = this.targetEnd = start;
    this.authorityStart = this.authorityEnd = start;
    this.status = 0;
    this.reasonStart = this.reasonEnd = start;
    this.minor = 1;
    this.framing = "none";
    this.length = 0;
    this.keepAlive = true;
    this.closes = false;
    this.upgrade = false;
    this.expectContinue = false;
    this.namesFields = false;
    this.acceptsTrailers = false;
    this.asksToDrain = false;
    this.asksWhy = false;
    this.problem = "";
    this.keepAliveSeconds = -1;
    this.extra = null;
    this.count = 0;
  }

  /** Adds a field by its offsets. */
  add(kind: FieldKind, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const index = this.count;
    if (index === this.#kinds.length) this.#grow();
    const at = index * 4;
    this.#fields[at] = nameStart;
    this.#fields[at + 1] = nameEnd;
    this.#fields[at + 2] = valueStart;
    this.#fields[at + 3] = valueEnd;
    this.#kinds[index] = kind;
    this.count = index + 1;
  }

  /** Marks a field so that it goes no further: another one is sent in its place. */
  leaveOut(index: number): void {
    this.#kinds[index] = FIELD.replaced;
  }

  kind(index: number): FieldKind {
    return this.#kinds[index] as FieldKind;
  }

  nameStart(index: number): number {
    return this.#fields[index * 4]!;
  }

  nameEnd(index: number): number {
    return this.#fields[index * 4 + 1]!;
  }

  valueStart(index: number): number {
    return this.#fields[index * 4 + 2]!;
  }

  valueEnd(index: number): number {
    return this.#fields[index * 4 + 3]!;
  }

  /** Position of the first field of a known kind, -1 where there is none. O(fields). */
  find(kind: FieldKind): number {
    for (let i = 0; i < this.count; i++) if (this.#kinds[i] === kind) return i;
    return -1;
  }

  /** A part of it as text. Makes a string: not for the way of every request. */
  text(start: number, end: number): string {
    return this.bytes.toString("latin1", start, end);
  }

  /** The method as text. Makes a string. */
  get method(): string {
    return this.text(this.methodStart, this.methodEnd);
  }

  /** Whether a backend may not look for a body, since the method has no use for one (RFC 9110 §9.3.1, §9.3.2). */
  get expectsNoBody(): boolean {
    return this.methodIs(GET) || this.methodIs(HEAD);
  }

  /** Whether the response to this request has no body by its method (RFC 9110 §9.3.2). */
  get isHead(): boolean {
    return this.methodIs(HEAD);
  }

  /** Whether the method is the given one; methods are case-sensitive. */
  methodIs(name: Buffer): boolean {
    const start = this.methodStart;
    if (this.methodEnd - start !== name.length) return false;
    for (let i = 0; i < name.length; i++) if (this.bytes[start + i] !== name[i]) return false;
    return true;
  }

  /**
   * Whether a field goes no further than this hop because `Connection` names it (RFC 9110 §7.6.1).
   * O(fields); asked only when `namesFields`.
   */
  isNamedByConnection(index: number): boolean {
    const name = this.text(this.nameStart(index), this.nameEnd(index)).toLowerCase();
    for (let i = 0; i < this.count; i++) {
      if (this.#kinds[i] !== FIELD.connection) continue;
      const value = this.text(this.valueStart(i), this.valueEnd(i)).toLowerCase();
      if (value.split(",").some((token) => token.trim() === name)) return true;
    }
    return false;
  }

  #grow(): void {
    const fields = new Uint32Array(this.#fields.length * 2);
    fields.set(this.#fields);
    this.#fields = fields;
    const kinds = new Uint8Array(this.#kinds.length * 2);
    kinds.set(this.#kinds);
    this.#kinds = kinds;
  }
}

const EMPTY = Buffer.alloc(0);
const GET = Buffer.from("GET");
const HEAD = Buffer.from("HEAD");
