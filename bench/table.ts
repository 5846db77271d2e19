import type { Proxy } from "./proxy.ts";
import type { Outcome } from "./rounds.ts";
import type { Goal } from "./scenario.ts";
import { summarise, suspects, type Row } from "./summary.ts";

const ratioTitle = "Weir ÷ better";

/** A scenario's table for the terminal, with what went wrong below it. */
export function scenarioTable(outcome: Outcome, proxies: readonly Proxy[]): string {
  const header = ["", ...proxies.map((proxy) => proxy.title), ratioTitle, "target", ""];
  const rows = summarise(outcome).map((row) => [row.figure.label, ...cells(row, outcome, proxies)]);
  const remarks = outcome.remarks.map((remark) => `  ! ${remark.replaceAll("\n", "\n    ")}`);
  return [`${outcome.scenario.name}: ${outcome.scenario.title}`, ...aligned([header, ...rows]), ...remarks, ""].join(
    "\n",
  );
}

/** All scenarios in one Markdown table for the README. */
export function markdownTable(outcomes: readonly Outcome[], proxies: readonly Proxy[], rate: number): string {
  const header = ["", ...proxies.map((proxy) => proxy.title), ratioTitle, "target", ""];
  const lines = [line(header), line(header.map((_, index) => (index === 0 ? "---" : "---:")))];
  for (const outcome of outcomes) {
    lines.push(line([`**${outcome.scenario.title}**`, ...header.slice(1).map(() => "")]));
    for (const row of summarise(outcome)) {
      const label = row.figure.label.replace("the fixed rate", `${rate} requests/s`);
      lines.push(line([label, ...cells(row, outcome, proxies)]));
    }
  }
  return lines.join("\n");
}

function cells({ figure, medians, ratio, reached }: Row, outcome: Outcome, proxies: readonly Proxy[]): string[] {
  const doubtful = suspects(outcome);
  const own = proxies.map(({ name }) => {
    const value = medians.get(name);
    return value === undefined ? "–" : number(value, figure.digits) + (doubtful.has(name) ? " !" : "");
  });
  const verdict = reached === undefined ? "" : reached ? "reached" : "missed";
  return [...own, ratio === undefined ? "" : number(ratio, 2), goalText(figure.goal), verdict];
}

function goalText(goal: Goal | undefined): string {
  if (goal === undefined) return "";
  return `${goal.is === "at most" ? "≤" : "≥"} ${goal.of === "ratio" ? goal.value.toFixed(1) : goal.value}`;
}

function number(value: number, digits: number): string {
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => {
    const padded = row.map((cell, index) =>
      index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0),
    );
    return `  ${padded.join("  ")}`.trimEnd();
  });
}

function line(cellTexts: readonly string[]): string {
  return `| ${cellTexts.join(" | ")} |`;
}
