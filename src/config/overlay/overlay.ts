import { formatAddress } from "../../address.ts";
import { backendAddress, shortBackend } from "../check/addresses.ts";
import { routeHost, routePath } from "../check/matches.ts";
import { list, own, section } from "../files/raw.ts";

/**
 * One change made to a running Weir, over what its configuration says. Values are as a user writes them in a configuration: what is wrong
 * with them is found where the whole is read.
 */
export type Change =
  | {
      readonly kind: "backend-state";
      readonly pool: string;
      /** Canonical address. */ readonly backend: string;
      readonly state: "ready" | "drain" | "maintenance";
    }
  | { readonly kind: "backend-weight"; readonly pool: string; readonly backend: string; readonly weight: number }
  | { readonly kind: "backend-add"; readonly pool: string; readonly backend: string; readonly value: unknown }
  | { readonly kind: "backend-remove"; readonly pool: string; readonly backend: string }
  | { readonly kind: "pool-put"; readonly pool: string; readonly value: unknown }
  | { readonly kind: "pool-remove"; readonly pool: string }
  | { readonly kind: "route-put"; readonly listener: string; readonly route: string; readonly value: unknown }
  | {
      readonly kind: "route-remove";
      readonly listener: string;
      /** Host and path as `routeKey` has them. */ readonly route: string;
    };

/** A change, and how long it holds. */
export interface Edit {
  readonly change: Change;
  /** Whether it survives a restart; otherwise it holds until then, whatever is reloaded. */
  readonly persist: boolean;
  /** When it was made; milliseconds since 1970. */
  readonly madeTimeMs: number;
}

/** Edits in the order in which they are applied. */
export type Overlay = readonly Edit[];

/**
 * Adds an edit: it wins over earlier ones of the same thing, which are forgotten; but one that is only for now leaves those that persist,
 * which hold again after a restart. O(edits).
 */
export function withEdit(overlay: Overlay, edit: Edit): Overlay {
  const kept = overlay.filter((earlier) => (earlier.persist && !edit.persist) || !covers(edit.change, earlier.change));
  return [...kept, edit];
}

/**
 * What another Weir has kept meanwhile, and nobody would find again if `after` were kept in the place of `before`: neither in one of them, nor
 * made anew later by `after`. O(edits), and as much again for each that was kept meanwhile.
 */
export function lostEdits(kept: Overlay, before: Overlay, after: Overlay): Overlay {
  const known = Map.groupBy([...before, ...after], ({ madeTimeMs }) => madeTimeMs);
  const isKnown = ({ madeTimeMs, change }: Edit): boolean =>
    known.get(madeTimeMs)?.some((each) => Bun.deepEquals(each.change, change)) ?? false;
  return kept.filter(
    (edit) =>
      !isKnown(edit) &&
      !after.some((each) => each.persist && each.madeTimeMs >= edit.madeTimeMs && covers(each.change, edit.change)),
  );
}

/** Whether nothing is left of an earlier change once a later one is made. */
function covers(later: Change, earlier: Change): boolean {
  if ("listener" in later || "listener" in earlier) {
    if (!("listener" in later && "listener" in earlier)) return false;
    return later.listener === earlier.listener && later.route === earlier.route;
  }
  if (later.pool !== earlier.pool) return false;
  switch (later.kind) {
    case "pool-put":
    case "pool-remove":
      return true;
    case "backend-add":
    case "backend-remove":
      return "backend" in earlier && earlier.backend === later.backend;
    case "backend-state":
    case "backend-weight":
      return earlier.kind === later.kind && earlier.backend === later.backend;
  }
}

/**
 * Applies run-time edits to a configuration as a user wrote it, which stays as it is. An edit of something that is not there does nothing;
 * see `idleEdits`. Twice is the same as once. O(edits × size of what they change).
 */
export function applyOverlay(raw: unknown, overlay: Overlay): unknown {
  return overlay.reduce((config, { change }) => applied(config, change) ?? config, raw);
}

/** The edits that do nothing, since what they change is not in the configuration (any more). */
export function idleEdits(raw: unknown, overlay: Overlay): readonly Edit[] {
  const idle: Edit[] = [];
  let config = raw;
  for (const edit of overlay) {
    const next = applied(config, edit.change);
    if (next === null) idle.push(edit);
    else config = next;
  }
  return idle;
}

