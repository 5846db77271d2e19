import { lookup } from "node:dns/promises";
import { needsResolving } from "../address.ts";
import type { Address } from "../address.ts";
import type { Plan } from "../plan.ts";
import { finding } from "./problems.ts";
import type { Finding, Path } from "./problems.ts";

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

function namesOf(plan: Plan): Named[] {
  const found: Named[] = [];
  const add = (address: Address | null, path: Path): void => {
    if (address?.kind === "tcp" && address.host !== null && needsResolving(address))
      found.push({ name: address.host, path });
  };
  for (const { name, address } of plan.listeners) add(address, ["listeners", name, "address"]);
  for (const { name, backends } of plan.pools) {
    for (const [i, { address }] of backends.entries()) add(address, ["pools", name, "backends", i, "address"]);
  }
  add(plan.admin, ["admin", "address"]);
  return found;
}

/**
 * Resolves every name of a plan, each once and all at the same time; each is given 5 s.
 * @returns a finding for each place whose name does not resolve
 */
export async function unresolvedNames(
  plan: Plan,
  resolve: Lookup = lookup,
  deadlineMs: number = DEADLINE_MS,
): Promise<Finding[]> {
  const places = namesOf(plan);
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
