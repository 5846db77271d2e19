import { DEFAULT_OPTIONS, type Policy } from "../../balance/policy.ts";
import { POLICIES } from "../../balance/registry.ts";
import { tcpListeners } from "./check-limits.ts";
import { finding } from "../files/problems.ts";
import type { Finding, Path } from "../files/problems.ts";
import { named, own } from "../files/raw.ts";

/** What is wrong with the policies of pools beyond the form of their values: options that a policy has not, and keys where there is no HTTP. */
export function policyFindings(config: unknown): Finding[] {
  const tcpOf = tcpListeners(config);
  return named(own(config, "pools")).flatMap(([name, pool]) => {
    const policy = own(pool, "policy");
    const path: Path = ["pools", name, "policy"];
    const found = optionFindings(policy, path);
    // One that has no key needs none that suits.
    if (found.some(({ path: at }) => at.at(-1) === "key")) return found;
    const tcp = tcpOf.get(name);
    return tcp === undefined ? found : [...found, ...httpKeys(own(policy, "key"), [...path, "key"], tcp)];
  });
}

function optionFindings(policy: unknown, path: Path): Finding[] {
  const name = own(policy, "name");
  const meant = typeof name === "string" ? POLICIES.get(name) : undefined;
  if (meant === undefined) return []; // the schema says so
  const found: Finding[] = [];
  const refuse = (key: string, why: string, others: readonly string[]): void => {
    if (own(policy, key) === undefined) return;
    const message = `the policy "${meant.name}" has no "${key}": ${why}`;
    const mend = `Remove it, or use ${others.join(", ")}.`;
    found.push({ ...finding("CONFIG_UNKNOWN_KEY", [...path, key], message, mend), part: "key" });
  };
  if (!meant.keyed) {
    const keyed = namesOf(({ keyed: has }) => has);
    refuse("key", "it does not choose by what is asked for", keyed);
    refuse("maxLoadFactor", "it bounds policies that choose by a key", keyed);
  }
  if (meant.loads.length === 0) {
    const why = meant.learns(DEFAULT_OPTIONS) ? "what it compares is fixed" : "it compares no loads";
    refuse(
      "load",
      why,
      namesOf(({ loads }) => loads.length > 0),
    );
  }
  return found;
}

function namesOf(has: (policy: Policy) => boolean): string[] {
  return [...POLICIES.values()].filter(has).map(({ name }) => name);
}

function httpKeys(key: unknown, path: Path, listener: string): Finding[] {
  const parts: readonly (readonly [unknown, Path])[] = Array.isArray(key)
    ? key.map((part: unknown, i) => [part, [...path, i]] as const)
    : [[key, path]];
  return parts
    .filter(([part]) => typeof part === "string" && part !== "source")
    .map(([, at]) => {
      const message = `a tcp listener has only the source address, and the listener "${listener}" leads here`;
      return finding("CONFIG_BAD_VALUE", at, message, "Use source, or give that listener a pool of its own.");
    });
}
