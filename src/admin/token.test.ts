import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { readToken, showsToken } from "./token.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

function file(content: string, mode: number): string {
  const path = join(folder.path, crypto.randomUUID());
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

test("is read without the space around it", () => {
  expect(readToken(file("  0123456789abcdef\n", 0o600))).toBe("0123456789abcdef");
  expect(readToken(file("0123456789abcdef", 0o640))).toBe("0123456789abcdef");
});

test.each([
  ["0123456789abcdef", 0o644, "open to others"],
  ["0123456789abcdef", 0o602, "open to others"],
  ["0123456789abcde", 0o600, "at least 16"],
  ["", 0o600, "at least 16"],
  ["0123456789abcdef 0123456789abcdef", 0o600, "cannot carry"],
  ["0123456789abcdeü", 0o600, "cannot carry"],
  ["x".repeat(5000), 0o600, "5000 bytes"],
])("is not taken from a file with %p and mode %p", (content, mode, why) => {
  expect(() => readToken(file(content, mode))).toThrow(why);
});

test("is not taken from what is no file, or is not there", () => {
  const path = join(folder.path, "sub");
  mkdirSync(path, { mode: 0o700 });
  expect(() => readToken(path)).toThrow("ADMIN_TOKEN_UNSAFE");
  expect(() => readToken(join(folder.path, "none"))).toThrow("ENOENT");
});

test("is shown by the whole of it and nothing else", () => {
  const token = "0123456789abcdef";
  expect(showsToken(`Bearer ${token}`, token)).toBe(true);
  expect(showsToken(`bearer  ${token}`, token)).toBe(true);
  for (const wrong of [
    null,
    "",
    "Bearer",
    "Bearer ",
    token,
    `Basic ${token}`,
    `Bearer ${token} `.repeat(2),
    `Bearer ${token}x`,
  ])
    expect(showsToken(wrong, token)).toBe(false);
});
