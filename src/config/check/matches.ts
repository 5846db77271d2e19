import { WeirError } from "../../errors.ts";
import { isIPv4, isIPv6 } from "../../address.ts";
import { normalPath } from "../../route/request-key.ts";
import { listenAddress } from "./addresses.ts";

function dead(what: string, use: string): WeirError {
  return new WeirError("CONFIG_DEAD_ROUTE", `${what}; use ${use}`);
}

/**
 * Reads the host that a route matches: lower-case, without a final dot; `*.` may stand before a name.
 * @throws CONFIG_DEAD_ROUTE where no request can have such a host
 */
export function routeHost(text: string): string {
  const wildcard = text.startsWith("*.");
  const name = wildcard ? text.slice(2) : text;
  if (text === "*") throw dead('"*" is no host', "no host key at all for every host");
  if (name.includes("*")) throw dead(`"${text}" is no host: * may only be its whole first label`, '"*.example.com"');
  if (/[^\u0000-\u007f]/.test(name) && URL.canParse(`http://${name}/`)) {
    throw dead(
      `"${text}" never matches: requests name this host in ASCII`,
      `"${wildcard ? "*." : ""}${new URL(`http://${name}/`).hostname}"`,
    );
  }
  if (!name.startsWith("[") && isIPv6(name))
    throw dead(`"${text}" never matches: an IPv6 address stands in brackets`, `"[${name}]"`);
  const host = hostOf(name);
  if (wildcard && host !== null && (isIPv4(host) || host.startsWith("["))) {
    throw dead(`"${text}" is no host: there are no names below an IP address`, "the address alone");
  }
  if (host !== null) return wildcard ? `*.${host}` : host;
  if (/^[^:]+:\d*$/.test(name))
    throw dead(`"${text}" never matches: the port of a request plays no part`, "the host alone");
  throw dead(`"${text}" is no host name`, 'a form such as "api.example.com" or "*.example.com"');
}

// The host in canonical form, or null where the text is something else or more.
function hostOf(name: string): string | null {
  if (/[/:@]/.test(name) && !name.startsWith("[")) return null;
  try {
    const address = listenAddress(`${name}:0`);
    if (address.kind === "unix" || address.host === null) return null;
    return isIPv6(address.host) ? `[${address.host}]` : address.host.replace(/\.$/, "");
  } catch {
    return null;
  }
}

/**
 * Reads the path that a route matches: exact, or a prefix that ends in `/*`.
 * @returns the path, or `null` for the prefix `/*`, which every path has
 * @throws CONFIG_DEAD_ROUTE where no request can have such a path
 */
export function routePath(text: string): string | null {
  if (!text.startsWith("/")) throw dead(`"${text}" never matches: every path begins with /`, `"/${text}"`);
  if (/[?#]/.test(text))
    throw dead(
      `"${text}" never matches: only the path is compared, without ? and #`,
      `"${text.replace(/[?#].*$/, "")}"`,
    );
  if (/[^\u0021-\u007e]/.test(text))
    throw dead(
      `"${text}" never matches: requests carry spaces and letters beyond ASCII percent-encoded`,
      `"${encodeURI(text)}"`,
    );
  const star = text.indexOf("*");
  if (star !== -1 && (star !== text.length - 1 || !text.endsWith("/*"))) {
    throw dead(`"${text}": * may only be the whole last segment`, '"/path/*" for a prefix');
  }
  const wildcard = text.endsWith("/*");
  const plain = normalPath(wildcard ? text.slice(0, -1) : text);
  const normal = wildcard ? `${plain}*` : plain;
  if (normal !== text)
    throw dead(
      `"${text}" never matches: paths are compared with dot segments resolved and letters decoded`,
      `"${normal}"`,
    );
  return text === "/*" ? null : text;
}
