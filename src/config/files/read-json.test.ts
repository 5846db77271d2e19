import { expect, test } from "bun:test";
import fc from "fast-check";
import { readJson } from "./read-json.ts";
import { locate } from "../schema/tree.ts";
import type { Path } from "./problems.ts";

function fault(text: string): string {
  const parsed = readJson(text);
  return "faults" in parsed
    ? parsed.faults.map(({ at, message }) => `${at.line}:${at.column} ${message}`).join("\n")
    : "";
}

function place(text: string, path: Path, part: "key" | "value" = "value"): string {
  const parsed = readJson(text);
  if ("faults" in parsed) throw new Error(fault(text));
  const { line, column } = locate(parsed.tree, path, part);
  return `${line}:${column}`;
}

test("values are those of JSON.parse", () => {
  fc.assert(
    fc.property(fc.json(), fc.integer({ min: 0, max: 2 }), (text, indent) => {
      const value: unknown = JSON.parse(text);
      expect(readJson(JSON.stringify(value, null, indent))).toMatchObject({ value });
    }),
  );
});

test("what JSON.parse refuses is a fault, and nothing else is", () => {
  const text = fc.stringMatching(/^[[\]{}":,0-9a\\.e+ -]{0,12}$/);
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        fc.string(),
        fc.json().chain((json) => fc.nat(json.length).map((end) => json.slice(0, end))),
      ),
      (given) => {
        const parses = (): boolean => {
          try {
            JSON.parse(given);
            return true;
          } catch {
            return false;
          }
        };
        const faults = fault(given);
        if (!faults.includes("stands twice")) expect(faults === "").toBe(parses());
      },
    ),
    { numRuns: 5000 },
  );
});

test.each([
  ["", "1:1 the text ends too early: a value is missing"],
  ['{\n  "a": 1,\n}', "2:9 JSON allows no comma before }"],
  ['{\n  "a": 1\n  "b": 2\n}', "3:3 a comma or } is missing here"],
  ['{\n  // note\n  "a": 1\n}', "2:3 JSON has no comments"],
  ["{ a: 1 }", '1:3 a key in double quotes, such as "listeners", should stand here'],
  ['{ "a" 1 }', '1:7 a colon should follow the key "a"'],
  ["{ \"a\": 'b' }", "1:8 JSON strings stand in double quotes"],
  ['{ "a": "b\n" }', "1:8 this string is not closed, or holds a line break or an unknown escape"],
  ['{ "a": 01 }', "1:8 a value should stand here"],
  ['{ "a": 1', "1:9 a comma or } is missing here"],
  ["{} {}", "1:4 the text should end here"],
  ['{\n"a": 1,\n"b": 2,\n"a": 3 }', '4:1 the key "a" stands twice'],
  ["[".repeat(100_000), "1:202 the nesting is too deep"],
])("%#: a fault has its place and says what is wrong", (text, expected) => {
  expect(fault(text)).toBe(expected);
});

test("places are of the value, of the key, or of the nearest parent", () => {
  const text = '{\n  "pools": {\n    "app": { "backends": [":1", { "address": ":2" }] }\n  }\n}';
  expect(place(text, ["pools", "app", "backends", 0])).toBe("3:27");
  expect(place(text, ["pools", "app", "backends", 1, "address"])).toBe("3:46");
  expect(place(text, ["pools", "app", "backends", 1, "address"], "key")).toBe("3:35");
  expect(place(text, ["pools", "app", "backends", 1, "weight"])).toBe("3:33");
  expect(place(text, ["pools", "app"])).toBe("3:5");
  expect(place(text, ["listeners"])).toBe("1:1");
});

test("a key named __proto__ is a key like any other", () => {
  const parsed = readJson('{ "__proto__": { "polluted": true } }');
  expect("value" in parsed && Object.keys(parsed.value as object)).toEqual(["__proto__"]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test.each([
  ['{"a":1,"a":2}', '1:8 the key "a" stands twice'],
  ['{"a":1,"\\u0061":2}', '1:8 the key "\\u0061" stands twice'],
  ['[{"a\\\\":1,"a\\\\" : 2}]', '1:11 the key "a\\\\" stands twice'],
  ['{"a":{"\\"a\\":":1},"b":":"}', ""],
])("%s: a key is found twice wherever and however it is written", (text, expected) => {
  expect(fault(text)).toBe(expected);
});
