import { isIPv4 } from "../address.ts";
import { UNKNOWN_ADDRESS } from "../http/origin.ts";
import type { Bound } from "./crowd.ts";

/** Groups of an IPv6 address that stand for one client: whoever has one address of a subnet has all of its /64 to choose from (RFC 4291 §2.5.4). */
const IPV6_GROUPS = 4;

/**
 * How many connections there are from each source address, and whether one more may come. A source has an entry only while it has a
 * connection, so there are never more entries than connections. O(1).
 */
export class Sources implements Bound {
  readonly code = "CLIENT_TOO_MANY_CONNECTIONS";
  /** Connections that one source may have at a time. */
  most: number;
  readonly #counts: Map<string, number> = new Map();

  constructor(most: number) {
    this.most = most;
  }

  /** Another bound from now on. */
  limit(most: number): void {
    this.most = most;
  }

  /** Sources that have a connection. */
  get size(): number {
    return this.#counts.size;
  }

  /** Counts a connection; one without an address is let in and not counted. @returns whether there was room for it */
  enter(source: string | null): boolean {
    if (source === null) return true;
    const count = this.#counts.get(source) ?? 0;
    if (count >= this.most) return false;
    this.#counts.set(source, count + 1);
    return true;
  }

  /** A connection that was counted has gone. */
  leave(source: string | null): void {
    if (source === null) return;
    const count = this.#counts.get(source) ?? 0;
    if (count > 1) this.#counts.set(source, count - 1);
    else this.#counts.delete(source);
  }
}

/**
 * What connections are counted by: an IPv4 address, the /64 of an IPv6 address.
 * @param address as `addressOf` tells it
 * @returns `null` for a client without an address, as on a unix socket
 */
export function sourceOf(address: string): string | null {
  if (address === UNKNOWN_ADDRESS) return null;
  if (isIPv4(address)) return address;
  const [text = ""] = address.split("%");
  const [before = "", after] = text.split("::");
  const groups = before === "" ? [] : before.split(":");
  if (after === undefined) return groups.slice(0, IPV6_GROUPS).join(":");
  // What `::` stands for, as far as it belongs to the prefix.
  const behind = after === "" ? [] : after.split(":");
  while (groups.length + behind.length < 8) groups.push("0");
  return [...groups, ...behind].slice(0, IPV6_GROUPS).join(":");
}
