import { expect, test } from "bun:test";
import type { Contest } from "./contest.ts";
import { contestMarkdown, contestTable } from "./contest-table.ts";
import type { ContestOutcome } from "./contest-run.ts";
import { weir } from "./weir.ts";

const contest: Contest = {
  name: "slow",
  title: "One slow",
  course: { slots: 1, serviceMs: [1], rate: 10, deadlineMs: 10, leadMs: 500, measuredMs: 3000 },
  columns: [
    { title: "answered", digits: 0, of: ({ answered }) => answered },
    { title: "p50, ms", digits: 1, of: ({ answered, p50 }) => (answered === 0 ? NaN : p50) },
  ],
  entries: [],
  atOnce: 2,
};
const tallied = { answered: 1200, refused: 0, late: 0, broken: 0, p50: 5.25, p99: 9, byBackend: [1200] };

const outcome: ContestOutcome = {
  contest,
  finishes: [
    { entry: { title: "Weir, random", proxy: weir }, tallied },
    { entry: { title: "Weir, none", proxy: weir }, tallied: { ...tallied, answered: 0 } },
    { entry: { title: "Weir, new", proxy: weir }, tallied: undefined },
  ],
  strain: "all well",
  remarks: ["Weir, new: refused\nno such key"],
};

test("a row that could not be run says so, and a figure of nothing is a dash", () => {
  expect(contestTable(outcome)).toBe(
    [
      "slow: One slow",
      "                     answered  p50, ms",
      "  Weir, random          1,200      5.3",
      "  Weir, none                0        –",
      "  Weir, new     not available        –",
      "  (all well)",
      "  ! Weir, new: refused",
      "    no such key",
      "",
    ].join("\n"),
  );
});

test("in Markdown the same rows stand under the title", () => {
  expect(contestMarkdown(outcome).split("\n")).toEqual([
    "**One slow** (3 s after 0.5 s of the same load, 2 rows at a time)",
    "",
    "|              |      answered | p50, ms |",
    "| ------------ | ------------: | ------: |",
    "| Weir, random |         1,200 |     5.3 |",
    "| Weir, none   |             0 |       – |",
    "| Weir, new    | not available |       – |",
  ]);
});
