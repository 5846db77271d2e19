import { expect, test } from "bun:test";
import type { Path } from "./problems.ts";
import { readToml } from "./read-toml.ts";
import { locate } from "../schema/tree.ts";

function valueOf(text: string): unknown {
  const parsed = readToml(text);
  if ("faults" in parsed) throw new Error(parsed.faults.map(({ message }) => message).join("\n"));
  return parsed.value;
}

function place(text: string, path: Path): string {
  const parsed = readToml(text);
  if ("faults" in parsed)
    return parsed.faults.map(({ at, message }) => `${at.line}:${at.column} ${message}`).join("\n");
  const { line, column } = locate(parsed.tree, path, "value");
  return `${line}:${column}`;
}

const TEXT = `
workers = 2
limits.body = "1MiB"

[listeners.web]
address = ":8080"
[[listeners.web.routes]]
host = "a.com"
pool = "app"
[listeners.web.routes.timeouts]
head = "1s"
[[listeners.web.routes]]
pool = "app"

[pools."a.b"]
backends = [
  ":1",
  { address = ":2", weight = 2 },
]
[pools]
app = { backends = [":3"] }
`;

test("values are those of the runtime's own reader", () => {
  expect(valueOf(TEXT)).toEqual(Bun.TOML.parse(TEXT));
  expect(valueOf("")).toEqual({});
});

test("places go through tables, lists of tables, dotted keys and inline tables", () => {
  expect(place(TEXT, ["workers"])).toBe("2:11");
  expect(place(TEXT, ["limits", "body"])).toBe("3:15");
  expect(place(TEXT, ["listeners", "web"])).toBe("5:12");
  expect(place(TEXT, ["listeners", "web", "routes", 0, "host"])).toBe("8:8");
  expect(place(TEXT, ["listeners", "web", "routes", 0, "timeouts", "head"])).toBe("11:8");
  expect(place(TEXT, ["listeners", "web", "routes", 1, "pool"])).toBe("13:8");
  expect(place(TEXT, ["pools", "a.b", "backends", 1, "weight"])).toBe("18:30");
  expect(place(TEXT, ["pools", "app", "backends", 0])).toBe("21:21");
  expect(place(TEXT, ["pools", "app", "policy"])).toBe("21:1");
});

test.each([
  ["a = 1\na = 2\n", "2:1 defining a key multiple times is invalid"],
  ["[a]\n[a]\n", "2:2 defining a key multiple times is invalid"],
  ['a = "x\n', "1:7 "],
  ["a = nope\n", "1:5 "],
])("%#: a fault has its place", (text, expected) => {
  expect(place(text, [])).toStartWith(expected);
});

test("names such as __proto__ and constructor are names like any other", () => {
  const value = valueOf("[__proto__]\npolluted = 1\n[constructor]\npolluted = 1\n");
  expect(Object.keys(value as object)).toEqual(["__proto__", "constructor"]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect("polluted" in Object).toBe(false);
});