/** The configuration after a change; `null` where there is nothing to change. */
function applied(config: unknown, change: Change): unknown {
  switch (change.kind) {
    case "backend-state":
      return withBackend(config, change.pool, change.backend, (value) => ({ ...value, state: change.state }));
    case "backend-weight":
      return withBackend(config, change.pool, change.backend, (value) => ({ ...value, weight: change.weight }));
    case "backend-add":
      return withBackends(config, change.pool, (backends) => {
        const at = backends.findIndex((each) => backendIdOf(each) === change.backend);
        return at === -1 ? [...backends, change.value] : backends.with(at, change.value);
      });
    case "backend-remove":
      return withBackends(config, change.pool, (backends) => {
        const left = backends.filter((each) => backendIdOf(each) !== change.backend);
        return left.length === backends.length ? null : left;
      });
    case "pool-put":
      return withPart(config, "pools", change.pool, change.value);
    case "pool-remove":
      return own(own(config, "pools"), change.pool) === undefined
        ? null
        : withPart(config, "pools", change.pool, undefined);
    case "route-put":
    case "route-remove":
      return withRoute(config, change);
  }
}

function withRoute(config: unknown, change: Extract<Change, { readonly listener: string }>): unknown {
  const listener = section(own(own(config, "listeners"), change.listener));
  if (listener === null) return null;
  const { pool, routes, ...rest } = listener;
  // One that names a pool has one route for everything.
  const before = routes === undefined && pool !== undefined ? [{ pool }] : list(routes);
  const at = before.findIndex((route) => routeKeyOf(route) === change.route);
  if (change.kind === "route-remove" && at === -1) return null;
  const after =
    change.kind === "route-remove"
      ? before.toSpliced(at, 1)
      : at === -1
        ? [...before, change.value]
        : before.with(at, change.value);
  return withPart(config, "listeners", change.listener, { ...rest, routes: after });
}

function withBackend(
  config: unknown,
  pool: string,
  id: string,
  edit: (backend: Readonly<Record<string, unknown>>) => unknown,
): unknown {
  return withBackends(config, pool, (backends) => {
    const at = backends.findIndex((each) => backendIdOf(each) === id);
    const long = at === -1 ? null : longForm(backends[at]);
    return long === null ? null : backends.with(at, edit(long));
  });
}

function withBackends(
  config: unknown,
  name: string,
  edit: (backends: readonly unknown[]) => readonly unknown[] | null,
): unknown {
  const pool = section(own(own(config, "pools"), name));
  if (pool === null) return null;
  const backends = edit(list(pool["backends"]));
  return backends === null ? null : withPart(config, "pools", name, { ...pool, backends });
}

/** A configuration with another pool or listener in the place of one, or without it where `value` is undefined. */
function withPart(config: unknown, part: "pools" | "listeners", name: string, value: unknown): unknown {
  const whole = section(config);
  if (whole === null) return null;
  const { [name]: _before, ...others } = section(whole[part]) ?? {};
  if (value === undefined) return { ...whole, [part]: others };
  const all = section(whole[part]) ?? {};
  return { ...whole, [part]: { ...all, [name]: value } };
}

function longForm(backend: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof backend !== "string") return section(backend);
  const { address, weight } = shortBackend(backend);
  return { address: formatAddress(address), weight };
}

/** The identity of a backend as a user wrote it: its address in canonical text. `null` where it is not valid. */
export function backendIdOf(backend: unknown): string | null {
  const address = typeof backend === "string" ? backend : own(backend, "address");
  if (typeof address !== "string") return null;
  try {
    return formatAddress(typeof backend === "string" ? shortBackend(address).address : backendAddress(address));
  } catch {
    return null; // where the whole is read it is said what is wrong with it
  }
}

/** What tells the routes of a listener apart: host and path as `weir check` shows them, `*` and `/*` for all. */
export function routeKey(host: string | null, path: string | null): string {
  return `${host ?? "*"}${path ?? "/*"}`;
}

/** The same of a route as a user wrote it. `null` where it is not valid. */
export function routeKeyOf(route: unknown): string | null {
  const [host, path] = [own(route, "host"), own(route, "path")];
  if (section(route) === null) return null;
  try {
    return routeKey(
      typeof host === "string" ? routeHost(host) : null,
      typeof path === "string" ? routePath(path) : null,
    );
  } catch {
    return null; // the schema says what is wrong with it
  }
}

/** A change in words, for people. */
export function changeText(change: Change): string {
  switch (change.kind) {
    case "backend-state":
      return `${change.pool}/${change.backend} is set to ${change.state}`;
    case "backend-weight":
      return `${change.pool}/${change.backend} has weight ${change.weight}`;
    case "backend-add":
      return `${change.pool}/${change.backend} is added`;
    case "backend-remove":
      return `${change.pool}/${change.backend} is removed`;
    case "pool-put":
      return `pool ${change.pool} is set`;
    case "pool-remove":
      return `pool ${change.pool} is removed`;
    case "route-put":
      return `route ${change.listener}:${change.route} is set`;
    case "route-remove":
      return `route ${change.listener}:${change.route} is removed`;
  }
}
