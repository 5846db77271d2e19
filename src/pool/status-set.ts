import { WeirError } from "../errors.ts";
import type { StatusSet } from "../health-plan.ts";

/**
 * Reads a set of statuses: `"200"`, `"200-399"`, `"200-204, 301"`. Only final ones: 1xx never end an exchange.
 * @throws CONFIG_BAD_VALUE with what is wrong and the forms that are right
 */
export function parseStatusSet(text: string): StatusSet {
  return text.split(",").map((part) => {
    const match = /^\s*([2-5]\d\d)(?:\s*-\s*([2-5]\d\d))?\s*$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    // Also where one of them is NaN.
    if (!(first <= last)) {
      const use = 'use statuses from 200 to 599 and ranges of them, such as "200-399" or "200, 301"';
      throw new WeirError("CONFIG_BAD_VALUE", `${JSON.stringify(text)} is no set of statuses; ${use}`);
    }
    return [first, last];
  });
}

/** The shortest text that `parseStatusSet` reads back as the same ranges. */
export function formatStatusSet(set: StatusSet): string {
  return set.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(", ");
}

/** Whether a status is in the set. O(ranges). */
export function hasStatus(set: StatusSet, status: number): boolean {
  for (const [first, last] of set) if (status >= first && status <= last) return true;
  return false;
}
