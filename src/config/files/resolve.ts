import { lookup } from "node:dns/promises";
import { needsResolving, parseAddress } from "../../address.ts";
import type { Address } from "../../address.ts";
import { finding } from "./problems.ts";
import type { Finding, Path } from "./problems.ts";
import { list, named, own, section } from "./raw.ts";

/** Resolves a name, or rejects with the reason why it cannot. */
export type Lookup = (name: string) => Promise<unknown>;

// As long as the system's own resolver waits for one server (resolv.conf(5), `timeout`).
const DEADLINE_MS = 5000;

interface Named {
  readonly name: string;
  readonly path: Path;
}

/** Waits for a promise at most so long; then it rejects with `message`. The promise itself goes on. */
export async function within<T>(promise: Promise<T>, ms: number, message: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(message)), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The names in a configuration that may be wrong elsewhere: what is no address is told by others. */
function namesOf(config: unknown): Named[] {
  const found: Named[] = [];
  const add = (given: unknown, path: Path): void => {
    if (typeof given !== "string") return;
    const address = addressIn(given);
    if (address?.kind === "tcp" && address.host !== null && needsResolving(address))
      found.push({ name: address.host, path });
  };
  const addEither = (given: unknown, path: Path): void =>
    section(given) === null ? add(given, path) : add(own(given, "address"), [...path, "address"]);
  for (const [name, listener] of named(own(config, "listeners"))) addEither(listener, ["listeners", name]);
  for (const [name, pool] of named(own(config, "pools")))
    for (const [i, backend] of list(own(pool, "backends")).entries())
      addEither(backend, ["pools", name, "backends", i]);
  addEither(own(config, "admin"), ["admin"]);
  return found;
}

function addressIn(text: string): Address | null {
  try {
    return parseAddress(text.replace(/,weight=.*$/, ""));
  } catch {
    return null;
  }
}

/**
 * Resolves every name of a configuration, each once and all at the same time; each is given 5 s.
 * @returns a finding for each place whose name does not resolve
 */
export async function unresolvedNames(
  config: unknown,
  resolve: Lookup = lookup,
  deadlineMs: number = DEADLINE_MS,
): Promise<Finding[]> {
  const places = namesOf(config);
  const reasons = new Map<string, string>();
  const one = async (name: string): Promise<void> => {
    try {
      await within(resolve(name), deadlineMs, `no answer within ${deadlineMs / 1000} s`);
    } catch (error) {
      reasons.set(name, reasonOf(error));
    }
  };
  await Promise.all([...new Set(places.map(({ name }) => name))].map(one));
  return places.flatMap(({ name, path }) => {
    const reason = reasons.get(name);
    return reason === undefined
      ? []
      : [finding("CONFIG_NAME_UNRESOLVED", path, `the name "${name}" does not resolve: ${reason}`)];
  });
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "ENOTFOUND" || code === "DNS_ENOTFOUND") return "there is no such name";
  if (typeof code === "string") return code;
  return error instanceof Error ? error.message : String(error);
}
