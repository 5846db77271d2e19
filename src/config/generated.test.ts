import { expect, test } from "bun:test";
import { join } from "node:path";
import { jsonSchema } from "./schema/json-schema.ts";
import { documentedSections } from "./schema/keys.ts";

const ROOT = join(import.meta.dir, "../..");

test("the generated files are up to date", async () => {
  const check = Bun.spawn([process.execPath, "scripts/generate.ts", "--check"], { cwd: ROOT, stderr: "pipe" });
  expect(await new Response(check.stderr).text()).toBe("");
  expect(await check.exited).toBe(0);
});

test("every key has a type and a meaning", () => {
  const sections = documentedSections();
  expect(sections.map(({ path }) => path)).toContain("pools.NAME.backends[]");
  for (const { path, keys } of sections) {
    for (const { name, type, meaning } of keys) {
      expect({ path, name, type: type !== "", meaning: meaning.endsWith(".") }).toEqual({
        path,
        name,
        type: true,
        meaning: true,
      });
    }
  }
});

test("the JSON Schema describes every key and forbids others", () => {
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== "object" || node === null) return;
    const { properties, additionalProperties, description } = node as Record<string, unknown>;
    if (properties !== undefined) expect({ path, additionalProperties }).toEqual({ path, additionalProperties: false });
    for (const [name, child] of Object.entries((properties ?? {}) as Record<string, object>)) {
      expect({ path, name, described: "description" in child }).toEqual({ path, name, described: true });
    }
    for (const [key, child] of Object.entries(node)) if (child !== description) visit(child, `${path}/${key}`);
  };
  visit(jsonSchema(), "");
});
