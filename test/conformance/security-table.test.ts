import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { configSchema } from "../../src/config/schema/schema.ts";
import { keysOf, schemaAt } from "../../src/config/schema/walk.ts";

const root = new URL("../../", import.meta.url);
const page = readFileSync(new URL("docs/security.md", root), "utf8");

/** The cells of all rows of the page, without their padding. */
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("| ") && !/^\| (attack|-+) /.test(line))
  .map((line) =>
    line
      .slice(1, -1)
      .split(" | ")
      .map((cell) => cell.trim()),
  );

/** Whether a test file names it: as a whole name, a template of names, or the text from which names are made. */
function holds(file: string, name: string): boolean {
  const url = new URL(file, root);
  if (!existsSync(url)) return false;
  const text = readFileSync(url, "utf8");
  return text.includes(`"${name}"`) || text.includes(`\`${name}\``);
}

/** Keys of timeouts and limits, wherever they may stand. */
const keys = new Set(
  [["timeouts"], ["limits"], ["pools", "", "limits"]].flatMap((path) => {
    const schema = schemaAt(configSchema, path);
    return (schema === null ? [] : keysOf(schema)).map((key) => `${path.at(-1)}.${key}`);
  }),
);

describe("docs/security.md", () => {
  test("names for each attack what is promised, a bound, and tests that exist", () => {
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) {
      expect([row.length, row.filter((cell) => cell === "")]).toEqual([4, []]);
      const named = [...(row[3] ?? "").matchAll(/`([^`]+)`: "([^"]+)"/g)].map(([, file = "", name = ""]) => ({
        file,
        name,
      }));
      expect(named).not.toEqual([]);
      expect(named.filter(({ file, name }) => !holds(file, name))).toEqual([]);
    }
  });

  test("names keys that exist", () => {
    const named = [...page.matchAll(/`((?:timeouts|limits)\.\w+)`/g)].map(([, key = ""]) => key);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((key) => !keys.has(key))).toEqual([]);
  });
});
