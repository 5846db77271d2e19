import { formatAddress } from "../../address.ts";
import type { Address } from "../../address.ts";
import { listenAddress } from "./addresses.ts";
import { poolsOf } from "./check-limits.ts";
import { nameFindings } from "./check-pools.ts";
import { routeFindings } from "./check-routes.ts";
import { DEFAULT_ADMIN } from "../schema/defaults.ts";
import { finding } from "../files/problems.ts";
import type { Finding, Path } from "../files/problems.ts";
import { list, named, own, section } from "../files/raw.ts";

// What only HTTP has: on a tcp listener it would silently do nothing.
const HTTP_ONLY: Readonly<Record<string, readonly string[]>> = {
  timeouts: ["head", "keepAlive", "body", "response", "idleBackend", "total"],
  limits: ["head", "fields", "target", "body", "idleConnections"],
  retry: ["perAttemptTimeout", "methods"],
};

/** What is wrong between the parts of listeners: with their addresses, their routes, and keys that their mode has not. */
export function listenerFindings(config: unknown): Finding[] {
  const section_ = own(config, "listeners");
  const listeners = named(section_);
  const found = nameFindings(
    "listener",
    listeners.map(([name]) => name),
    ["listeners"],
  );
  if (section(section_) && listeners.length === 0) {
    found.push(finding("CONFIG_MISSING_KEY", ["listeners"], "there is no listener", "Add at least one."));
  }
  for (const [name, listener] of listeners) {
    const path: Path = ["listeners", name];
    if (own(listener, "mode") === "tcp") {
      found.push(...httpKeys(listener, path));
      for (const [i, route] of list(own(listener, "routes")).entries())
        found.push(...httpKeys(route, [...path, "routes", i]));
    }
    found.push(...routeFindings(listener, path, own(config, "pools")));
  }
  const onlyTcp = onlyOfTcp(listeners);
  for (const [name, pool] of named(own(config, "pools")))
    if (onlyTcp.has(name)) found.push(...httpKeys(pool, ["pools", name]));
  return [...found, ...clashes(listeners, own(config, "admin"))];
}

/** Names of the pools that listeners lead to, and all of those are tcp. */
function onlyOfTcp(listeners: readonly [name: string, value: unknown][]): ReadonlySet<string> {
  const isTcp = ([, listener]: readonly [string, unknown]): boolean => own(listener, "mode") === "tcp";
  const only = new Set(listeners.filter(isTcp).flatMap(([, listener]) => poolsOf(listener)));
  if (only.size === 0) return only;
  for (const each of listeners) if (!isTcp(each)) for (const pool of poolsOf(each[1])) only.delete(pool);
  return only;
}

function httpKeys(listener: unknown, path: Path): Finding[] {
  const found: Finding[] = [];
  const refuse = (place: Path): void => {
    const who = path[0] === "pools" ? "a pool that only tcp listeners lead to" : 'a listener with mode "tcp"';
    const message = `${who} has no "${place.at(-1)}": it never reads what passes`;
    found.push({ ...finding("CONFIG_UNKNOWN_KEY", place, message, "Remove it, or use mode http."), part: "key" });
  };
  if (own(listener, "via") === true) refuse([...path, "via"]);
  if (section(own(listener, "hedge"))) refuse([...path, "hedge"]);
  for (const [i, on] of list(own(own(listener, "retry"), "on")).entries()) {
    if (typeof on === "number" || !Number.isNaN(Number(on))) refuse([...path, "retry", "on", i]);
  }
  for (const [group, keys] of Object.entries(HTTP_ONLY)) {
    for (const key of keys) if (own(own(listener, group), key) !== undefined) refuse([...path, group, key]);
  }
  return found;
}

interface Taken {
  readonly address: Address;
  readonly path: Path;
  readonly what: string;
}

function clashes(listeners: readonly [name: string, value: unknown][], admin: unknown): Finding[] {
  const taken: Taken[] = [];
  const found: Finding[] = [];
  const adminPath: Path = section(admin) ? ["admin", "address"] : ["admin"];
  const all: [unknown, Path, string][] = listeners.map(([name, listener]) => [
    own(listener, "address"),
    ["listeners", name, "address"],
    `listener "${name}"`,
  ]);
  all.push([(section(admin) ? own(admin, "address") : admin) ?? DEFAULT_ADMIN, adminPath, "the admin API"]);
  for (const [text, path, what] of all) {
    const address = text === "off" && path[0] === "admin" ? null : readAddress(text);
    if (address === null) continue;
    const other = taken.find((earlier) => clash(earlier.address, address));
    // Where nobody chose the admin API's address, the listener's is the one to point at.
    const place = what === "the admin API" && admin === undefined && other ? other.path : path;
    if (other) {
      const both = `${formatAddress(address)} of ${what} and ${formatAddress(other.address)} of ${other.what} are the same address`;
      found.push(finding("CONFIG_DUPLICATE_LISTENER", place, both));
    }
    taken.push({ address, path, what });
  }
  return found;
}

function readAddress(text: unknown): Address | null {
  if (typeof text !== "string") return null;
  try {
    return listenAddress(text);
  } catch {
    return null; // the schema says what is wrong with it
  }
}

function clash(a: Address, b: Address): boolean {
  if (a.kind === "unix" || b.kind === "unix") return a.kind === "unix" && b.kind === "unix" && a.path === b.path;
  if (a.port !== b.port || a.port === 0) return false;
  return isEverything(a.host) || isEverything(b.host) || asIp(a.host) === asIp(b.host);
}

// `::` takes the IPv4 port too unless the system is told otherwise, so all three are one.
function isEverything(host: string | null): boolean {
  return host === null || host === "0.0.0.0" || host === "::";
}

function asIp(host: string | null): string | null {
  return host === "localhost" ? "127.0.0.1" : host;
}
