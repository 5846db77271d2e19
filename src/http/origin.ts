import { BlockList, isIPv6 } from "node:net";
import type { Connection } from "../net/connection.ts";
import type { Origin } from "./streams.ts";

/** Prefix of an IPv4 address as a dual-stack socket shows it (RFC 4291 §2.5.5.2). */
const MAPPED = "::ffff:";

/** What a client without an address, on a unix socket, is called (RFC 7239 §6.2). */
export const UNKNOWN_ADDRESS = "unknown";

/** Addresses whose origin is kept, about 300 bytes each; then all are forgotten and learnt anew. */
const KNOWN_CLIENTS = 4096;

/** Tells who is at the other end of a client's connection, and whether what it says of others is believed. */
export class Origins {
  readonly #trusted: BlockList | null;
  readonly #via: boolean;
  /** A client comes back, and a proxy in front brings all of them under few addresses. */
  readonly #known: Map<string, Origin> = new Map();

  /** @param trustedProxies addresses and CIDR blocks */
  constructor(trustedProxies: readonly string[], via: boolean) {
    this.#trusted = trustedProxies.length === 0 ? null : blockList(trustedProxies);
    this.#via = via;
  }

  /** Asked once a connection. A client on a unix socket has no address: see `UNKNOWN_ADDRESS`. */
  of(connection: Connection): Origin {
    const raw = connection.remoteAddress ?? "";
    const known = this.#known.get(raw);
    if (known !== undefined) return known;
    const origin = this.#make(addressOf(connection));
    if (this.#known.size >= KNOWN_CLIENTS) this.#known.clear();
    this.#known.set(raw, origin);
    return origin;
  }

  #make(address: string): Origin {
    const trusted =
      this.#trusted !== null &&
      address !== UNKNOWN_ADDRESS &&
      this.#trusted.check(address, isIPv6(address) ? "ipv6" : "ipv4");
    const forwarded = Buffer.from(`X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: http\r\n`, "latin1");
    return { address, forwarded, trusted, via: this.#via };
  }
}

/** The address of the client of a connection. */
export function addressOf({ remoteAddress }: Connection): string {
  // A unix socket has none, which its type does not say.
  const raw: string | undefined = remoteAddress;
  if (raw === undefined || raw === "") return UNKNOWN_ADDRESS;
  return raw.startsWith(MAPPED) && raw.includes(".") ? raw.slice(MAPPED.length) : raw;
}

function blockList(blocks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = "", prefix] = block.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
