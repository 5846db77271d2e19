import { seededRandom } from "../../src/random.ts";

/** A power of two: offsets are taken modulo this. */
const SPREAD = 2 ** 20;
/** The longest body. */
const LONGEST = 2 ** 20;

/** Bytes in which any few at one place stand at no other: a body is a piece of them, told by its number. */
const BYTES: Buffer = makeBytes();

function makeBytes(): Buffer {
  const random = seededRandom(4);
  const words = new Uint32Array((SPREAD + LONGEST) / 4);
  for (let i = 0; i < words.length; i++) words[i] = random.below(2 ** 32);
  return Buffer.from(words.buffer);
}

/** Where the body of a number begins. Bodies of different numbers have no place in common near their beginnings. */
function startOf(number: number): number {
  return (number * 40_503) % SPREAD;
}

/** Part of the body of a number: it tells whose it is and where in it it stands. */
export function bodyBytes(number: number, from: number, to: number): Buffer {
  const start = startOf(number);
  return BYTES.subarray(start + from, start + to);
}

/** Whether these are the bytes of a body at a place. */
export function isBody(number: number, from: number, bytes: Buffer): boolean {
  return bodyBytes(number, from, from + bytes.length).equals(bytes);
}
