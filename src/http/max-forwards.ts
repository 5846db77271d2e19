import type { Head } from "./head.ts";

/** More hops than there are: what is above is counted as this many. */
const MOST = 999_999_999;

/**
 * How many times a request may still be forwarded by what its `Max-Forwards` says, which counts for TRACE and OPTIONS
 * alone (RFC 9110 §7.6.2).
 * @returns -1 where it says nothing: another method, or no number
 */
export function maxForwards(head: Head, bytes: Buffer, start: number, end: number): number {
  if (start === end || !(head.methodIs(TRACE) || head.methodIs(OPTIONS))) return -1;
  let count = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    count = Math.min(MOST, count * 10 + digit);
  }
  return count;
}

const TRACE = Buffer.from("TRACE");
const OPTIONS = Buffer.from("OPTIONS");
