import { expect, test } from "bun:test";
import { jsonLine, textLine } from "./stderr-log.ts";

const noon = new Date(2026, 0, 2, 12, 3, 4, 56);

test("a line for machines is one JSON object, without what is not set", () => {
  const line = jsonLine(noon, "warn", "worker died", { worker: 1, signal: undefined, exitCode: null });
  expect(JSON.parse(line)).toEqual({
    time: noon.toISOString(),
    level: "warn",
    event: "worker died",
    worker: 1,
    exitCode: null,
  });
});

test("a line for people has the time, the level, the event and its fields", () => {
  const fields = { worker: 0, address: "[::1]:80", reason: 'a "b"\x1b[2J', gone: undefined };
  expect(textLine(noon, "info", "listener bound", fields, false)).toBe(
    '12:03:04.056 INFO  listener bound  worker=0 address=[::1]:80 reason="a \\"b\\"\\u001b[2J"',
  );
});

test("colours stand only where they are wanted", () => {
  expect(textLine(noon, "error", "x", {}, true)).toContain("\x1b[31mERROR\x1b[0m");
  expect(textLine(noon, "error", "x", {}, false)).not.toContain("\x1b");
});
