import { httpDate, systemWallClock, type WallClock } from "../clock.ts";

let second = -1;
let line: Buffer = Buffer.alloc(0);

/** `Date: …` with its CRLF, for a message that came without one (RFC 9110 §6.6.1). Made once a second. */
export function dateLine(clock: WallClock = systemWallClock): Buffer {
  const now = Math.floor(clock.now() / 1000);
  if (now !== second) {
    second = now;
    line = Buffer.from(`Date: ${httpDate(now * 1000)}\r\n`);
  }
  return line;
}
