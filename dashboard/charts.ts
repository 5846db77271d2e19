import uPlot from "uplot";
import { type LivePool, POOL_SECONDS } from "../src/admin/live-view.ts";
import { readableCount, readableMs, readableShare } from "../src/admin/readable.ts";
import { make, mark, say } from "./dom.ts";
import { colour } from "./theme.ts";

/** A line of a chart. */
interface Line {
  readonly label: string;
  /** Name of its colour in style.css. */
  readonly colour: string;
  readonly scale: "y" | "share";
  readonly filled?: boolean;
  readonly text: (value: number | null) => string;
  readonly values: (pool: LivePool) => (number | null)[];
}

const RATE: readonly Line[] = [
  {
    label: "per second",
    colour: "accent",
    scale: "y",
    filled: true,
    text: (value) => (value === null ? "–" : readableCount(value)),
    values: ({ history }) => history.perSecond.values(),
  },
  {
    label: "errors",
    colour: "bad",
    scale: "share",
    text: readableShare,
    values: ({ history }) => history.errorShare.values(),
  },
];

const LATENCY: readonly Line[] = (["p50Ms", "p90Ms", "p99Ms"] as const).map((name) => ({
  label: name.slice(0, 3),
  colour: name.slice(0, 3),
  scale: "y",
  text: readableMs,
  values: ({ history }) => history[name].values(),
}));

/** One chart: lines over the last five minutes, and above them their values: the last ones, or those under the pointer. */
class Chart {
  readonly #title: string;
  readonly #lines: readonly Line[];
  readonly #values: HTMLElement[] = [];
  readonly #plot: HTMLElement;
  #chart: uPlot | null = null;
  #data: uPlot.AlignedData = [[]];

  constructor(figure: HTMLElement, title: string, lines: readonly Line[]) {
    this.#title = title;
    this.#lines = lines;
    const legend = make("ul", { class: "legend" });
    for (const line of lines) {
      const value = make("b", { text: "–" });
      this.#values.push(value);
      legend.append(make("li", { class: `key key-${line.colour}`, text: `${line.label} ` }, [value]));
    }
    this.#plot = make("div", { class: "plot", attributes: { role: "img", "aria-label": title } });
    figure.append(make("figcaption", {}, [make("h3", { text: title }), legend]), this.#plot);
    new ResizeObserver(() => this.#fit()).observe(this.#plot);
  }

  /** Makes it anew, in the colours that hold now. */
  dress(): void {
    this.#chart?.destroy();
    this.#chart = null;
    this.#fit();
  }

  show(times: number[], pool: LivePool): void {
    this.#data = [times, ...this.#lines.map(({ values }) => values(pool))];
    this.#chart?.setData(this.#data, false);
    this.#span();
    if (this.#chart?.cursor.idx == null) this.#tell(times.length - 1);
    mark(
      this.#plot,
      "aria-label",
      `${this.#title}: ${this.#lines.map(({ label }, i) => `${label} ${this.#values[i]?.textContent ?? ""}`).join(", ")}`,
    );
  }

  #span(): void {
    const last = this.#data[0].at(-1) ?? Date.now() / 1000;
    this.#chart?.setScale("x", { min: last - POOL_SECONDS + 1, max: last });
  }

  #tell(index: number): void {
    for (const [i, { text }] of this.#lines.entries()) {
      const element = this.#values[i];
      if (element !== undefined) say(element, text(this.#data[i + 1]?.[index] ?? null));
    }
  }

  #fit(): void {
    const width = Math.floor(this.#plot.clientWidth);
    const height = Math.floor(this.#plot.clientHeight);
    if (width < 40 || height < 40) return;
    if (this.#chart === null) this.#chart = new uPlot(this.#options(width, height), this.#data, this.#plot);
    else this.#chart.setSize({ width, height });
    this.#span();
  }

  #options(width: number, height: number): uPlot.Options {
    const axis = { stroke: colour("muted"), ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const grid = { stroke: colour("line"), width: 1 };
    const text = this.#lines[0]?.text ?? String;
    const shares = this.#lines.some(({ scale }) => scale === "share");
    return {
      width,
      height,
      padding: [8, shares ? 0 : 12, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { size: 7 } },
      hooks: { setCursor: [({ cursor }) => this.#tell(cursor.idx ?? this.#data[0].length - 1)] },
      scales: {
        y: { range: (_chart, _low, high) => [0, Math.max(high * 1.1, 5)] },
        ...(shares ? { share: { range: (_c, _low, high): [number, number] => [0, Math.max(high * 1.1, 0.05)] } } : {}),
      },
      axes: [
        { ...axis, grid: { show: false }, space: 62, size: 24, values: (_chart, times) => times.map(clockText) },
        {
          ...axis,
          grid,
          size: 58,
          gap: 4,
          space: 32,
          values: (_chart, values) => values.map((value) => (value === 0 ? "0" : text(value))),
        },
        ...(shares
          ? [
              {
                ...axis,
                scale: "share",
                side: 1 as const,
                grid: { show: false },
                size: 44,
                gap: 4,
                space: 32,
                values: (_c: uPlot, values: number[]): string[] => values.map(readableShare),
              },
            ]
          : []),
      ],
      series: [
        {},
        ...this.#lines.map((line) => ({
          scale: line.scale,
          stroke: colour(line.colour),
          width: 1.75,
          points: { show: false },
          ...(line.filled === true ? { fill: colour("accent-soft") } : {}),
        })),
      ],
    };
  }
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});

function clockText(seconds: number): string {
  return clock.format(seconds * 1000);
}

/** Both charts of a pool. */
export class Charts {
  readonly #charts: readonly Chart[];

  constructor(rate: HTMLElement, latency: HTMLElement) {
    this.#charts = [new Chart(rate, "Requests", RATE), new Chart(latency, "Latency", LATENCY)];
  }

  /** After a change of colours. */
  dress(): void {
    for (const chart of this.#charts) chart.dress();
  }

  show(times: number[], pool: LivePool): void {
    for (const chart of this.#charts) chart.show(times, pool);
  }
}
