import type { Proxy } from "./proxy.ts";
import type { Outcome } from "./rounds.ts";
import type { Goal } from "./scenario.ts";
import { summarise, suspects, type Row } from "./summary.ts";
import { aligned, markdown, number } from "./text-table.ts";

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
  const rows: string[][] = [];
  for (const outcome of outcomes) {
    rows.push([`**${outcome.scenario.title}**`, ...header.slice(1).map(() => "")]);
    for (const row of summarise(outcome)) {
      const label = row.figure.label.replace("the fixed rate", `${rate} requests/s`);
      rows.push([label, ...cells(row, outcome, proxies)]);
    }
  }
  return markdown([header, ...rows]);
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
