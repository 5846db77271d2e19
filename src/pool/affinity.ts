import { BoundedMap } from "./bounded-map.ts";

/** As much of a request's head as affinity reads; `http/head.ts` says what each means. */
export interface RequestFields {
  readonly bytes: Buffer;
  readonly count: number;
  nameStart(index: number): number;
  nameEnd(index: number): number;
  valueStart(index: number): number;
  valueEnd(index: number): number;
}

/** Which clients belong to which backends of a pool. Wraps any policy, which never knows of it. */
export interface Affinity {
  /**
   * The backend that the client of a request is pinned to and may still go to; -1 where there is none, where it is down, ejected, in
   * maintenance or draining past its deadline, or where the cookie is not ours. One whose weight is 0 keeps its clients.
   */
  pinnedOf(request: RequestFields): number;
  /**
   * The `Set-Cookie` line, with its CRLF, to add to the final response of an attempt on a backend; `null` where the client's cookie
   * already says so and needs no renewal.
   */
  fieldFor(request: RequestFields, index: number): Buffer | null;
  /** What the cookie of a request says, and what is made of it: `pinned` is what `pinnedOf` answers. For people who ask. */
  explain(request: RequestFields): PinExplained;
}

/** What is made of the cookie of a client. */
export interface PinExplained {
  /** Name of the cookie. */
  readonly cookie: string;
  /** The backend that a valid cookie names; -1 for none. */
  readonly named: number;
  /** The backend that its client is pinned to; -1 for none. */
  readonly pinned: number;
  readonly why: string;
}

/** Gives the HMAC-SHA-256 (RFC 2104) of bytes under the secret of affinity: 32 bytes. Some microseconds. */
export type Mac = (message: Buffer) => Uint8Array;

/** What the cookie of a client says. */
export interface Pin {
  /** Position of the backend in its pool. */
  readonly index: number;
  /** When the cookie was made, in seconds since 1970. */
  readonly issuedSeconds: number;
}

/** First byte of a value. Another form gets another number, so that an older Weir takes it for no cookie of its own. */
const VERSION = 1;
const ID_BYTES = 8;
/** Seconds since 1970, big-endian: 4 bytes would end in 2106. */
const TIME_BYTES = 5;
/** Half of the MAC, the least that RFC 2104 §5 allows: as hard to guess as a key of 128 bits. */
const TAG_BYTES = 16;

const TIME_AT = 1 + ID_BYTES;
const TAG_AT = TIME_AT + TIME_BYTES;
const VALUE_BYTES = TAG_AT + TAG_BYTES;

/** Base64url without padding. The bytes are a multiple of three, so that no two texts mean the same bytes. */
const VALUE = new RegExp(`^[A-Za-z0-9_-]{${(VALUE_BYTES / 3) * 4}}$`);

/** Values that were found right are known for as long as they are among the last ones. About 150 bytes each. */
const KNOWN_VALUES = 8192;

/**
 * The values of the cookies of one pool: version, opaque id of the backend, time, and a tag over pool, id and time. Whoever has the
 * secret knows them without a table; nobody else can make one, or tell an address of it. They tell nothing of the client: all
 * that are pinned to a backend in one second have the same.
 */
export class AffinityValues {
  readonly #mac: Mac;
  readonly #pool: string;
  readonly #ids: readonly Buffer[];
  /** Positions by the id as Latin-1. */
  readonly #indexes: ReadonlyMap<string, number>;
  readonly #known: BoundedMap<Pin> = new BoundedMap(KNOWN_VALUES);

  /** @param backends what identifies them, in the order of the pool. One MAC for each. */
  constructor(mac: Mac, pool: string, backends: readonly string[]) {
    this.#mac = mac;
    this.#pool = pool;
    this.#ids = backends.map((id) => Buffer.from(mac(Buffer.from(`backend\0${pool}\0${id}`))).subarray(0, ID_BYTES));
    this.#indexes = new Map(this.#ids.map((id, index) => [id.toString("latin1"), index]));
  }

  /** The value that pins a client to a backend. One MAC. */
  write({ index, issuedSeconds }: Pin): string {
    const bytes = Buffer.alloc(VALUE_BYTES);
    bytes[0] = VERSION;
    this.#ids[index]!.copy(bytes, 1);
    bytes.writeUIntBE(issuedSeconds, TIME_AT, TIME_BYTES);
    bytes.set(this.#tagOf(bytes), TAG_AT);
    return bytes.toString("base64url");
  }

  /**
   * What a value says; `null` where it is not one of this pool and secret, or of a backend that is gone. A look-up where it was seen
   * just now, else a MAC; what is wrong in form, or names no backend of the pool, costs none.
   */
  read(value: string): Pin | null {
    const known = this.#known.get(value);
    if (known !== null) return known;
    if (!VALUE.test(value)) return null;
    const bytes = Buffer.from(value, "base64url");
    const index = this.#indexes.get(bytes.toString("latin1", 1, TIME_AT));
    if (bytes[0] !== VERSION || index === undefined) return null;
    if (!isSame(bytes.subarray(TAG_AT), this.#tagOf(bytes))) return null;
    const pin = { index, issuedSeconds: bytes.readUIntBE(TIME_AT, TIME_BYTES) };
    // Only what is right is kept, so that nobody can push it out with guesses.
    this.#known.set(value, pin);
    return pin;
  }

  #tagOf(bytes: Buffer): Uint8Array {
    const message = Buffer.concat([Buffer.from(`cookie\0${this.#pool}\0`), bytes.subarray(0, TAG_AT)]);
    return this.#mac(message).subarray(0, TAG_BYTES);
  }
}

/** Compares in the same time wherever they differ, so that a tag cannot be guessed byte by byte. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) difference |= (a[i] ?? 0) ^ b[i]!;
  return difference === 0;
}
