import { LF } from "./chars.ts";

/**
 * Whether bytes that came behind part of a head, or of trailers, can tell anything new: only the end of a line can, or that there is
 * more than allowed. Without this look what drips in byte by byte would be parsed from its beginning with each byte. O(bytes).
 * @param held bytes of it there are with these
 * @param most bytes that it may have
 */
export function tellsMore(bytes: Buffer, held: number, most: number): boolean {
  return held >= most || bytes.includes(LF);
}
