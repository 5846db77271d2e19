/** Text with colour for a terminal: its width is that of the text, however many escapes are in it. */
import { styleText } from "node:util";

/** What text may look like. */
export type Ink = "bold" | "dim" | "inverse" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";

/** What a terminal would act on, and what turns the direction of text about (UAX #9 §2): names come from outside. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text from outside, which a terminal shows and does not obey. */
export function harmless(text: string): string {
  return text.replace(CONTROL, "�");
}

/** Text in a colour or a style. */
export function inked(ink: Ink | null, text: string): string {
  return ink === null || text === "" ? text : styleText(ink, text, { validateStream: false });
}

/** Cut or filled up to a width in columns of a terminal; what is cut off is shown by `…`. Of plain text. */
export function fitted(text: string, width: number, side: "left" | "right" = "left"): string {
  if (width <= 0) return "";
  let shown = text;
  // Not by `Bun.sliceAnsi`: of some characters it has another opinion than `Bun.stringWidth` (1.4.5), and cuts too late.
  if (Bun.stringWidth(shown) > width) {
    shown = "";
    for (const character of text) {
      if (Bun.stringWidth(shown + character) > width - 1) break;
      shown += character;
    }
    shown += "…";
  }
  const space = " ".repeat(Math.max(0, width - Bun.stringWidth(shown)));
  return side === "left" ? shown + space : space + shown;
}

const BARS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;

/** Values as a line of bars, the newest at the right; a space where there was none. @param high what the highest bar stands for */
export function sparkline(values: readonly (number | null)[], width: number, high: number): string {
  const bars = values
    .slice(width === 0 ? values.length : -width)
    .map((value) =>
      value === null ? " " : (BARS[Math.min(7, Math.floor((value / Math.max(high, 0.001)) * 7.99))] ?? " "),
    );
  return bars.join("").padStart(width);
}

/** A share of 1 as a bar of eighths. */
export function shareBar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const rest = eighths % 8;
  const part = rest === 0 ? "" : (["▏", "▎", "▍", "▌", "▋", "▊", "▉"][rest - 1] ?? "");
  return ("█".repeat(Math.floor(eighths / 8)) + part).padEnd(width);
}
