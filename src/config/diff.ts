import { formatAddress } from "../address.ts";
import type { BackendPlan, ListenerPlan, Plan, PoolPlan, RoutePlan } from "../plan.ts";

/** One difference between two plans. */
export interface Change {
  readonly kind: "added" | "removed" | "changed";
  readonly what: "listener" | "route" | "pool" | "backend" | "setting";
  /** `web`, `web: example.com/api/*`, `app`, `app/127.0.0.1:8001`, `shutdownMs`. */
  readonly name: string;
  /** What there is to say besides: an address, `weight 1 → 2, tier`. May be empty. */
  readonly detail: string;
}

/**
 * What differs from one plan to another, in the order of the plans: listeners with their routes, pools with their backends, settings.
 * Secrets are never told. O(parts); what is the same object costs a comparison.
 */
export function diff(before: Plan, after: Plan): readonly Change[] {
  return [
    ...among(before.listeners, after.listeners, nameOf, listenerChange, routeChanges),
    ...among(before.pools, after.pools, nameOf, poolChange, backendChanges),
    ...settingChanges(before, after),
  ];
}

type What = Change["what"];
type Described = Pick<Change, "what" | "name"> & { readonly added: string; readonly settings: object };

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

/** Compares two lists of things with identities: what came, what changed and what went, each with what is inside it. */
function among<T extends object>(
  before: readonly T[],
  after: readonly T[],
  identity: (each: T) => string,
  describe: (each: T) => Described,
  inside: (before: T, after: T) => readonly Change[] = () => [],
): Change[] {
  if (before === after) return [];
  const [known, stay] = [new Set(before), new Set(after)];
  const old = new Map(before.filter((each) => !stay.has(each)).map((each) => [identity(each), each]));
  const changes: Change[] = [];
  for (const each of after) {
    if (known.has(each)) continue;
    const id = identity(each);
    const was = old.get(id);
    old.delete(id);
    if (was === undefined) {
      const { what, name, added } = describe(each);
      changes.push({ kind: "added", what, name, detail: added });
      continue;
    }
    const { what, name, settings } = describe(each);
    const detail = differences(describe(was).settings, settings);
    if (detail !== "") changes.push({ kind: "changed", what, name, detail });
    changes.push(...inside(was, each));
  }
  for (const each of old.values()) {
    const { what, name } = describe(each);
    changes.push({ kind: "removed", what, name, detail: "" });
  }
  return changes;
}

function listenerChange({ name, routes, ...settings }: ListenerPlan): Described {
  const { address, mode } = settings;
  const added = `${formatAddress(address)}, ${mode}, ${counted(routes.length, "route")}`;
  return { what: "listener", name, added, settings: { ...settings, address: formatAddress(address) } };
}

function routeChanges(before: ListenerPlan, after: ListenerPlan): readonly Change[] {
  if (before.routes === after.routes) return [];
  const describe = (route: RoutePlan): Described => ({
    what: "route",
    name: `${after.name}: ${matchOf(route)}`,
    added: `to ${route.pool}`,
    settings: route,
  });
  const changes = among(before.routes, after.routes, matchOf, describe);
  const reordered = changes.every(({ kind }) => kind === "changed") && !before.routes.every(isAt(after.routes));
  return reordered
    ? [...changes, { kind: "changed", what: "listener", name: after.name, detail: "order of its routes" }]
    : changes;
}

function isAt(routes: readonly RoutePlan[]): (route: RoutePlan, index: number) => boolean {
  return (route, index) => route === routes[index] || matchOf(route) === matchOf(routes[index] ?? route);
}

/** What a route matches, which is what it is known by in its listener: `example.com/api/*`, `*` for everything. */
function matchOf({ host, path }: RoutePlan): string {
  return host === null && path === null ? "*" : `${host ?? ""}${path ?? ""}`;
}

function poolChange({ name, backends, ...settings }: PoolPlan): Described {
  return { what: "pool", name, added: `${settings.policy.name}, ${counted(backends.length, "backend")}`, settings };
}

function backendChanges(before: PoolPlan, after: PoolPlan): readonly Change[] {
  const describe = (backend: BackendPlan): Described => ({
    what: "backend",
    name: `${after.name}/${backend.id}`,
    added: `weight ${backend.weight}`,
    settings: backend,
  });
  return among(before.backends, after.backends, ({ id }) => id, describe);
}

function settingChanges(before: Plan, after: Plan): readonly Change[] {
  const { listeners: _oldListeners, pools: _oldPools, ...old } = before;
  const { listeners: _listeners, pools: _pools, ...settings } = after;
  const what: What = "setting";
  return keysOf(old, settings).flatMap((name): Change[] => {
    const detail = difference("", entry(old, name), entry(settings, name));
    return detail === null ? [] : [{ kind: "changed", what, name, detail: detail.trim() }];
  });
}

/** `weight 1 → 2, tier 0 → 1`; empty where nothing differs. */
function differences(before: object, after: object): string {
  return keysOf(before, after)
    .map((key) => difference(key, entry(before, key), entry(after, key)))
    .filter((text) => text !== null)
    .join(", ");
}

/** One that is simple is told from and to, of any other only that it differs: it may hold a secret, or be long. */
function difference(key: string, before: unknown, after: unknown): string | null {
  if (before === after) return null;
  if (isPlain(before) && isPlain(after)) return `${key} ${shown(before)} → ${shown(after)}`;
  if (Bun.deepEquals(before, after)) return null;
  if (isSection(before) && isSection(after)) {
    const inner = keysOf(before, after).filter((each) => !Bun.deepEquals(entry(before, each), entry(after, each)));
    return inner.map((each) => (key === "" ? each : `${key}.${each}`)).join(", ");
  }
  return key === "" ? "changed" : key;
}

function isPlain(value: unknown): boolean {
  return value === null || ["string", "number", "boolean", "undefined"].includes(typeof value);
}

function isSection(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return value === null || value === undefined ? "none" : `${value as string | number | boolean}`;
}

function entry(of: object, key: string): unknown {
  return (of as Readonly<Record<string, unknown>>)[key];
}

function keysOf(before: object, after: object): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
