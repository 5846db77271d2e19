import { expect, test } from "bun:test";
import { readableAge, readableCount, readableFields, readableMs, readableShare } from "./readable.ts";

test("numbers are short, and never turn into a longer one of the next unit", () => {
  expect([0, 3, 3.24, 9.96, 48, 999.4, 999.6, 1234, 99_949, 99_951, 999_960].map(readableCount)).toEqual([
    "0",
    "3",
    "3.2",
    "10",
    "48",
    "999",
    "1.0k",
    "1.2k",
    "99.9k",
    "100k",
    "1.0M",
  ]);
  expect([null, 0.042, 0.996, 8.14, 99.6, 999.4, 999.6, 12_000].map(readableMs)).toEqual([
    "–",
    "0.04 ms",
    "1.0 ms",
    "8.1 ms",
    "100 ms",
    "999 ms",
    "1.0 s",
    "12.0 s",
  ]);
  expect([null, 0, 0.00001, 0.004, 0.0996, 0.333, 1].map(readableShare)).toEqual([
    "–",
    "0 %",
    "0.1 %",
    "0.4 %",
    "10 %",
    "33 %",
    "100 %",
  ]);
  expect([0, 12_000, 61_000, 7_300_000, 200_000_000].map(readableAge)).toEqual(["now", "12 s", "1 min", "2 h", "2 d"]);
});

test("an event's fields say first whom they are about", () => {
  expect(
    readableFields({ mend: "Start it.", why: "refused", backend: "a:1", pool: "app", code: null, more: [1] }),
  ).toBe("app/a:1 refused more=[1]");
  expect(readableFields({ who: "127.0.0.1", what: "app/a:1 is set to drain", done: true })).toBe(
    "app/a:1 is set to drain who=127.0.0.1 done=true",
  );
  expect(readableFields({ code: "LISTEN_IN_USE", what: "the address is taken", mend: "Stop it.", pool: "app" })).toBe(
    "app code=LISTEN_IN_USE",
  );
});
