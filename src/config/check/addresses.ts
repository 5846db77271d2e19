import { WeirError } from "../../errors.ts";
import { isIPv4, isIPv6, parseAddress } from "../../address.ts";
import type { Address } from "../../address.ts";
import { nearest } from "../schema/suggest.ts";

/** The most that a weight may be: with it, sums over any pool stay whole numbers. */
export const MAX_WEIGHT = 65_535;

// One text for one address, so that it can be compared and be an identity.
function canonicalHost(host: string): string {
  if (host.includes(":") && isIPv6(host)) return new URL(`http://[${host}]/`).hostname.slice(1, -1); // RFC 5952
  return /^0\d|\.0\d/.test(host) && isIPv4(host) ? host.split(".").map(Number).join(".") : host;
}

function canonical(address: Address): Address {
  if (address.kind === "tcp") {
    return address.host === null ? address : { kind: "tcp", host: canonicalHost(address.host), port: address.port };
  }
  // The system would take the path to end at the NUL.
  if (!address.path.includes("\0")) return address;
  throw new WeirError(
    "CONFIG_BAD_ADDRESS",
    `${JSON.stringify(address.path)} is no path of a socket; use one without NUL`,
  );
}

// `http://:8001` is `:8001`: the scheme says nothing that the port does not.
function withoutEmptyHost(text: string): string {
  return text.replace(/^(?:http|tcp):\/\/(?=:)/i, "");
}

/**
 * Reads an address to listen on, in canonical form; without a host it means every interface, and port 0 lets the system choose.
 * @throws CONFIG_BAD_ADDRESS
 */
export function listenAddress(text: string): Address {
  return canonical(parseAddress(withoutEmptyHost(text)));
}

/**
 * Reads the address of a backend, in canonical form; without a host it means the loopback, `127.0.0.1`.
 * @throws CONFIG_BAD_ADDRESS
 */
export function backendAddress(text: string): Address {
  const address = canonical(parseAddress(withoutEmptyHost(text)));
  if (address.kind === "unix") return address;
  if (address.port === 0) {
    throw new WeirError(
      "CONFIG_BAD_ADDRESS",
      `"${text}" is no address of a backend: nothing can be reached at port 0; use a port from 1 to 65535`,
    );
  }
  return { kind: "tcp", host: address.host ?? "127.0.0.1", port: address.port };
}

/**
 * Reads a backend in its short form: an address, with or without `,weight=N`.
 * @throws CONFIG_BAD_ADDRESS, CONFIG_BAD_WEIGHT or CONFIG_UNKNOWN_KEY
 */
export function shortBackend(text: string): { readonly address: Address; readonly weight: number } {
  const [, start = text, name, value = ""] = /^(.*),\s*([A-Za-z]\w*)\s*=([^,]*)$/.exec(text) ?? [];
  // A path may hold commas and equals signs; only the one option that exists is taken off it.
  if (name === undefined || (text.startsWith("unix:") && name !== "weight"))
    return { address: backendAddress(text), weight: 1 };
  if (name !== "weight") {
    const meant = nearest(name, ["weight"])
      ? "; use weight"
      : "; use weight, or an object such as { address, maxConnections }";
    throw new WeirError("CONFIG_UNKNOWN_KEY", `"${text}": there is no option "${name}"${meant}`);
  }
  const digits = value.trim();
  const weight = Number(digits);
  if (!/^\d{1,5}$/.test(digits) || weight > MAX_WEIGHT) {
    throw new WeirError(
      "CONFIG_BAD_WEIGHT",
      `"${text}": "${digits}" is no weight; use a whole number from 0 to ${MAX_WEIGHT}; 0 takes no new work`,
    );
  }
  return { address: backendAddress(start.trim()), weight };
}

/**
 * Reads an IP address or a CIDR block (`10.0.0.0/8`, `fd00::/8`).
 * @throws CONFIG_BAD_ADDRESS
 */
export function ipOrBlock(text: string): string {
  const [ip = "", bits, ...more] = text.split("/");
  const version = isIPv4(ip) ? 4 : /^[\da-f:.]+$/i.test(ip) && isIPv6(ip) ? 6 : 0;
  const most = version === 4 ? 32 : 128;
  const bitsAreRight = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (version === 0 || !bitsAreRight || more.length > 0) {
    throw new WeirError(
      "CONFIG_BAD_ADDRESS",
      `"${text}" is neither an IP address nor a CIDR block; use a form such as 10.0.0.7, 10.0.0.0/8 or fd00::/8`,
    );
  }
  const host = canonicalHost(ip);
  return bits === undefined ? host : `${host}/${Number(bits)}`;
}
