import { expect, test } from "bun:test";
import type { Path } from "./problems.ts";
import { readModule } from "./read-module.ts";
import { locate } from "../schema/tree.ts";

function place(text: string, path: Path, part: "key" | "value" = "value"): string {
  const tree = readModule(text);
  if (!tree) return "none";
  const { line, column } = locate(tree, path, part);
  return `${line}:${column}`;
}

test.each([
  "export default {\n  a: { b: 1 },\n};",
  "export default defineConfig({\n  a: { b: 1 },\n});",
  "export default weir.defineConfig(({\n  a: { b: 1 },\n}) as const) satisfies Config;",
  "const config: Config =\n{ a: { b: 1 } };\nexport default config;",
  "const config = Object.freeze({\n  a: { b: 1 },\n});\nexport { config as default };",
  'const c = {\n  "a": { [`b`]: 0, b: 1 },\n};\nexport default defineConfig(c!);',
  "module.exports = {\n  a: { b: 1 },\n};",
  "export default await defineConfig(<Config>{\n  a: { b: 1 },\n});",
])("%#: the line is found however the object is exported", (text) => {
  expect(place(text, ["a", "b"])).toStartWith("2:");
});

test("places go through constants, their members, spreads and shorthands", () => {
  const text = `
const app = { backends: [":1", { address: ":2" }] };
const defaults = { pools: { base: { policy: "x" } } };
const more = [":3"];
export default {
  pools: {
    app,
    merged: { ...defaults.pools.base, backends: [...more, ":4"] },
    over: { ...defaults.pools.base, policy: "y" },
  },
  workers: 2,
};`;
  expect(place(text, ["pools", "app", "backends", 1, "address"])).toBe("2:43");
  expect(place(text, ["pools", "app"])).toBe("7:5");
  expect(place(text, ["pools", "merged", "policy"])).toBe("3:45");
  expect(place(text, ["pools", "merged", "backends", 0])).toBe("4:15");
  expect(place(text, ["pools", "merged", "backends", 1])).toBe("8:59");
  expect(place(text, ["pools", "over", "policy"])).toBe("9:45");
  expect(place(text, ["workers"], "key")).toBe("11:3");
});

test("what is computed has the place of its nearest parent", () => {
  const text = `
const ports = [1, 2];
export default {
  pools: {
    app: { backends: ports.map((port) => ":" + port), [name()]: 1 },
    list: { backends: [":0", ...ports.map(String), ":9"] },
  },
  ...other(),
};`;
  expect(place(text, ["pools", "app", "backends", 1])).toBe("5:12");
  expect(place(text, ["pools", "app", "x"])).toBe("5:5");
  expect(place(text, ["pools", "list", "backends", 0])).toBe("6:24");
  expect(place(text, ["pools", "list", "backends", 2])).toBe("6:13");
  expect(place(text, ["listeners"])).toBe("3:16");
});

test("a file that writes nothing out has no places, and is no crash", () => {
  expect(place("export default make();", ["a"])).toBe("1:16");
  expect(place('export { default } from "./other.ts";', ["a"])).toBe("none");
  expect(place("export default function f() {}", ["a"])).toBe("none");
  expect(place("export const a = 1;", ["a"])).toBe("none");
  expect(place("this is not ( TypeScript", ["a"])).toBe("none");
  expect(place("const a = b; const b = a; export default a;", ["a"])).toBe("1:42");
});
