import { isatty } from "node:tty";
import type { Applied } from "../../admin/model-writes.ts";

/** Colours of a terminal (ECMA-48 §8.3.117). */
export const COLOUR = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Paints a text where stdout is a terminal whose user wants colours. */
export function paint(colour: keyof typeof COLOUR, text: string): string {
  return isatty(1) && !process.env["NO_COLOR"] ? `\x1b[${COLOUR[colour]}m${text}\x1b[0m` : text;
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
