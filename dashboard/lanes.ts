import type { LiveBackend, LivePool } from "../src/admin/live-view.ts";
import { readableCount, readableMs, readableShare } from "../src/admin/readable.ts";
import { make, mark } from "./dom.ts";
import { colour } from "./theme.ts";

/** Lanes that are drawn one by one; what a pool has more is one lane together. */
const MOST_LANES = 16;
const LANE_PX = 34;
/** Many lanes move closer together. */
const MOST_PX = 330;
/** Drops a second over all lanes, however many requests there are. */
const MOST_DROPS = 90;
/** 30 frames a second look smooth enough, for half of the work. */
const FRAME_MS = 1000 / 30;
const TEXT = '12px ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace';

/** What a lane says. */
interface Told {
  label: string;
  state: string;
  share: number;
  /** How long a drop takes, in seconds: a slow backend is seen. */
  travel: number;
  p50Ms: number | null;
}

/** A lane as it moves. */
interface Lane extends Told {
  /** What is drawn, which follows `share`. */
  shown: number;
  /** Where its drops are, 0 to 1. */
  drops: number[];
  /** Of a drop, what is not drawn yet. */
  owed: number;
}

/**
 * The traffic of a pool as a stream that parts into a lane for each backend: as wide as its share, with drops as fast as its
 * answers, in the colour of its state. What it shows stands as text in the table below it.
 */
export class Lanes {
  readonly #canvas: HTMLCanvasElement = make("canvas", { attributes: { role: "img" } });
  readonly #still = matchMedia("(prefers-reduced-motion: reduce)");
  #colours: Readonly<Record<string, string>> = {};
  #lanes: Lane[] = [];
  #pool = "";
  #perSecond = 0;
  #last = 0;
  #seen = true;
  #frame = 0;

