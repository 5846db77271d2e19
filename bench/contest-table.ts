import type { ContestOutcome } from "./contest-run.ts";
import { aligned, markdown, number } from "./text-table.ts";

/** A contest's table for the terminal, with what is to be said of it below. */
export function contestTable(outcome: ContestOutcome): string {
  const remarks = outcome.remarks.map((remark) => `  ! ${remark.replaceAll("\n", "\n    ")}`);
  const { contest, strain } = outcome;
  return [`${contest.name}: ${contest.title}`, ...aligned(rows(outcome)), `  (${strain})`, ...remarks, ""].join("\n");
}

/** The same in Markdown, under its title and how it was measured. */
export function contestMarkdown(outcome: ContestOutcome): string {
  const { title, course, atOnce } = outcome.contest;
  const how = `${course.measuredMs / 1000} s after ${course.leadMs / 1000} s of the same load, ${atOnce} rows at a time`;
  return `**${title}** (${how})\n\n${markdown(rows(outcome))}`;
}

function rows({ contest, finishes }: ContestOutcome): readonly (readonly string[])[] {
  const header = ["", ...contest.columns.map(({ title }) => title)];
  const measured = finishes.map(({ entry, tallied }) => [
    entry.title,
    ...contest.columns.map((column, index) => {
      if (tallied === undefined) return index === 0 ? "not available" : "–";
      const value = column.of(tallied, contest.course);
      return Number.isNaN(value) ? "–" : number(value, column.digits);
    }),
  ]);
  return [header, ...measured];
}
