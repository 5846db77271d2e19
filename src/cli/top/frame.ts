import { BACKEND_SECONDS, type LiveBackend, type LivePool, type LiveView } from "../../admin/live-view.ts";
import type { BackendState, EventView } from "../../admin/model.ts";
import { readableCount, readableFields, readableMs, readableShare } from "../../admin/readable.ts";
import { fitted, harmless, type Ink, inked, shareBar, sparkline } from "./paint.ts";

/** What a person has done to the view, and what it knows beside the ticks. */
export interface TopState {
  /** Position of the chosen backend among those of all pools. */
  chosen: number;
  /** Why the API is not heard; `null` while it is. */
  lost: string | null;
  /** The newest last. */
  readonly events: readonly EventView[];
  /** What came of the last key. */
  said: string;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const INK: Readonly<Record<BackendState, Ink>> = {
  up: "green",
  starting: "dim",
  ramp: "blue",
  drain: "yellow",
  maintenance: "magenta",
  ejected: "red",
  down: "red",
};

/** A column of the table. */
interface Column {
  readonly name: ColumnName;
  readonly title: string;
  readonly width: number;
  readonly side: "left" | "right";
}

/** From the left; those that have no room are left out, the last in `LEAVE` first. The last one takes what is left over. */
const COLUMNS = [
  { name: "state", title: "STATE", width: 13, side: "left" },
  { name: "id", title: "BACKEND", width: 21, side: "left" },
  { name: "weight", title: "WEIGHT", width: 6, side: "right" },
  { name: "flight", title: "FLIGHT", width: 7, side: "right" },
  { name: "rate", title: "PER S", width: 8, side: "right" },
  { name: "share", title: "SHARE", width: 13, side: "left" },
  { name: "p50", title: "P50", width: 8, side: "right" },
  { name: "p99", title: "P99", width: 8, side: "right" },
  { name: "spark", title: "P90", width: 10, side: "left" },
] as const;
type ColumnName = (typeof COLUMNS)[number]["name"];
const LEAVE: readonly ColumnName[] = ["state", "id", "rate", "share", "p99", "spark", "weight", "flight", "p50"];

/** All backends, in the order in which keys go through them. */
export function backendsOf({ pools }: LiveView): LiveBackend[] {
  return pools.flatMap(({ backends }) => [...backends]);
}

/** The whole view as lines, one for each row of the terminal, none wider than it. Pure. O(rows). */
export function frame(view: LiveView, state: TopState, { columns, rows }: Size, clock: string): string[] {
  const lines = [...head(view, state, columns, clock), ""];
  const eventRows = rows < 16 ? 0 : Math.min(8, Math.max(4, Math.floor(rows / 4)));
  const room = Math.max(1, rows - lines.length - 1 - (eventRows > 0 ? eventRows + 1 : 0));
  lines.push(...table(view, state, columns, room));
  if (eventRows > 0)
    lines.push(inked("bold", fitted("EVENTS", columns)), ...eventLines(state.events, columns, eventRows));
  const keys = "↑↓ choose   d drain   r ready   + − weight   q quit";
  const last =
    state.said === "" ? inked("dim", fitted(keys, columns)) : inked("inverse", fitted(harmless(state.said), columns));
  return [...lines.slice(0, rows - 1), last];
}

function head(view: LiveView, { lost }: TopState, columns: number, clock: string): string[] {
  const { tick, shape } = view;
  const name = `Weir ${shape?.version ?? ""}`;
  const how = lost === null ? (tick?.phase ?? "connecting …") : `lost: ${harmless(lost)}; it is tried again`;
  const about =
    tick === null
      ? ""
      : `generation ${tick.generation} · ${tick.workers} workers · ${readableCount(tick.connections)} clients`;
  const title = fitted(name, Math.min(columns, Bun.stringWidth(name)));
  const space = columns - Bun.stringWidth(title);
  const right = space >= clock.length + 4 ? `  ${clock}` : "";
  const middle = fitted(`  ${how}${about === "" ? "" : ` · ${about}`}`, space - right.length);
  const first = inked("bold", title) + inked(lost === null ? "green" : "red", middle) + right;
  if (tick === null) return [first, ""];
  const { p50Ms, p90Ms, p99Ms } = tick.latency;
  const parts = [
    `${readableCount(view.perSecond)}/s`,
    `errors ${readableShare(view.errorShare)}`,
    `p50 ${readableMs(p50Ms)}`,
    `p90 ${readableMs(p90Ms)}`,
    `p99 ${readableMs(p99Ms)}`,
    `in flight ${readableCount(tick.inFlight)}`,
  ];
  return [first, fitted(parts.join("   "), columns)];
}

/** Pools and their backends, cut so that the chosen one is in sight, in just so many lines. */
function table(view: LiveView, { chosen }: TopState, columns: number, room: number): string[] {
  const shown = columnsFor(columns);
  const titles = shown.map(({ title, width, side }) => fitted(title, width, side)).join(" ");
  const all: string[] = [];
  let at = 0;
  let index = 0;
  for (const pool of view.pools) {
    const highMs = pool.backends.reduce((most, { latency }) => Math.max(most, latency.highest), 0.001);
    all.push(poolLine(pool, columns));
    for (const backend of pool.backends) {
      if (index === chosen) at = all.length;
      all.push(backendLine(backend, shown, columns, highMs, index === chosen));
      index += 1;
    }
    if (pool.backends.length === 0) all.push(inked("dim", fitted("  no backends", columns)));
  }
  const body = room - 1;
  const from = Math.max(0, Math.min(at - Math.floor(body / 2), all.length - body));
  const cut = all.slice(from, from + body);
  return [inked("dim", fitted(`  ${titles}`, columns)), ...cut, ...Array.from({ length: body - cut.length }, () => "")];
}

function columnsFor(columns: number): readonly Column[] {
  const names: ColumnName[] = [];
  let left = columns - 1; // a mark stands before them, and a space after each but the last
  for (const name of LEAVE) {
    const column = COLUMNS.find((each) => each.name === name);
    if (column === undefined || left <= column.width) break;
    left -= column.width + 1;
    names.push(name);
  }
  return COLUMNS.filter(({ name }) => names.includes(name)).map((column) => {
    if (column.name !== "spark") return column;
    const width = Math.min(BACKEND_SECONDS, column.width + left);
    return { ...column, width, title: `P90, ${width} S` };
  });
}

function poolLine(pool: LivePool, columns: number): string {
  const working = pool.backends.filter(({ effectiveWeight }) => effectiveWeight > 0).length;
  const parts = [
    pool.policy,
    `${working}/${pool.backends.length} work`,
    `${readableCount(pool.perSecond)}/s`,
    `errors ${readableShare(pool.errorShare)}`,
    ...(pool.waiting > 0 ? [`${pool.waiting} wait`] : []),
    ...(pool.panic ? ["panic"] : []),
  ];
  const name = fitted(harmless(pool.name), Math.min(columns, Bun.stringWidth(pool.name)));
  const trouble = pool.panic || pool.backends.some(({ state }) => state === "down" || state === "ejected");
  return (
    inked("bold", name) +
    inked(trouble ? "red" : "dim", fitted(`  ${parts.join(" · ")}`, columns - Bun.stringWidth(name)))
  );
}

function backendLine(
  backend: LiveBackend,
  shown: readonly Column[],
  columns: number,
  highMs: number,
  chosen: boolean,
): string {
  const text: Readonly<Record<ColumnName, string>> = {
    state: `● ${backend.state}`,
    id: harmless(backend.id),
    weight: String(backend.weight),
    flight: readableCount(backend.inFlight),
    rate: readableCount(backend.perSecond),
    share: `${shareBar(backend.share, 6)} ${readableShare(backend.share).padStart(6)}`,
    p50: readableMs(backend.p50Ms),
    p99: readableMs(backend.p99Ms),
    spark: sparkline(backend.latency.values(), shown.find(({ name }) => name === "spark")?.width ?? 0, highMs),
  };
  const cells = shown.map(({ name, width, side }) => {
    const cell = fitted(text[name], width, side);
    if (chosen) return cell;
    return inked(name === "state" ? INK[backend.state] : name === "share" || name === "spark" ? "cyan" : null, cell);
  });
  const line = cells.join(" ");
  if (!chosen) return "  ".slice(0, columns) + line;
  return inked("inverse", fitted(`▸ ${line}`, columns));
}

function eventLines(events: readonly EventView[], columns: number, rows: number): string[] {
  const lines = events
    .slice(-rows)
    .reverse()
    .map(({ time, level, event, fields }) => {
      const when = new Date(time).toLocaleTimeString("en-GB", { hour12: false });
      const ink: Ink | null = level === "error" ? "red" : level === "warn" ? "yellow" : null;
      const room = columns - 8;
      const text = `  ${harmless(event)}`;
      const name = fitted(text, Math.min(room, Bun.stringWidth(text)));
      const rest = fitted(`  ${harmless(readableFields(fields))}`, room - Bun.stringWidth(name));
      return inked("dim", fitted(when, Math.min(8, columns))) + inked(ink, name) + inked("dim", rest);
    });
  return [...lines, ...Array.from({ length: rows - lines.length }, () => "")];
}