  constructor(figure: HTMLElement) {
    figure.append(make("figcaption", {}, [make("h3", { text: "Spread" })]), this.#canvas);
    new ResizeObserver(() => this.#draw(0)).observe(figure);
    new IntersectionObserver((entries) => {
      this.#seen = entries.at(-1)?.isIntersecting ?? true;
      this.#run();
    }).observe(figure);
    document.addEventListener("visibilitychange", () => this.#run());
    this.#still.addEventListener("change", () => this.#run());
  }

  /** After a change of colours. */
  dress(): void {
    const names = [
      "text",
      "muted",
      "line",
      "panel",
      "accent",
      "up",
      "starting",
      "ramp",
      "drain",
      "maintenance",
      "ejected",
      "down",
    ];
    this.#colours = Object.fromEntries(names.map((name) => [name, colour(name)]));
    this.#draw(0);
  }

  show(pool: LivePool): void {
    const first = this.#pool !== pool.name;
    this.#pool = pool.name;
    this.#perSecond = pool.perSecond;
    const wanted = lanesOf(pool);
    if (first || wanted.length !== this.#lanes.length) {
      const height = Math.min(Math.max(3, wanted.length) * LANE_PX, MOST_PX) + 16;
      this.#canvas.style.height = `${height}px`;
      this.#lanes = wanted.map((lane) => ({ ...lane, shown: lane.share, drops: [], owed: 0 }));
    } else for (const [i, lane] of this.#lanes.entries()) Object.assign(lane, wanted[i]);
    const told = wanted.map(({ label, state, share }) => `${label} ${state} ${readableShare(share)}`).join("; ");
    mark(this.#canvas, "aria-label", `Spread of traffic over the backends: ${told === "" ? "none" : told}`);
    if (this.#still.matches) {
      for (const lane of this.#lanes) lane.shown = lane.share;
      this.#draw(0);
    } else this.#run();
  }

  /** Draws frames only while somebody can see them. */
  #run(): void {
    const moves = this.#seen && !document.hidden && !this.#still.matches;
    if (!moves) {
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
    } else if (this.#frame === 0) {
      this.#last = performance.now();
      this.#frame = requestAnimationFrame((now) => this.#step(now));
    }
  }

  #step(now: number): void {
    const passed = now - this.#last;
    if (passed >= FRAME_MS) {
      this.#last = now;
      this.#draw(Math.min(passed, 200) / 1000);
    }
    this.#frame = requestAnimationFrame((next) => this.#step(next));
  }

  #draw(seconds: number): void {
    const context = this.#canvas.getContext("2d");
    const width = this.#canvas.clientWidth;
    const height = this.#canvas.clientHeight;
    if (context === null || width === 0 || this.#colours["text"] === undefined) return;
    const scale = window.devicePixelRatio;
    if (this.#canvas.width !== Math.round(width * scale) || this.#canvas.height !== Math.round(height * scale)) {
      this.#canvas.width = Math.round(width * scale);
      this.#canvas.height = Math.round(height * scale);
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = TEXT;
    context.textBaseline = "middle";
    const narrow = width < 560;
    const from = narrow ? 12 : 120;
    const to = width - (narrow ? 178 : 330);
    this.#source(context, from, height, narrow);
    const step = Math.min(LANE_PX, MOST_PX / this.#lanes.length);
    const top = (height - this.#lanes.length * step) / 2;
    for (const [i, lane] of this.#lanes.entries()) {
      this.#lane(context, lane, { from, to, startY: height / 2, endY: top + (i + 0.5) * step, width, narrow }, seconds);
    }
    if (this.#lanes.length === 0) {
      context.fillStyle = this.#colours["muted"] ?? "";
      context.textAlign = "center";
      context.fillText("no backends", width / 2, height / 2);
    }
  }

  #source(context: CanvasRenderingContext2D, from: number, height: number, narrow: boolean): void {
    context.fillStyle = this.#colours["accent"] ?? "";
    context.beginPath();
    context.roundRect(from - 6, height / 2 - 26, 6, 52, 3);
    context.fill();
    if (narrow) return;
    context.textAlign = "right";
    context.fillStyle = this.#colours["text"] ?? "";
    context.fillText(`${readableCount(this.#perSecond)}/s`, from - 16, height / 2 - 8);
    context.fillStyle = this.#colours["muted"] ?? "";
    context.fillText("Weir", from - 16, height / 2 + 9);
  }

  #lane(
    context: CanvasRenderingContext2D,
    lane: Lane,
    at: { from: number; to: number; startY: number; endY: number; width: number; narrow: boolean },
    seconds: number,
  ): void {
    lane.shown += (lane.share - lane.shown) * Math.min(1, seconds * 5);
    const { from, to, startY, endY } = at;
    const tone = this.#colours[lane.state] ?? "";
    const bend = (to - from) * 0.5;
    const flowing = lane.shown > 0.004;
    context.strokeStyle = flowing ? tone : (this.#colours["line"] ?? "");
    context.globalAlpha = flowing ? 0.28 : 1;
    context.lineWidth = flowing ? 1.5 + lane.shown * 24 : 1;
    context.setLineDash(flowing ? [] : [3, 5]);
    context.beginPath();
    context.moveTo(from, startY);
    context.bezierCurveTo(from + bend, startY, to - bend, endY, to, endY);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
    this.#move(lane, seconds);
    context.fillStyle = tone;
    for (const t of lane.drops) {
      const u = 1 - t;
      const x = u * u * u * from + 3 * u * u * t * (from + bend) + 3 * u * t * t * (to - bend) + t * t * t * to;
      const y = (u * u * u + 3 * u * u * t) * startY + (3 * u * t * t + t * t * t) * endY;
      context.beginPath();
      context.arc(x, y, 2.2, 0, 7);
      context.fill();
    }
    this.#label(context, lane, at, tone);
  }

  #move(lane: Lane, seconds: number): void {
    const rate = lane.share * Math.min(this.#perSecond, MOST_DROPS);
    lane.owed = Math.min(lane.owed + rate * seconds, 4);
    let kept = 0;
    for (const drop of lane.drops) {
      const next = drop + seconds / lane.travel;
      if (next < 1) lane.drops[kept++] = next;
    }
    lane.drops.length = kept;
    for (; lane.owed >= 1; lane.owed -= 1) lane.drops.push(0);
  }

  #label(
    context: CanvasRenderingContext2D,
    lane: Lane,
    { to, endY, width, narrow }: { to: number; endY: number; width: number; narrow: boolean },
    tone: string,
  ): void {
    context.fillStyle = tone;
    context.beginPath();
    context.arc(to + 8, endY, 5, 0, 7);
    context.fill();
    context.textAlign = "left";
    const out = lane.state !== "up" && lane.state !== "ramp" && lane.state !== "starting";
    context.fillStyle = this.#colours[out ? "muted" : "text"] ?? "";
    context.fillText(fitted(lane.label, narrow ? 16 : 23), to + 20, endY);
    context.textAlign = "right";
    context.fillText(readableShare(lane.share), width - (narrow ? 2 : 102), endY);
    if (narrow) return;
    context.fillStyle = out ? tone : (this.#colours["muted"] ?? "");
    context.fillText(out ? lane.state : readableMs(lane.p50Ms), width - 4, endY);
  }
}

/** The end of an address tells more than its beginning. */
function fitted(text: string, most: number): string {
  return text.length <= most ? text : `…${text.slice(1 - most)}`;
}

function lanesOf({ backends }: LivePool): Told[] {
  const single = backends.length <= MOST_LANES ? backends : backends.slice(0, MOST_LANES - 1);
  const told = single.map(toldOf);
  if (single.length === backends.length) return told;
  const rest = backends.slice(single.length);
  const share = rest.reduce((total, each) => total + each.share, 0);
  return [...told, { label: `${rest.length} others`, state: "up", share, travel: 1, p50Ms: null }];
}

function toldOf({ id, state, share, p50Ms }: LiveBackend): Told {
  // A tenth of a millisecond to a second: 0.7 s to 4 s.
  const travel = 0.7 + Math.min(3.3, Math.max(0, Math.log10((p50Ms ?? 0.1) * 10) * 0.8));
  return { label: id, state, share, travel, p50Ms };
}
