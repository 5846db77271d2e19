import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { planOf } from "../../../test/fixtures/cluster.ts";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";
import type { Plan } from "../../plan.ts";
import { withExplainToken } from "./explain-token.ts";

const TOKEN = "0123456789abcdef";

function plan(token: string | null, tokenFile: string | null): Plan {
  return { ...planOf({ backends: [1] }), explain: { token, tokenFile } };
}

test("a token is read where it is in a file, and nothing is touched where it is not", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "token");
  writeFileSync(file, `  ${TOKEN}\n`, { mode: 0o640 });
  chmodSync(file, 0o640);
  expect(withExplainToken(plan(null, file)).explain).toEqual({ token: TOKEN, tokenFile: file });
  for (const same of [plan(TOKEN, null), planOf({ backends: [1] })]) expect(withExplainToken(same)).toBe(same);
});

test("a file that others may read, or that holds no token, is refused without showing it", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "token");
  const refusal = (): string => {
    try {
      withExplainToken(plan(null, file));
      return "";
    } catch (error) {
      return String(error);
    }
  };
  expect(refusal()).toContain("EXPLAIN_TOKEN_UNSAFE");
  expect(refusal()).toContain("ENOENT");
  writeFileSync(file, TOKEN);
  chmodSync(file, 0o604);
  expect(refusal()).toContain("open to others, its mode is 0604");
  expect(refusal()).not.toContain(TOKEN);
  chmodSync(file, 0o600);
  for (const wrong of ["short", "two words that are long", "x".repeat(5000)]) {
    writeFileSync(file, wrong);
    expect(refusal()).toContain("EXPLAIN_TOKEN_UNSAFE");
    expect(refusal()).not.toContain(wrong);
  }
});
