/** Memory of which each part can be seen by itself. Of what nobody looks at, no process has to know. */
export interface Memory {
  /**
   * The bytes from `from`, a multiple of `PART_BYTES`, to before `to`.
   * @returns a buffer that has them from `at` on; other parts may be in it too
   */
  part(from: number, to: number): { readonly buffer: ArrayBufferLike; readonly at: number };
}

/** Where parts may begin: at a page, of whatever size pages are (16 KiB on Apple's processors). */
export const PART_BYTES = 16 * 1024;

/** A buffer as memory. */
export function memoryOf(given: ArrayBufferLike | Memory): Memory {
  return "part" in given ? given : { part: (from) => ({ buffer: given, at: from }) };
}

/** Up to the next place where a part may begin. */
export function wholeParts(bytes: number): number {
  return Math.ceil(bytes / PART_BYTES) * PART_BYTES;
}
