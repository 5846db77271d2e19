import type { Address } from "../address.ts";
import { isIPv4, parseAddress } from "../address.ts";
import type { System } from "./libc.ts";

/** The 16 bytes of an IPv6 address; `isIPv6(text)` holds. */
export function ipv6Bytes(text: string): Uint8Array {
  // The URL parser writes any form (`::`, an IPv4 tail) as groups of hexadecimal digits (WHATWG URL §3.6).
  const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array<string>(zeros).fill("0"), ...after];
  const bytes = new Uint8Array(16);
  groups.forEach((group, index) => new DataView(bytes.buffer).setUint16(index * 2, Number.parseInt(group, 16)));
  return bytes;
}

/** What `bind` and `connect` take, with the address family it belongs to. */
export interface SocketAddress {
  readonly family: number;
  readonly bytes: Uint8Array;
}

function begin(system: System, family: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (system.lengthByte) {
    bytes[0] = length;
    bytes[1] = family;
  } else {
    // sa_family is a number of the machine's own byte order; every machine that Bun runs on is little-endian.
    new DataView(bytes.buffer).setUint16(0, family, true);
  }
  return bytes;
}

/**
 * The system's form of an address (ip(7), ipv6(7), unix(7)).
 * @param address an IP literal or a unix path; a host of `null` is every interface, over IPv6
 */
export function socketAddress(system: System, address: Address): SocketAddress {
  if (address.kind === "unix") {
    const path = Buffer.from(address.path);
    const bytes = begin(system, system.AF_UNIX, 2 + path.length + 1); // with the final NUL
    bytes.set(path, 2);
    return { family: system.AF_UNIX, bytes };
  }
  const host = address.host ?? "::";
  const v4 = isIPv4(host);
  const bytes = begin(system, v4 ? system.AF_INET : system.AF_INET6, v4 ? 16 : 28);
  new DataView(bytes.buffer).setUint16(2, address.port);
  if (v4) bytes.set(host.split(".").map(Number), 4);
  else bytes.set(ipv6Bytes(host), 8); // after the flow label
  return { family: v4 ? system.AF_INET : system.AF_INET6, bytes };
}

/** The port in an address of IPv4 or IPv6, as `getsockname` gives it. */
export function portOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint16(2);
}

/** What `getsockname` says, as an address; `null` for a family that Weir does not listen on, or a socket without a name. */
export function readSocketAddress(system: System, bytes: Uint8Array): Address | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const family = system.lengthByte ? view.getUint8(1) : view.getUint16(0, true);
  if (family === system.AF_UNIX) {
    const end = bytes.indexOf(0, 2);
    const path = Buffer.from(bytes.subarray(2, end === -1 ? undefined : end)).toString();
    return path === "" ? null : { kind: "unix", path };
  }
  if (family === system.AF_INET) return parseAddress(`${bytes.subarray(4, 8).join(".")}:${portOf(bytes)}`);
  if (family !== system.AF_INET6) return null;
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(8 + 2 * i).toString(16));
  const every = groups.every((group) => group === "0");
  return parseAddress(every ? `:${portOf(bytes)}` : `[${groups.join(":")}]:${portOf(bytes)}`);
}
