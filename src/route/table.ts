/** What a route matches; `null` matches everything. */
export interface RouteMatch {
  /** Lower-case host without port, or `*.example.com` for every name below it. */
  readonly host: string | null;
  /** An exact path, or a prefix that ends in `/*`. */
  readonly path: string | null;
}

/** Where the routes of one host lead. There are as many as hosts, so it has no map that it does not need. */
class Paths<T> {
  #exact: Map<string, T> | null = null;
  /** By the prefix without its `/*`. */
  #prefixes: Map<string, T> | null = null;
  #rest: T | null = null;

  add(path: string | null, value: T): void {
    if (path === null || path === "/*") this.#rest ??= value;
    else if (path.endsWith("/*")) setOnce((this.#prefixes ??= new Map()), path.slice(0, -2), value);
    else setOnce((this.#exact ??= new Map()), path, value);
  }

  replace(path: string | null, from: T, to: T): void {
    if (path === null || path === "/*") this.#rest = this.#rest === from ? to : this.#rest;
    else if (path.endsWith("/*")) replaceIn(this.#prefixes, path.slice(0, -2), from, to);
    else replaceIn(this.#exact, path, from, to);
  }

  /** The most specific: exact, then the longest prefix, then the rest. O(path depth). */
  find(path: string): T | null {
    const exact = this.#exact?.get(path);
    if (exact !== undefined) return exact;
    const prefixes = this.#prefixes;
    if (prefixes !== null) {
      for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
        const found = prefixes.get(path.slice(0, end));
        if (found !== undefined) return found;
      }
    }
    return this.#rest;
  }
}

function setOnce<K, V>(map: Map<K, V>, key: K, value: V): void {
  if (!map.has(key)) map.set(key, value);
}

function replaceIn<K, V>(map: Map<K, V> | null, key: K, from: V, to: V): void {
  if (map?.get(key) === from) map.set(key, to);
}

/**
 * The routes of a listener. The most specific match wins whatever the order: an exact host before the longest `*.`
 * suffix before any host; within a host an exact path before the longest prefix before any path. A host none of whose
 * paths match falls back to the less specific hosts. O(labels of the host + depth of the path), whatever the number of
 * routes.
 */
export class RouteTable<T> {
  readonly #hosts: Map<string, Paths<T>> = new Map();
  /** By the part behind `*.`. */
  readonly #suffixes: Map<string, Paths<T>> = new Map();
  readonly #any: Paths<T> = new Paths();
  /** Whether a match may depend on the host, on the path. */
  needsHost = false;
  needsPath = false;

  constructor(routes: readonly (readonly [RouteMatch, T])[] = []) {
    for (const [match, value] of routes) this.add(match, value);
  }

  /** One more route; of two that match the same the first one counts. To be called before anything is asked. O(1). */
  add(match: RouteMatch, value: T): void {
    const { host, path } = match;
    if (host !== null) this.needsHost = true;
    if (path !== null && path !== "/*") this.needsPath = true;
    if (host === null) this.#any.add(path, value);
    else if (host.startsWith("*.")) pathsOf(this.#suffixes, host.slice(2)).add(path, value);
    else pathsOf(this.#hosts, host).add(path, value);
  }

  /** Leads a route elsewhere that it leads to where `from` says; another one of the same match is left alone. O(1). */
  replace({ host, path }: RouteMatch, from: T, to: T): void {
    const paths =
      host === null ? this.#any : host.startsWith("*.") ? this.#suffixes.get(host.slice(2)) : this.#hosts.get(host);
    paths?.replace(path, from, to);
  }

  /**
   * Finds the route of a request.
   * @param host lower-case, without port; ignored unless `needsHost`
   * @param path decoded as far as it is safe, without query; ignored unless `needsPath`
   */
  find(host: string, path: string): T | null {
    if (this.needsHost) {
      const own = this.#hosts.get(host)?.find(path) ?? null;
      if (own !== null) return own;
      for (let dot = host.indexOf("."); dot !== -1; dot = host.indexOf(".", dot + 1)) {
        const found = this.#suffixes.get(host.slice(dot + 1))?.find(path) ?? null;
        if (found !== null) return found;
      }
    }
    return this.#any.find(path);
  }
}

function pathsOf<T>(map: Map<string, Paths<T>>, host: string): Paths<T> {
  let paths = map.get(host);
  if (paths === undefined) map.set(host, (paths = new Paths()));
  return paths;
}
