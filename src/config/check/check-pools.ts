import { backendIdOf } from "../overlay/overlay.ts";
import { finding } from "../files/problems.ts";
import type { Finding, Path } from "../files/problems.ts";
import { list, named, own } from "../files/raw.ts";

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;

/** Names end up in logs, metrics and URLs, so they are plain. */
export function nameFindings(kind: string, names: readonly string[], path: Path): Finding[] {
  const message = `the name of a ${kind} has 1 to 64 letters, digits, _, - and ., and begins with none of the last two`;
  return names
    .filter((name) => !NAME.test(name) || name === "__proto__")
    .map((name) => ({ ...finding("CONFIG_BAD_VALUE", [...path, name], message, "Choose another name."), part: "key" }));
}

/**
 * What is wrong between the parts of pools: none or twice the same backend. Reads the configuration as the user gave it,
 * so that it finds all it can in one that is wrong elsewhere.
 */
export function poolFindings(config: unknown): Finding[] {
  const pools = named(own(config, "pools"));
  const found = nameFindings(
    "pool",
    pools.map(([name]) => name),
    ["pools"],
  );
  for (const [name, pool] of pools) {
    const backends = own(pool, "backends");
    const path: Path = ["pools", name, "backends"];
    if (Array.isArray(backends) && backends.length === 0) {
      found.push(finding("CONFIG_EMPTY_POOL", path, "the pool has no backends"));
    }
    found.push(...duplicates(list(backends), path));
  }
  return found;
}

function duplicates(backends: readonly unknown[], path: Path): Finding[] {
  const first = new Map<string, number>();
  const found: Finding[] = [];
  for (const [i, backend] of backends.entries()) {
    const id = backendIdOf(backend);
    if (id === null) continue;
    const earlier = first.get(id);
    if (earlier === undefined) {
      first.set(id, i);
      continue;
    }
    const place = typeof backend === "string" ? [...path, i] : [...path, i, "address"];
    const message = `${id} already stands in the pool, as backends[${earlier}]`;
    found.push(finding("CONFIG_DUPLICATE_BACKEND", place, message));
  }
  return found;
}
