import { DEFAULT_COOKIE } from "../schema/defaults.ts";
import { finding } from "../files/problems.ts";
import type { Finding, Path } from "../files/problems.ts";
import { list, named, own, section } from "../files/raw.ts";

/** What is wrong with affinity beyond the form of its values: where there are no cookies, and where two pools share one. */
export function affinityFindings(config: unknown): Finding[] {
  const pools = new Map(named(own(config, "pools")).filter(([, pool]) => keeps(own(pool, "affinity"))));
  const listeners = named(own(config, "listeners"));
  const found: Finding[] = [];
  for (const name of pools.keys()) {
    const tcp = listeners.find(([, listener]) => own(listener, "mode") === "tcp" && poolsOf(listener).includes(name));
    if (tcp === undefined) continue;
    const message = `a tcp listener has no cookies, and the listener "${tcp[0]}" leads here`;
    const mend = "Remove it, or give that listener a pool of its own.";
    found.push({ ...finding("CONFIG_BAD_VALUE", ["pools", name, "affinity"], message, mend), part: "key" });
  }
  for (const [name, listener] of listeners)
    if (own(listener, "mode") !== "tcp") found.push(...shared(name, list(own(listener, "routes")), pools));
  return withoutTwins(found);
}

function keeps(affinity: unknown): boolean {
  return affinity === true || section(affinity) !== null;
}

function poolsOf(listener: unknown): unknown[] {
  return [own(listener, "pool"), ...list(own(listener, "routes")).map((route) => own(route, "pool"))];
}

/**
 * Pools that one host leads to and whose cookies have one name: each would overwrite the other's, and a client that asks for both
 * would be moved all the time. Hosts that differ have cookies of their own (RFC 6265 §5.3).
 */
function shared(listener: string, routes: readonly unknown[], pools: ReadonlyMap<string, unknown>): Finding[] {
  const first = new Map<string, string>();
  const found: Finding[] = [];
  for (const route of routes) {
    const name = own(route, "pool");
    if (typeof name !== "string" || !pools.has(name)) continue;
    const affinity = own(pools.get(name), "affinity");
    const cookie = own(affinity, "cookie") ?? DEFAULT_COOKIE;
    const place = JSON.stringify([own(route, "host") ?? null, cookie, own(affinity, "path") ?? "/"]);
    const other = first.get(place) ?? name;
    first.set(place, other);
    if (other === name) continue;
    const path: Path = ["pools", name, "affinity", ...(own(affinity, "cookie") === undefined ? [] : ["cookie"])];
    const message = `the pool "${other}" has a cookie of the same name, and the listener "${listener}" leads to both`;
    found.push(finding("CONFIG_BAD_VALUE", path, message, `Name another cookie, such as "${DEFAULT_COOKIE}-${name}".`));
  }
  return found;
}

/** One finding a place: several routes and listeners lead to one pool. */
function withoutTwins(findings: readonly Finding[]): Finding[] {
  const places = new Set<string>();
  return findings.filter(({ path }) => {
    const place = JSON.stringify(path);
    const isNew = !places.has(place);
    places.add(place);
    return isNew;
  });
}
