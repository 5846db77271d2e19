import type { FollowState } from "../src/admin/follow.ts";
import type { LiveView } from "../src/admin/live-view.ts";
import { readableAge, readableCount, readableMs, readableShare } from "../src/admin/readable.ts";
import { byId, mark, say } from "./dom.ts";

/** The bar at the top: whether Weir is heard, and how it does as a whole. */
export class StatusBar {
  readonly #link = byId("link", HTMLElement);
  readonly #text = byId("link-text", HTMLElement);
  readonly #lost = byId("lost", HTMLElement);
  #why: string | null = null;
  #heardAt: number | null = null;
  /** Of Weir, as the last tick told it. */
  #phase = "running";

  constructor() {
    setInterval(() => this.#tell(), 1000);
  }

  /** How it stands with the stream of ticks. */
  connection(state: FollowState): void {
    // While it is tried again, what was said about the loss still holds.
    if (state.kind === "lost") this.#why = state.why;
    else if (state.kind === "denied") this.#why = "it asks for a token";
    this.#tell();
  }

  show(view: LiveView): void {
    const { tick, shape } = view;
    if (tick === null) return;
    this.#why = null;
    this.#heardAt = Date.now();
    this.#phase = tick.phase;
    this.#tell();
    say(byId("total-rate", HTMLElement), readableCount(view.perSecond));
    say(byId("total-errors", HTMLElement), readableShare(view.errorShare));
    say(byId("total-p99", HTMLElement), readableMs(tick.latency.p99Ms));
    say(byId("total-in-flight", HTMLElement), readableCount(tick.inFlight));
    say(byId("total-connections", HTMLElement), readableCount(tick.connections));
    say(byId("total-workers", HTMLElement), String(tick.workers));
    say(byId("total-generation", HTMLElement), String(tick.generation));
    mark(byId("total-errors", HTMLElement), "data-bad", String((view.errorShare ?? 0) > 0.01));
    document.title = `${readableCount(view.perSecond)}/s · Weir${shape === null ? "" : ` ${shape.version}`}`;
  }

  #tell(): void {
    const phase = this.#phase;
    const lost = this.#why !== null;
    if (!lost && this.#heardAt === null) return;
    mark(document.documentElement, "data-link", lost ? "lost" : "live");
    mark(this.#link, "data-state", lost ? "lost" : phase);
    say(this.#text, lost ? "lost" : phase === "running" ? "live" : phase);
    this.#lost.hidden = !lost;
    if (!lost) return;
    const ageMs = this.#heardAt === null ? 0 : Date.now() - this.#heardAt;
    const heard = ageMs < 1500 ? "" : ` What you see is ${readableAge(ageMs)} old.`;
    say(this.#lost, `Weir's admin API does not answer: ${this.#why ?? ""}.${heard} It is tried again by itself.`);
  }
}
