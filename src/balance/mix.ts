/**
 * Spreads every bit of a 32-bit number over all of them, one to one. The result is from 0 to 2³² - 1. About 1 ns.
 * The finalizer of MurmurHash3, by A. Appleby.
 */
export function mix(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Hashes a text to 32 bits; different seeds give hashes that have nothing to do with each other. O(length). */
export function hashText(text: string, seed: number): number {
  let h = mix(seed);
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x5bd1e995) ^ (h >>> 15);
  return mix(h);
}
