import { expect, test } from "bun:test";
import { closeSync, ftruncateSync } from "node:fs";
import { newLetter, readLetter, writeLetter } from "./letter.ts";

test("what is left in it is found, shorter or longer than what was there", () => {
  const fd = newLetter({ question: "x".repeat(100_000) });
  expect(readLetter(fd)).toEqual({ question: "x".repeat(100_000) });
  writeLetter(fd, { body: /^ok/i, of: [1, null] });
  expect(readLetter(fd)).toEqual({ body: /^ok/i, of: [1, null] });
  writeLetter(fd, "y".repeat(300_000));
  expect(readLetter(fd)).toBe("y".repeat(300_000));
  closeSync(fd);
});

test("what is cut short is nothing", () => {
  const fd = newLetter({ text: "whole" });
  ftruncateSync(fd, 10);
  expect(readLetter(fd)).toBeNull();
  ftruncateSync(fd, 0);
  expect(readLetter(fd)).toBeNull();
  closeSync(fd);
});

test("a function is no data, and what was there stays", () => {
  const fd = newLetter("before");
  expect(() => writeLetter(fd, () => 1)).toThrow();
  expect(readLetter(fd)).toBe("before");
  closeSync(fd);
});
