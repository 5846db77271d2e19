import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { MUTATIONS } from "./list.ts";

test.each(MUTATIONS.map((mutation) => [mutation.name, mutation] as const))(
  "a deliberate bug can still be made: %s",
  (_name, { file, find, replace }) => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    expect(text.split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
  },
);
