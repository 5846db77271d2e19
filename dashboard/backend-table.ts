import type { LivePool } from "../src/admin/live-view.ts";
import type { PoolView } from "../src/admin/model.ts";
import { BackendRow, type Change, COLUMNS } from "./backend-row.ts";
import { make, say } from "./dom.ts";

/**
 * The backends of a pool. All rows are there, so that a search in the page and a screen reader find them, but only those in sight are told
 * what is new: a tick costs what can be seen, not what there is.
 */
export class BackendTable {
  readonly #body = make("tbody", { attributes: { role: "rowgroup" } });
  readonly #none = make("p", { class: "none", attributes: { role: "status" } });
  readonly #change: Change;
  readonly #rows = new Map<string, BackendRow>();
  readonly #byElement = new WeakMap<Element, BackendRow>();
  readonly #sight: IntersectionObserver;
  #pool: LivePool | null = null;
  #onlyTroubled = false;

  constructor(place: HTMLElement, change: Change) {
    this.#change = change;
    const heads = COLUMNS.map(([name, title]) =>
      make("th", { class: name, text: title, attributes: { scope: "col", role: "columnheader" } }),
    );
    const head = make("thead", { attributes: { role: "rowgroup" } }, [
      make("tr", { attributes: { role: "row" } }, heads),
    ]);
    const table = make("table", { attributes: { role: "table", "aria-labelledby": "backends-title" } }, [
      head,
      this.#body,
    ]);
    place.append(table, this.#none);
    this.#sight = new IntersectionObserver((entries) => this.#look(entries), { rootMargin: "200px" });
  }

  set onlyTroubled(only: boolean) {
    this.#onlyTroubled = only;
    if (this.#pool !== null) this.show(this.#pool);
  }

  /** Takes what the API says about the pool beyond the ticks. */
  explain(view: PoolView): void {
    if (view.name !== this.#pool?.name) return;
    for (const backend of view.backends) this.#rows.get(backend.id)?.explain(backend);
  }

  show(pool: LivePool): void {
    if (this.#pool?.name !== pool.name) this.#clear();
    if (this.#pool?.backends !== pool.backends) this.#arrange(pool);
    this.#pool = pool;
    const now = Date.now();
    let shown = 0;
    const highMs = pool.backends.reduce((most, { latency }) => Math.max(most, latency.highest), 0.001);
    for (const backend of pool.backends) {
      const row = this.#rows.get(backend.id);
      if (row === undefined) continue;
      row.show(backend, highMs, now);
      const hidden = this.#onlyTroubled && !row.troubled;
      if (row.element.hidden !== hidden) row.element.hidden = hidden;
      if (!hidden) shown += 1;
    }
    this.#none.hidden = shown > 0;
    say(this.#none, pool.backends.length === 0 ? "This pool has no backends." : "None is in trouble.");
  }

  #clear(): void {
    for (const { element } of this.#rows.values()) this.#sight.unobserve(element);
    this.#rows.clear();
    this.#body.replaceChildren();
  }

  /** Brings the rows in line with the pool; those that stay are not touched, and keep the focus. */
  #arrange({ backends }: LivePool): void {
    const ids = new Set(backends.map(({ id }) => id));
    for (const [id, { element }] of this.#rows) {
      if (ids.has(id)) continue;
      this.#sight.unobserve(element);
      element.remove();
      this.#rows.delete(id);
    }
    for (const [i, backend] of backends.entries()) {
      let row = this.#rows.get(backend.id);
      if (row === undefined) {
        row = new BackendRow(backend, this.#change);
        row.seen = i < 30; // until the observer has looked
        this.#rows.set(backend.id, row);
        this.#byElement.set(row.element, row);
        this.#sight.observe(row.element);
      }
      if (this.#body.children[i] !== row.element) this.#body.insertBefore(row.element, this.#body.children[i] ?? null);
    }
  }

  #look(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const row = this.#byElement.get(target);
      if (row !== undefined) row.seen = isIntersecting;
    }
    if (this.#pool !== null) this.show(this.#pool);
  }
}
