import { WeirError } from "./errors.ts";

// The longest wait that setTimeout takes (24 days): a longer one would fire at once.
const MAX_MS = 2 ** 31 - 1;

const DURATION_UNITS: readonly (readonly [name: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

const SIZE_UNITS: readonly (readonly [name: string, bytes: number])[] = [
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
  ["GB", 1e9],
  ["MB", 1e6],
  ["KB", 1e3],
  ["B", 1],
];

// In whole numbers, because 4.35 * 100 is not 435 in floating point.
function scale(whole: string, fraction: string, factor: number): number | null {
  const shifted = BigInt(whole + fraction) * BigInt(factor);
  const divisor = 10n ** BigInt(fraction.length);
  return shifted % divisor === 0n ? Number(shifted / divisor) : null;
}

function read(value: string | number, factorOf: (unit: string) => number | undefined): number | null {
  const match = /^(\d{1,16})(?:\.(\d{1,9}))? ?([a-z]*)$/i.exec(String(value).trim());
  if (!match) return null;
  const [, whole = "", fraction = "", unit = ""] = match;
  const factor = factorOf(unit.toLowerCase());
  return factor === undefined ? null : scale(whole, fraction, factor);
}

/**
 * Reads a duration: `"250ms"`, `"5s"`, `"1.5m"`, `"1h"`, `"1d"`, or a plain number of milliseconds.
 * @returns whole milliseconds from 0 to 2³¹ − 1, the most that a timer takes
 * @throws CONFIG_BAD_VALUE with what is wrong and the forms that are right
 */
export function parseDuration(value: string | number): number {
  const ms = read(value, (unit) => (unit === "" ? 1 : DURATION_UNITS.find(([name]) => name === unit)?.[1]));
  const use = 'use a number with ms, s, m, h or d, such as "250ms" or "5s"';
  if (ms === null) throw new WeirError("CONFIG_BAD_VALUE", `${JSON.stringify(value)} is no duration; ${use}`);
  if (ms > MAX_MS) throw new WeirError("CONFIG_BAD_VALUE", `${JSON.stringify(value)} is too long; use at most "24d"`);
  return ms;
}

/** The shortest text that `parseDuration` reads back as the same number of milliseconds. */
export function formatDuration(ms: number): string {
  for (const [name, factor] of DURATION_UNITS) if (ms > 0 && ms % factor === 0) return `${ms / factor}${name}`;
  return `${ms}ms`;
}

/**
 * Reads a size: `"512"`, `"32KiB"`, `"1MiB"` (powers of 1024), `"1KB"`, `"1MB"` (powers of 1000), or a plain number of bytes.
 * @returns whole bytes
 * @throws CONFIG_BAD_VALUE with what is wrong and the forms that are right
 */
export function parseSize(value: string | number): number {
  const bytes = read(value, (unit) =>
    unit === "" ? 1 : SIZE_UNITS.find(([name]) => name.toLowerCase() === unit)?.[1],
  );
  if (bytes === null || !Number.isSafeInteger(bytes)) {
    const use = 'use a number with B, KB, MB, GB, KiB, MiB or GiB, such as "32KiB" or "1MB"';
    throw new WeirError("CONFIG_BAD_VALUE", `${JSON.stringify(value)} is no size; ${use}`);
  }
  return bytes;
}

/** A text that `parseSize` reads back as the same number of bytes: in the largest unit that leaves no rest. */
export function formatSize(bytes: number): string {
  for (const [name, factor] of SIZE_UNITS) {
    if (bytes > 0 && bytes % factor === 0) return factor === 1 ? String(bytes) : `${bytes / factor}${name}`;
  }
  return String(bytes);
}
