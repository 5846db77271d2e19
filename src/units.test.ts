import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatDuration, formatSize, parseDuration, parseSize } from "./units.ts";

describe("durations", () => {
  test.each([
    ["250ms", 250],
    ["5s", 5000],
    ["1.5s", 1500],
    ["4.35s", 4350],
    ["1m", 60_000],
    ["1h", 3_600_000],
    ["1d", 86_400_000],
    ["10 s", 10_000],
    ["250", 250],
    [250, 250],
    [0, 0],
    ["0s", 0],
  ])("reads %p as %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(["", "s", "5x", "-1s", "1s2", "0.5ms", "1e3", "NaN", "Infinity", ".5s", 1.5, -1, Number.NaN])(
    "refuses %p",
    (text) => {
      expect(() => parseDuration(text)).toThrow("is no duration; use a number with ms, s, m, h or d");
    },
  );

  test("refuses what no timer can wait for", () => {
    expect(parseDuration(2 ** 31 - 1)).toBe(2 ** 31 - 1);
    expect(() => parseDuration("25d")).toThrow("is too long");
  });

  test("what is formatted is read back as the same", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), fc.constantFrom(1, 1000, 60_000, 3_600_000), (n, unit) => {
        const ms = Math.floor(n / unit) * unit;
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
    expect([0, 90_000, 3_600_000, 1001].map(formatDuration)).toEqual(["0ms", "90s", "1h", "1001ms"]);
  });
});

describe("sizes", () => {
  test.each([
    ["512", 512],
    [512, 512],
    ["512B", 512],
    ["32KiB", 32_768],
    ["32kib", 32_768],
    ["1MiB", 1_048_576],
    ["1GiB", 1_073_741_824],
    ["1KB", 1000],
    ["1.5MB", 1_500_000],
    ["1GB", 1_000_000_000],
    ["0", 0],
  ])("reads %p as %d bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(["", "KiB", "32k", "32 Ki", "-1", "0.5B", "9007199254740993", "9999999GiB", 0.5, -1])(
    "refuses %p",
    (text) => {
      expect(() => parseSize(text)).toThrow("is no size; use a number with B, KB, MB, GB, KiB, MiB or GiB");
    },
  );

  test("what is formatted is read back as the same", () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(1, 1000, 1024, 2 ** 20), (n, unit) => {
        expect(parseSize(formatSize(n * unit))).toBe(n * unit);
      }),
    );
    expect([0, 32_768, 1_000_000, 1_048_576, 1500].map(formatSize)).toEqual(["0", "32KiB", "1MB", "1MiB", "1500"]);
  });
});
