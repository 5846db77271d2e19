import { expect, test } from "bun:test";
import type { Path } from "./problems.ts";
import { readYaml } from "./read-yaml.ts";
import { locate } from "../schema/tree.ts";

function faults(text: string): string[] {
  const parsed = readYaml(text);
  return "faults" in parsed
    ? parsed.faults.map(
        ({ at, message, mend }) => `${at.line}:${at.column} ${message}${mend === null ? "" : ` → ${mend}`}`,
      )
    : [];
}

function place(text: string, path: Path): string {
  const parsed = readYaml(text);
  if ("faults" in parsed) throw new Error(faults(text).join("\n"));
  const { line, column } = locate(parsed.tree, path, "value");
  return `${line}:${column}`;
}

test.each([
  ["a: 1\nb: 2\na: 3\n", ['3:1 the key "a" stands twice → Remove one of the two.']],
  [
    "host: *.example.com\n",
    ["1:7 *.example.com refers to an anchor that is not there → Put values that begin with * in quotes."],
  ],
  ["a: 1\n---\nb: 1\n", ["2:1 the file holds more than one document → Keep one, without a --- between."]],
  ["a:\n\tb: 1\n", ["2:1 tabs are not allowed as indentation"]],
  ['a: "x', ['1:6 missing closing "quote']],
])("%#: a fault has its place, says what is wrong and how to mend it", (text, expected) => {
  expect(faults(text)).toEqual(expected);
});

test("an address that begins with a bracket is told to stand in quotes", () => {
  expect(faults("listeners:\n  web:\n    address: [::]:8080\n")[0]).toEndWith(
    "Put values that begin with [, @ or ` in quotes.",
  );
});

test("an unknown tag is a fault: it would change what a value means", () => {
  expect(faults("a: !env PORT\n")).toEqual(["1:4 unresolved tag: !env"]);
});

test("places go through anchors and merges", () => {
  const text = "base: &base\n  policy: x\npools:\n  app:\n    <<: *base\n    backends: [:1]\n  other: *base\n";
  expect(place(text, ["pools", "app", "backends", 0])).toBe("6:16");
  expect(place(text, ["pools", "app", "policy"])).toBe("2:11");
  expect(place(text, ["pools", "other", "policy"])).toBe("2:11");
  expect(place(text, ["pools", "app", "weight"])).toBe("4:3");
  expect(place("80:\n  a: 1\n", ["80", "a"])).toBe("2:6");
});

test("many merges of one block are fine, aliases of aliases of aliases are not", () => {
  const merges = Array.from({ length: 500 }, (_, i) => `b${i}: { <<: *base, k: ${i} }`).join("\n");
  expect(faults(`base: &base { w: 1 }\n${merges}\n`)).toEqual([]);
  const bomb = Array.from(
    { length: 12 },
    (_, i) =>
      `a${i}: &a${i} [${Array(9)
        .fill(i === 0 ? "x" : `*a${i - 1}`)
        .join(", ")}]`,
  );
  expect(faults(bomb.join("\n"))).toEqual(["1:1 the aliases expand to more than 10,000 parts → Use fewer aliases."]);
  const merged = Array.from(
    { length: 30 },
    (_, i) => `a${i}: &a${i} { ${i === 0 ? "k: 1" : `<<: [*a${i - 1}, *a${i - 1}]`} }`,
  );
  expect(faults(merged.join("\n"))).toEqual(["1:1 the aliases expand to more than 10,000 parts → Use fewer aliases."]);
});

test("a file that contains itself is read", () => {
  expect(faults("a: &a { b: *a }\n")).toEqual([]);
  expect(place("a: &a { b: *a }\n", ["a", "b", "b", "c"])).toBe("1:9");
});

test("nesting without end is a fault at once", () => {
  const deep = ["1:203 the nesting is too deep"];
  expect(faults(`a: ${"[".repeat(100_000)}`)).toEqual(deep);
  expect(faults(`a: ${"{".repeat(100_000)}${"}".repeat(100_000)}`)).toEqual(deep);
  expect(faults("- ".repeat(100_000))).toEqual(["1:1 the nesting is too deep"]);
  expect(faults(`a: ${"[".repeat(100)}${"]".repeat(100)}`)).toEqual([]);
});
