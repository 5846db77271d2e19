import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { LAXER, STRICTER } from "./differences.ts";

const root = new URL("../../", import.meta.url);
const page = readFileSync(new URL("docs/http-conformance.md", root), "utf8");

/** The cells of the table's rows below a heading, without their padding. */
function rows(heading: string): string[][] {
  const from = page.indexOf(`\n## ${heading}\n`);
  expect(from).not.toBe(-1);
  const section = page.slice(from + 4).split("\n## ")[0] ?? "";
  return section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split(" | ")
        .map((cell) => cell.trim()),
    );
}

/** What a test file names: the text of its string literals, or the names of its cases. */
function holds(file: string, name: string): boolean {
  const url = new URL(file, root);
  if (!existsSync(url)) return false;
  const text = readFileSync(url, "utf8");
  if (!file.endsWith(".json")) return text.includes(`"${name}"`);
  const { cases } = JSON.parse(text) as { readonly cases: readonly { readonly name: string }[] };
  return cases.some((each) => each.name === name);
}

describe("docs/http-conformance.md", () => {
  for (const heading of ["RFC 9110: semantics", "RFC 9111: caching", "RFC 9112: HTTP/1.1"])
    test(`names for each clause of ${heading} tests that exist`, () => {
      const clauses = rows(heading);
      expect(clauses.length).toBeGreaterThan(0);
      for (const [clause = "", , , held = ""] of clauses) {
        expect(clause).toStartWith("§");
        const named = [...held.matchAll(/`([^`]+)`: "([^"]+)"/g)].map(([, file = "", name = ""]) => ({ file, name }));
        expect(named).not.toEqual([]);
        expect(named.filter(({ file, name }) => !holds(file, name))).toEqual([]);
      }
    });

  test("gives a reason for each clause that is not obeyed", () => {
    for (const row of rows("What Weir does not obey")) expect(row.filter((cell) => cell.length > 5).length).toBe(3);
  });

  test("has the differences of the tests, and no others", () => {
    expect(rows("Where Weir is stricter than others")).toEqual(
      STRICTER.map(({ problem, clause, others }) => [problem, clause, others.join(", ")]),
    );
    expect(rows("Where others are stricter than Weir")).toEqual(
      LAXER.map(({ what, clause, other }) => [what, clause, other]),
    );
  });

  test("has every reason for a refusal by the parsers' own words", () => {
    const parsers = ["field-parser", "request-parser", "body-reader"]
      .map((file) => readFileSync(new URL(`src/http1/${file}.ts`, root), "utf8"))
      .join("\n");
    for (const { problem } of STRICTER) expect(parsers).toContain(problem.split("…")[0] ?? "");
  });
});
