import { isatty } from "node:tty";
import { type COLOUR, paint } from "./output.ts";
import { fitted } from "../top/paint.ts";

/** A cell: its text, and how it is painted. */
export interface Cell {
  readonly text: string;
  readonly colour?: keyof typeof COLOUR;
  /** Numbers stand on the right. */
  readonly right?: boolean;
}

/** How a table becomes narrow enough for a terminal. */
export interface Narrowing {
  /** Columns of the terminal; `null` for none, and a table as wide as it needs. */
  readonly width: number | null;
  /** Titles of what may be left out, in this order. */
  readonly leave: readonly string[];
}

/** Between two columns. */
const GAP = 2;
/** Of the last column, which is cut, this much is worth leaving another one out: the first words of a reason. */
const WORTH = 24;

/** Columns of the terminal that is printed to; `null` where it is none, or does not say. */
export function terminalWidth(): number | null {
  return isatty(1) ? process.stdout.columns || null : null;
}

/** A table for people: columns as wide as they need, two spaces between, a bold head. Titles differ. */
export function columns(
  head: readonly string[],
  rows: readonly (readonly (string | Cell)[])[],
  { width, leave }: Narrowing = { width: null, leave: [] },
): string {
  const all = rows.map((row) => row.map((cell): Cell => (typeof cell === "string" ? { text: cell } : cell)));
  return width === null ? text(head, all) : text(...narrowed(head, all, width, leave));
}

type Table = readonly [head: readonly string[], rows: readonly (readonly Cell[])[]];

function widthsOf([head, rows]: Table): readonly number[] {
  return head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.text.length ?? 0)));
}

/** Without what may be left out, as long as it is too wide; then its last column is cut. What else there is stays as it is. */
function narrowed(head: readonly string[], rows: Table[1], width: number, leave: readonly string[]): Table {
  const widths = widthsOf([head, rows]);
  const last = head.length - 1;
  const left = new Set<string>();
  const room = (): number =>
    head.reduce((sum, title, i) => (i === last || left.has(title) ? sum : sum - (widths[i] ?? 0) - GAP), width);
  for (const title of leave) {
    if (room() >= Math.min(WORTH, widths[last] ?? 0)) break;
    left.add(title);
  }
  const most = Math.max(1, room());
  const shown = <T>(row: readonly T[]): T[] => row.filter((_, i) => !left.has(head[i] ?? ""));
  const short = (cell: string): string => (Bun.stringWidth(cell) > most ? fitted(cell, most) : cell);
  return [
    shown(head.with(last, short(head[last] ?? ""))),
    rows.map((row) => shown(row.map((cell, i) => (i === last ? { ...cell, text: short(cell.text) } : cell)))),
  ];
}

function text(...[head, rows]: Table): string {
  const widths = widthsOf([head, rows]);
  const line = (row: readonly Cell[]): string =>
    row
      .map(({ text: cell, colour, right }, i) => {
        const width = widths[i] ?? 0;
        // Nothing stands behind the last one.
        const padded = right === true ? cell.padStart(width) : i === row.length - 1 ? cell : cell.padEnd(width);
        return colour === undefined ? padded : paint(colour, padded);
      })
      .join(" ".repeat(GAP))
      .trimEnd();
  const rights = head.map((_, i) => rows.length > 0 && rows.every((row) => row[i]?.right === true));
  const heads = head.map((title, i): Cell => ({ text: title, colour: "bold", right: rights[i] ?? false }));
  return [line(heads), ...rows.map(line)].join("\n");
}
