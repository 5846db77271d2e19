import { BACKEND_SECONDS, type LiveBackend } from "../src/admin/live-view.ts";
import type { BackendView } from "../src/admin/model.ts";
import type { BackendPatch } from "../src/admin/model-writes.ts";
import { readableAge, readableCount, readableMs, readableShare } from "../src/admin/readable.ts";
import { make, makeSvg, mark, say } from "./dom.ts";

/** Asks the API for a change of a backend; fulfilled when it has answered. */
export type Change = (backend: LiveBackend, patch: Omit<BackendPatch, "persist">) => Promise<void>;

/** Columns of the table, with the class of their cells. */
export const COLUMNS = [
  ["state", "State"],
  ["name", "Backend"],
  ["flight", "In flight"],
  ["rate", "Per s"],
  ["share", "Share"],
  ["latency", "p50 · p99"],
  ["spark", "p90, 1 min"],
  ["probe", "Last probe"],
  ["weight", "Weight"],
  ["act", "Change"],
] as const;

const SPARK = { width: 88, height: 22 };

/** A row of the table: one backend. Its elements are made once and told what has changed. */
export class BackendRow {
  readonly element: HTMLTableRowElement;
  /** Whether it can be seen: what cannot is not told anything. */
  seen = true;
  #backend: LiveBackend;
  #details: BackendView | null = null;
  #busy = false;
  readonly #state = make("span", { class: "state" });
  readonly #id = make("span", { class: "id" });
  readonly #why = make("span", { class: "why" });
  readonly #flight = make("span");
  readonly #rate = make("span");
  readonly #share = make("span");
  readonly #bar = make("span", { class: "bar" });
  readonly #latency = make("span");
  readonly #line = makeSvg("polyline", { fill: "none", "stroke-width": "1.5", "stroke-linejoin": "round" });
  readonly #probe = make("span");
  readonly #weight = make("input", { attributes: { type: "number", min: "0", max: "65535", step: "1" } });
  readonly #act = make("button", { attributes: { type: "button" } });

  constructor(backend: LiveBackend, change: Change) {
    this.#backend = backend;
    const svg = makeSvg("svg", {
      viewBox: `0 0 ${SPARK.width} ${SPARK.height}`,
      width: String(SPARK.width),
      height: String(SPARK.height),
      "aria-hidden": "true",
    });
    svg.append(this.#line);
    const track = make("span", { class: "track", attributes: { "aria-hidden": "true" } }, [this.#bar]);
    const contents: readonly (readonly Node[])[] = [
      [this.#state],
      [this.#id, this.#why],
      [this.#flight],
      [this.#rate],
      [track, this.#share],
      [this.#latency],
      [svg],
      [this.#probe],
      [this.#weight],
      [this.#act],
    ];
    const cells = COLUMNS.map(([name, title], i) =>
      make("td", { class: name, attributes: { role: "cell", "data-title": title } }, contents[i] ?? []),
    );
    this.element = make("tr", { attributes: { role: "row" } }, cells);
    say(this.#id, backend.id);
    this.#id.title = backend.id;
    this.#weight.setAttribute("aria-label", `Weight of ${backend.id}`);
    this.#act.addEventListener("click", () => {
      void this.#during(change(this.#backend, { state: this.#isOut() ? "ready" : "drain" }));
    });
    const weigh = (): void => {
      const weight = Number(this.#weight.value);
      if (this.#weight.value === "" || !this.#weight.validity.valid) this.#weight.value = String(this.#backend.weight);
      else if (weight !== this.#backend.weight) void this.#during(change(this.#backend, { weight }));
    };
    this.#weight.addEventListener("change", weigh);
    this.#weight.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape") return;
      this.#weight.value = String(this.#backend.weight);
      this.#weight.blur();
    });
  }

  /** Whether it is down, ejected, drained or in any other way not what it should be. */
  get troubled(): boolean {
    return this.#backend.state !== "up" || this.#backend.failuresPerSecond > 0;
  }

  explain(details: BackendView): void {
    this.#details = details;
  }

  /** @param highMs what the sparklines of all rows reach up to, so that a slow one stands out */
  show(backend: LiveBackend, highMs: number, now: number): void {
    this.#backend = backend;
    if (!this.seen) return;
    const { state, p50Ms, p99Ms } = backend;
    mark(this.element, "data-state", state);
    say(this.#state, state);
    const why = this.#whyNow(now);
    say(this.#why, why);
    mark(this.#why, "title", why);
    say(this.#flight, readableCount(backend.inFlight));
    say(this.#rate, readableCount(backend.perSecond));
    say(this.#share, readableShare(backend.share));
    this.#bar.style.transform = `scaleX(${backend.share.toFixed(3)})`;
    say(this.#latency, p50Ms === null ? "–" : `${readableMs(p50Ms)} · ${readableMs(p99Ms)}`);
    this.#line.setAttribute("points", sparkline(backend, highMs));
    const { probe } = this.#details ?? { probe: null };
    const probed = probe === null ? "–" : probe.passed ? readableMs(probe.tookMs) : "failed";
    say(this.#probe, probed);
    mark(this.#probe, "class", probe?.passed === false ? "failed" : "");
    mark(this.#probe, "title", probe === null ? "not probed" : probe.passed ? "passed" : probe.why);
    if (document.activeElement !== this.#weight && !this.#busy) {
      const weight = String(backend.weight);
      if (this.#weight.value !== weight) this.#weight.value = weight;
    }
    const act = this.#isOut() ? "Ready" : "Drain";
    say(this.#act, act);
    mark(this.#act, "aria-label", `${act} ${backend.id}`);
  }

  #isOut(): boolean {
    const { state } = this.#backend;
    if (state === "drain" || state === "maintenance") return true;
    // Down or ejected, it may be drained as well; only the details say so.
    return state !== "up" && this.#details !== null && this.#details.wantedState !== "ready";
  }

  #whyNow(now: number): string {
    const { state, id, failuresPerSecond } = this.#backend;
    const details = this.#details;
    if (details === null || details.id !== id || details.state !== state) {
      return failuresPerSecond > 0 ? `${readableCount(failuresPerSecond)} failures a second` : "";
    }
    const since = details.since === null ? "" : `for ${readableAge(Math.max(0, now - Date.parse(details.since)))}`;
    const progress =
      details.progress === null ? "" : `${details.progress.of} ${details.progress.done} of ${details.progress.needed}`;
    return [details.why, state === "up" ? "" : since, progress].filter((part) => part !== "").join(", ");
  }

  /** Shows that it is under way, and takes no second change meanwhile. */
  async #during(change: Promise<void>): Promise<void> {
    this.#busy = true;
    this.#act.disabled = true;
    await change;
    this.#busy = false;
    this.#act.disabled = false;
  }
}

function sparkline({ latency }: LiveBackend, highMs: number): string {
  const values = latency.values(BACKEND_SECONDS);
  const points: string[] = [];
  for (const [i, value] of values.entries()) {
    if (value === null) continue;
    const x = SPARK.width - ((values.length - 1 - i) / (BACKEND_SECONDS - 1)) * SPARK.width;
    points.push(`${x.toFixed(1)},${(SPARK.height - 2 - (value / highMs) * (SPARK.height - 4)).toFixed(1)}`);
  }
  return points.join(" ");
}
