import { expect, test } from "bun:test";
import { closeSync, ftruncateSync } from "node:fs";
import { newLetter, readLetter, writeLetter } from "./letter.ts";

async function texts(fd: number): Promise<readonly string[] | undefined> {
  return (await readLetter(fd))?.map(String);
}

function sheets(...all: readonly string[]): readonly Buffer[] {
  return all.map((text) => Buffer.from(text));
}

test("what is left in it is found, shorter or longer than what was there", async () => {
  const fd = newLetter(sheets("x".repeat(100_000)));
  expect(await texts(fd)).toEqual(["x".repeat(100_000)]);
  writeLetter(fd, sheets("one", "", "three"));
  expect(await texts(fd)).toEqual(["one", "", "three"]);
  writeLetter(fd, sheets("y", "z".repeat(3_000_000)));
  expect(await texts(fd)).toEqual(["y", "z".repeat(3_000_000)]);
  writeLetter(fd, []);
  expect(await texts(fd)).toEqual([]);
  closeSync(fd);
});

test("what is cut short is nothing", async () => {
  const fd = newLetter(sheets("whole", "and more"));
  for (const length of [24, 15, 10, 4, 3, 0]) {
    ftruncateSync(fd, length);
    expect(await readLetter(fd)).toBeNull();
  }
  closeSync(fd);
});
