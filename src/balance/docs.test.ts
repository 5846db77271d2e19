import { expect, test } from "bun:test";
import { DEFAULT_POLICY, POLICIES } from "./registry.ts";

const page = await Bun.file(new URL("../../docs/policies.md", import.meta.url)).text();
const names = [...POLICIES.keys()];

function matches(pattern: RegExp, text: string = page): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? "");
}

test("the table in docs/policies.md has the policies of the registry, in its order", () => {
  expect(matches(/^\| `([^`]+)` *\|/gm, page.slice(0, page.indexOf("\n## ")))).toEqual(names);
});

test("each policy has its section, with all that a reader looks for", () => {
  expect(matches(/^## `([^`]+)`$/gm)).toEqual(names);
  for (const section of page.split(/^## (?=`)/m).slice(1)) {
    for (const part of ["**Formula**", "**Cost**", "**When**", "**Not**", "**Source**"])
      expect(section).toContain(part);
  }
});

test("the page names the default", () => {
  expect(page).toContain(`A pool that names none has \`${DEFAULT_POLICY}\`.`);
});
