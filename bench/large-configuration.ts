/** Of a large configuration: so many routes to pools of ten backends, at which nobody listens. Another route leads to those that answer. */
export const routes = 10_000;
const backendsOfPool = 10;
const pools = routes / backendsOfPool;

/** A route by its number. */
export interface LargeRoute {
  readonly host: string;
  /** What its path begins with. */
  readonly prefix: string;
  readonly pool: string;
}

export function largeRoutes(): readonly LargeRoute[] {
  return Array.from({ length: routes }, (_, i) => ({
    host: `host-${i}.example.com`,
    prefix: `/v${i % 7}/`,
    pool: `pool-${i % pools}`,
  }));
}

/** Addresses of the backends of each pool, by its name. */
export function largePools(): ReadonlyMap<string, readonly string[]> {
  const names = Array.from({ length: pools }, (_, pool) => pool);
  const addresses = (pool: number): readonly string[] =>
    Array.from({ length: backendsOfPool }, (_, i) => `127.1.${pool >> 8}.${pool & 255}:${8000 + i}`);
  return new Map(names.map((pool) => [`pool-${pool}`, addresses(pool)]));
}
