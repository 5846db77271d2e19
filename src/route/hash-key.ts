import { CRC32_START, crc32Byte, crc32End } from "../balance/crc32.ts";
import type { Head } from "../http/head.ts";
import { UNKNOWN_ADDRESS } from "../http/origin.ts";
import type { Origin } from "../http/streams.ts";
import type { KeyPart } from "../plan.ts";
import type { PoolKey } from "../proxy/target.ts";
import { withCookie, withForwarded, withHeader, withHost, withPath, withQuery, withText } from "./key-bytes.ts";

/** Stands between the parts of a key, as hardly one of them can hold it: "ab" and "c" are not "a" and "bc". */
const BETWEEN = 0;

/** A part with its name as the bytes to look for. */
interface Wanted {
  readonly kind: KeyPart["kind"];
  readonly name: Buffer;
}

/**
 * Makes the key by which a policy chooses: the CRC-32 of the bytes of one part, or of all parts with a NUL between each two.
 *
 * - `source`: the client's address as text. Behind a trusted proxy it is the last address of `X-Forwarded-For`, which that
 *   proxy wrote: otherwise all its clients would be one.
 * - `path`, `host`: what routes match (`request-key.ts`), so that two ways to write one path or host are one key.
 * - `header`: the value; of several fields of that name their values with a comma and a space between (RFC 9110 §5.3).
 * - `cookie`: the value of the first cookie of that name, whichever field it is in.
 * - `query`: the value of the first parameter of that name, decoded (`%40`, and `+` for a space).
 *
 * Where a header, cookie, parameter or host is missing or empty, the client's address stands in for it: requests without it would
 * otherwise all go to one backend. A client on a unix socket has no address: each of its requests gets a key of its own.
 *
 * Reads bytes and makes no string, but for a path with an escape or a dot segment. O(fields + bytes of the parts).
 */
export class HashKey implements PoolKey {
  readonly #parts: readonly Wanted[];
  /** How many keys were made up for clients without an address. */
  #madeUp = 0;

  /** @param parts never empty */
  constructor(parts: readonly KeyPart[]) {
    this.#parts = parts.map((part) => ({ kind: part.kind, name: Buffer.from("name" in part ? part.name : "") }));
  }

  ofRequest(request: Head, origin: Origin): number {
    let crc = CRC32_START;
    for (let i = 0; i < this.#parts.length; i++) {
      if (i > 0) crc = crc32Byte(crc, BETWEEN);
      const before = crc;
      crc = withPart(crc, this.#parts[i]!, request);
      // No bytes leave it as it is; as good as no others do.
      if (crc === before) crc = this.#withSource(crc, request, origin);
    }
    return crc32End(crc);
  }

  ofConnection(address: string): number {
    return crc32End(this.#withAddress(CRC32_START, address));
  }

  #withSource(crc: number, request: Head, { address, trusted }: Origin): number {
    const forwarded = trusted ? withForwarded(crc, request) : crc;
    return forwarded === crc ? this.#withAddress(crc, address) : forwarded;
  }

  #withAddress(crc: number, address: string): number {
    if (address !== UNKNOWN_ADDRESS) return withText(crc, address);
    const number = this.#madeUp++;
    let state = crc;
    for (let shift = 0; shift < 32; shift += 8) state = crc32Byte(state, number >>> shift);
    return state;
  }
}

/** The state after a part; as it was where the part is missing or empty, and for `source`. */
function withPart(crc: number, { kind, name }: Wanted, request: Head): number {
  switch (kind) {
    case "source":
      return crc;
    case "path":
      return withPath(crc, request);
    case "host":
      return withHost(crc, request);
    case "header":
      return withHeader(crc, request, name);
    case "cookie":
      return withCookie(crc, request, name);
    case "query":
      return withQuery(crc, request, name);
  }
}
