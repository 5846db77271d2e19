import { isatty } from "node:tty";
import type { Applied } from "../../admin/model-writes.ts";

/** Colours of a terminal (ECMA-48 §8.3.117). */
export const COLOUR = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Paints a text where stdout is a terminal whose user wants colours. */
export function paint(colour: keyof typeof COLOUR, text: string): string {
  return isatty(1) && !process.env["NO_COLOR"] ? `\x1b[${COLOUR[colour]}m${text}\x1b[0m` : text;
}

/** A cell: its text, and how it is painted. */
export interface Cell {
  readonly text: string;
  readonly colour?: keyof typeof COLOUR;
  /** Numbers stand on the right. */
  readonly right?: boolean;
}

/** A table for people: columns as wide as they need, two spaces between, a bold head. */
export function columns(head: readonly string[], rows: readonly (readonly (string | Cell)[])[]): string {
  const cells = rows.map((row) => row.map((cell): Cell => (typeof cell === "string" ? { text: cell } : cell)));
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.text.length ?? 0)));
  const line = (row: readonly Cell[]): string =>
    row
      .map(({ text, colour, right }, i) => {
        const width = widths[i] ?? 0;
        // Nothing stands behind the last one.
        const padded = right === true ? text.padStart(width) : i === row.length - 1 ? text : text.padEnd(width);
        return colour === undefined ? padded : paint(colour, padded);
      })
      .join("  ")
      .trimEnd();
  const rights = head.map((_, i) => cells.length > 0 && cells.every((row) => row[i]?.right === true));
  const heads = head.map((text, i): Cell => ({ text, colour: "bold", right: rights[i] ?? false }));
  return [line(heads), ...cells.map(line)].join("\n");
}

/** What a change did, for people. */
export function appliedText({ changes, generation, needsUpgrade, dryRun, persisted }: Applied): string {
  const lines = changes.map(({ kind, what, name, detail }) => {
    const sign = { added: "+", removed: "-", changed: "~" }[kind];
    const colour = ({ added: "green", removed: "red", changed: "yellow" } as const)[kind];
    return paint(colour, `${sign} ${what} ${name}${detail === "" ? "" : `: ${detail}`}`);
  });
  if (changes.length === 0) lines.push(dryRun ? "nothing would change" : "nothing has changed");
  if (needsUpgrade.length > 0)
    lines.push(paint("yellow", `${needsUpgrade.join(", ")}: in force from \`weir upgrade\` or a restart on`));
  if (!dryRun && changes.length > 0)
    lines.push(paint("dim", `generation ${generation}${persisted ? ", kept over restarts" : ""}`));
  return lines.join("\n");
}

/** Prints an answer: as JSON where that was asked for, for people otherwise. */
export function print<T>(json: boolean, answer: T, text: (answer: T) => string): void {
  console.log(json ? JSON.stringify(answer) : text(answer));
}
