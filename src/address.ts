import { WeirError } from "./errors.ts";

/** Where a listener accepts or a backend is reached. */
export type Address =
  | {
      readonly kind: "tcp";
      /** IP literal without brackets, or a name; `null` where only a port was given. */ readonly host: string | null;
      readonly port: number;
    }
  | { readonly kind: "unix"; readonly path: string };

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
// RFC 1123 §2.1: letters, digits and hyphens; underscores occur in container and service names.
const NAME =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?$/;

/** Tells whether the text is an IPv4 address in dotted form. */
export function isIPv4(text: string): boolean {
  return IPV4.test(text);
}

/** Tells whether the text is an IPv6 address without brackets. */
export function isIPv6(text: string): boolean {
  return /^[\da-f.]*:[\da-f:.]*$/i.test(text) && URL.canParse(`http://[${text}]/`);
}

/**
 * Reads `host:port`, `:port`, `[ipv6]:port`, `http://host:port`, `tcp://host:port` or `unix:/path`.
 * `http://host` means port 80. Port 0 is read as such: whoever listens lets the system choose.
 * @throws CONFIG_BAD_ADDRESS with what is wrong and the forms that are right
 */
export function parseAddress(text: string): Address {
  const bad = (why: string): WeirError =>
    new WeirError(
      "CONFIG_BAD_ADDRESS",
      `"${text}" is no address: ${why}; use host:port, :port, [ipv6]:port, http://host:port or unix:/path`,
    );
  if (text.startsWith("unix:")) {
    const path = text.slice(5).replace(/^\/\/(?=\/)/, "");
    if (path === "") throw bad("the path is empty");
    if (path.includes("\0")) throw bad("a path holds no NUL");
    // sun_path holds 108 bytes with its final NUL (unix(7)); 104 on BSD and macOS.
    if (Buffer.byteLength(path) > 103) throw bad("a socket path has at most 103 bytes");
    return { kind: "unix", path };
  }
  let rest = text;
  let defaultPort: number | null = null;
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text);
  if (scheme) {
    const name = (scheme[1] ?? "").toLowerCase();
    if (name !== "http" && name !== "tcp") throw bad(`the scheme ${name}:// is not supported`);
    rest = text.slice(scheme[0].length).replace(/\/$/, "");
    if (/[/?#]/.test(rest)) throw bad("an address has no path");
    if (name === "http") defaultPort = 80;
  }
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(rest);
  if (!match) throw bad(rest.split(":").length > 2 ? "an IPv6 address stands in brackets" : "it is not host:port");
  const [, v6, name, portText] = match;
  if (portText === undefined && defaultPort === null) throw bad("the port is missing");
  const port = portText === undefined ? Number(defaultPort) : Number(portText);
  if (portText !== undefined && (!/^\d{1,5}$/.test(portText) || port > 65535))
    throw bad(`the port must be a number from 0 to 65535, not "${portText}"`);
  if (v6 !== undefined) {
    if (!isIPv6(v6)) throw bad(`"${v6}" is no IPv6 address`);
    return { kind: "tcp", host: v6.toLowerCase(), port };
  }
  if (name === undefined || name === "") {
    if (scheme) throw bad("the host is missing");
    return { kind: "tcp", host: null, port };
  }
  if (/^[\d.]+$/.test(name) ? !isIPv4(name) : !NAME.test(name))
    throw bad(`"${name}" is neither an IP address nor a host name`);
  return { kind: "tcp", host: name.toLowerCase(), port };
}

/** The canonical text of an address: what logs, metrics and identities use. */
export function formatAddress(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const { host, port } = address;
  if (host === null) return `:${port}`;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether the host is a name that has to be resolved. */
export function needsResolving(address: Address): boolean {
  return address.kind === "tcp" && address.host !== null && !isIPv4(address.host) && !isIPv6(address.host);
}
