import type { Counters } from "../observe/counters.ts";
import type { BackendLink } from "../proxy/backend-link.ts";
import type { Leaving } from "./leaving.ts";
import type { Ending } from "./mode.ts";
import type { LeftLink } from "./pool-at-work.ts";

/** The ways to backends that have left their pools, by pool and backend, as long as anything is on them, or may be. */
export class LeftLinks {
  readonly #pools: Map<string, Map<string, LeftLink>> = new Map();
  readonly #counters: Counters;
  readonly #section: number;

  constructor(counters: Counters, section: number) {
    this.#counters = counters;
    this.#section = section;
  }

  find(pool: string, backend: string): BackendLink | undefined {
    return this.#pools.get(pool)?.get(backend)?.link;
  }

  /** Those of a pool. */
  of(pool: string): readonly LeftLink[] {
    return [...(this.#pools.get(pool)?.values() ?? [])];
  }

  /** Connections open on all of them. */
  get open(): number {
    let open = 0;
    for (const links of this.#pools.values())
      for (const { link } of links.values()) if (link.isRetired) open += link.open;
    return open;
  }

  /** Closes what nobody waits for on any of them. */
  closeIdle(): void {
    for (const links of this.#pools.values()) for (const { link } of links.values()) link.closeIdle();
  }

  /** One more: its idle connections close. Even where nothing is on it, exchanges of the plan before may still come until it is withdrawn. */
  add(pool: string, left: LeftLink): void {
    left.link.retire();
    const links = this.#pools.get(pool) ?? new Map<string, LeftLink>();
    links.set(left.link.id, left);
    this.#pools.set(pool, links);
  }

  /** Forgets those that are done, or back in their pools. O(those that are left). */
  sweep(): void {
    for (const [pool, links] of this.#pools) {
      for (const [id, left] of links) if (!left.link.isRetired || this.#isDone(left)) links.delete(id);
      if (links.size === 0) this.#pools.delete(pool);
    }
  }

  /**
   * Those that have left at one time, for their deadlines.
   * @param evict ends what is at some of them
   */
  leaving(all: readonly LeftLink[], evict: (links: ReadonlySet<object>, what: Ending) => void): Leaving {
    const isDone = (left: LeftLink): boolean => !left.link.isRetired || this.#isDone(left);
    return {
      // Those on which nothing is too: what ends at one of them is not to begin again at another.
      end: (what) => evict(new Set(all.map(({ link }) => link).filter(({ isRetired }) => isRetired)), what),
      get over() {
        return all.every(isDone);
      },
    };
  }

  #isDone({ link, row }: LeftLink): boolean {
    return link.open === 0 && this.#counters.inFlightSlots(this.#section, row).own === 0;
  }
}
