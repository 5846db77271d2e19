import type { Counters } from "../observe/counters.ts";
import type { BackendLink } from "../proxy/backend-link.ts";
import type { Leaving } from "./leaving.ts";
import type { Ending } from "./mode.ts";
import type { LeftLink } from "./pool-at-work.ts";

/** The ways to backends that have left their pools, by pool and backend, as long as anything is on them, or may be. */
export class LeftLinks {
  readonly #pools: Map<string, Map<string, LeftLink>> = new Map();
  /** These, and others of the same backends that an older plan has gone to after they were forgotten. */
  readonly #all: Set<LeftLink> = new Set();
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
    for (const { link } of this.#all) if (link.isRetired) open += link.open;
    return open;
  }

  /** Closes what nobody waits for on any of them. */
  closeIdle(): void {
    for (const { link } of this.#all) link.closeIdle();
  }

  /** One more: its idle connections close. Even where nothing is on it, exchanges of the plan before may still come until it is withdrawn. */
  add(pool: string, left: LeftLink): void {
    left.link.retire();
    const links = this.#pools.get(pool) ?? new Map<string, LeftLink>();
    links.set(left.link.id, left);
    this.#pools.set(pool, links);
    this.#all.add(left);
  }

  /** An older plan goes to one, which may be forgotten. */
  dialled(left: LeftLink): void {
    this.#all.add(left);
  }

  /** Forgets those that are done, or back in their pools. O(those that are left). */
  sweep(): void {
    for (const left of this.#all) if (this.#isOver(left)) this.#all.delete(left);
    for (const [pool, links] of this.#pools) {
      for (const [id, left] of links) if (this.#isOver(left)) links.delete(id);
      if (links.size === 0) this.#pools.delete(pool);
    }
  }

  /**
   * Those that have left at one time, for their deadlines.
   * @param evict ends what is at some of them
   */
  leaving(all: readonly LeftLink[], evict: (links: ReadonlySet<object>, what: Ending) => void): Leaving {
    const isOver = (): boolean => all.every((left) => this.#isOver(left));
    return {
      // Those on which nothing is too: what ends at one of them is not to begin again at another.
      end: (what) => evict(new Set(all.map(({ link }) => link).filter(({ isRetired }) => isRetired)), what),
      get over() {
        return isOver();
      },
    };
  }

  /** Whether it is done, or back in its pool. */
  #isOver({ link, row }: LeftLink): boolean {
    return !link.isRetired || (link.open === 0 && this.#counters.inFlightSlots(this.#section, row).own === 0);
  }
}
