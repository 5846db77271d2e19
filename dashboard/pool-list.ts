import type { LivePool } from "../src/admin/live-view.ts";
import { readableCount, readableShare } from "../src/admin/readable.ts";
import { make, mark, say } from "./dom.ts";

/** What of a pool is in trouble, worst first; "" where nothing is. */
export function troubleOf({ backends, panic }: LivePool): string {
  const out = backends.filter(({ state }) => state === "down" || state === "ejected").length;
  const parts = [panic ? "panic" : "", out > 0 ? `${out} out` : ""];
  return parts.filter((part) => part !== "").join(", ");
}

interface Entry {
  readonly element: HTMLLIElement;
  readonly link: HTMLAnchorElement;
  readonly counts: HTMLElement;
  readonly rate: HTMLElement;
  readonly trouble: HTMLElement;
}

/** All pools, each a link to its page, with what one must know of it at a glance. */
export class PoolList {
  readonly #list: HTMLElement;
  readonly #entries = new Map<string, Entry>();

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  show(pools: readonly LivePool[], chosen: string): void {
    this.#arrange(pools);
    for (const pool of pools) {
      const entry = this.#entries.get(pool.name);
      if (entry === undefined) continue;
      const working = pool.backends.filter(({ effectiveWeight }) => effectiveWeight > 0).length;
      const trouble = troubleOf(pool);
      const errors = pool.errorShare !== null && pool.errorShare > 0 ? `${readableShare(pool.errorShare)} errors` : "";
      mark(entry.element, "data-trouble", trouble === "" ? (errors === "" ? "none" : "some") : "much");
      mark(entry.link, "aria-current", pool.name === chosen ? "page" : "false");
      say(entry.counts, `${working}/${pool.backends.length}`);
      mark(entry.counts, "title", `${working} of ${pool.backends.length} backends get work`);
      say(entry.rate, `${readableCount(pool.perSecond)}/s`);
      say(entry.trouble, [trouble, errors].filter((part) => part !== "").join(", "));
    }
  }

  #arrange(pools: readonly LivePool[]): void {
    const names = new Set(pools.map(({ name }) => name));
    for (const [name, { element }] of this.#entries) {
      if (names.has(name)) continue;
      element.remove();
      this.#entries.delete(name);
    }
    for (const [i, { name }] of pools.entries()) {
      const entry = this.#entries.get(name) ?? entryOf(name);
      this.#entries.set(name, entry);
      if (this.#list.children[i] !== entry.element)
        this.#list.insertBefore(entry.element, this.#list.children[i] ?? null);
    }
  }
}

function entryOf(name: string): Entry {
  const counts = make("span", { class: "counts" });
  const rate = make("span", { class: "rate" });
  const trouble = make("span", { class: "trouble" });
  const label = make("span", { class: "name", text: name });
  const link = make("a", { attributes: { href: `#${encodeURIComponent(name)}` } }, [label, counts, trouble, rate]);
  return { element: make("li", {}, [link]), link, counts, rate, trouble };
}
