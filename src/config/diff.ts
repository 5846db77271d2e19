import { formatAddress } from "../address.ts";
import type { BackendPlan, ListenerPlan, Plan, PoolPlan, RoutePlan } from "../plan.ts";
import { atOnce, type Steps } from "../steps.ts";

/** Things of one step that differ: each costs a microsecond or two. */
const STEP = 50;
/** The same of things that are looked at. */
const STEP_ALIKE = 1000;

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
  return atOnce(diffed(before, after));
}

/** The same in steps, for whoever has others to serve meanwhile. */
export function* diffed(before: Plan, after: Plan): Steps<readonly Change[]> {
  return [
    ...(yield* among(before.listeners, after.listeners, nameOf, listenerChange, routeChanges)),
    ...(yield* among(before.pools, after.pools, nameOf, poolChange, backendChanges)),
    ...settingChanges(before, after),
  ];
}

type What = Change["what"];
type Described = Pick<Change, "what" | "name"> & { readonly added: string; readonly settings: object };

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

/** Compares two lists of things with identities: what came, what changed and what went, each with what is inside it. */
function* among<T extends object>(
  before: readonly T[],
  after: readonly T[],
  identity: (each: T) => string,
  describe: (each: T) => Described,
  inside?: (before: T, after: T) => Steps<readonly Change[]>,
): Steps<readonly Change[]> {
  if (before === after) return [];
  const old = new Map<string, T>();
  for (const each of yield* without(before, after)) if (old.set(identity(each), each).size % STEP === 0) yield;
  const changes: Change[] = [];
  for (const [i, each] of (yield* without(after, before)).entries()) {
    if (i % STEP === 0) yield;
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
    if (inside !== undefined) changes.push(...(yield* inside(was, each)));
  }
  for (const each of old.values()) {
    const { what, name } = describe(each);
    changes.push({ kind: "removed", what, name, detail: "" });
  }
  return changes;
}

/** Of a list those that are not the very same objects in another one. */
function* without<T extends object>(list: readonly T[], other: readonly T[]): Steps<readonly T[]> {
  const those = new Set(other);
  yield;
  const left: T[] = [];
  for (const [i, each] of list.entries()) {
    if (i % STEP_ALIKE === 0) yield;
    if (!those.has(each)) left.push(each);
  }
  return left;
}

function listenerChange({ name, routes, ...settings }: ListenerPlan): Described {
  const { address, mode } = settings;
  const added = `${formatAddress(address)}, ${mode}, ${counted(routes.length, "route")}`;
  return { what: "listener", name, added, settings: { ...settings, address: formatAddress(address) } };
}

function routeChanges(before: ListenerPlan, after: ListenerPlan): Steps<readonly Change[]> {
  const describe = (route: RoutePlan): Described => ({
    what: "route",
    name: `${after.name}: ${matchOf(route)}`,
    added: `to ${route.pool}`,
    settings: route,
  });
  const order = { what: "listener", name: after.name, detail: "order of its routes" } as const;
  return amongOrdered(before.routes, after.routes, matchOf, describe, order);
}

/** The same where the order counts: whether things stand in another one, and what came and went does not explain it. */
function* amongOrdered<T extends object>(
  before: readonly T[],
  after: readonly T[],
  identity: (each: T) => string,
  describe: (each: T) => Described,
  order: Omit<Change, "kind">,
): Steps<readonly Change[]> {
  if (before === after) return [];
  const changes = yield* among(before, after, identity, describe);
  if (changes.some(({ kind }) => kind !== "changed")) return changes;
  for (const [i, each] of before.entries()) {
    if (i % STEP_ALIKE === 0) yield;
    const there = after[i] ?? each;
    if (each !== there && identity(each) !== identity(there)) return [...changes, { kind: "changed", ...order }];
  }
  return changes;
}

/** What a route matches, which is what it is known by in its listener: `example.com/api/*`, `*` for everything. */
function matchOf({ host, path }: RoutePlan): string {
  return host === null && path === null ? "*" : `${host ?? ""}${path ?? ""}`;
}

function poolChange({ name, backends, ...settings }: PoolPlan): Described {
  return { what: "pool", name, added: `${settings.policy.name}, ${counted(backends.length, "backend")}`, settings };
}

function backendChanges(before: PoolPlan, after: PoolPlan): Steps<readonly Change[]> {
  const describe = (backend: BackendPlan): Described => ({
    what: "backend",
    name: `${after.name}/${backend.id}`,
    added: `weight ${backend.weight}`,
    settings: backend,
  });
  // `first` and the sequence of round robin go by it.
  const order = { what: "pool", name: after.name, detail: "order of its backends" } as const;
  return amongOrdered(before.backends, after.backends, ({ id }) => id, describe, order);
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
  const told: string[] = [];
  for (const key of keysOf(before, after)) {
    const text = difference(key, entry(before, key), entry(after, key));
    if (text !== null) told.push(text);
  }
  return told.join(", ");
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
  return [...Object.keys(before), ...Object.keys(after).filter((key) => !Object.hasOwn(before, key))];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
