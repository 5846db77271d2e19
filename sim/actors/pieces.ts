import type { Dice } from "../dice.ts";
import type { Step } from "./script.ts";

/** How an actor cuts what it sends, and how long it waits between the pieces. */
export interface Pace {
  /** Bytes of a piece at most; 0 for all in one. */
  readonly piece: number;
  readonly waitMs: number;
}

/** Draws a pace. The whole of a message takes no more than about two seconds by it. */
export function drawPace(dice: Dice): Pace {
  if (dice.oneIn(3)) return { piece: 0, waitMs: 0 };
  return { piece: dice.size(1, 50_000), waitMs: dice.oneIn(2) ? 0 : dice.size(1, 100) };
}

/** Pieces with waits between them: no more than so many, whatever the pace. */
const MOST_PIECES = 20;

/** The steps in which bytes are sent at a pace. */
export function inPieces(dice: Dice, bytes: Buffer, pace: Pace): Step[] {
  if (pace.piece === 0 || bytes.length === 0) return [{ kind: "send", bytes }];
  const steps: Step[] = [];
  let at = 0;
  while (at < bytes.length) {
    const last = steps.length >= MOST_PIECES * 2;
    const stop = last ? bytes.length : Math.min(bytes.length, at + dice.between(1, pace.piece));
    steps.push({ kind: "send", bytes: bytes.subarray(at, stop) });
    if (pace.waitMs > 0 && stop < bytes.length) steps.push({ kind: "wait", ms: dice.below(pace.waitMs + 1) });
    at = stop;
  }
  return steps;
}

/** A body in chunks of odd sizes (RFC 9112 §7.1), now and then with an extension, zeros before the size or a trailer. */
export function inChunks(dice: Dice, body: Buffer, trailer: string): Buffer {
  const parts: Buffer[] = [];
  const most = dice.size(1, 20_000);
  let at = 0;
  while (at < body.length) {
    // No more than some hundreds of them.
    const size = Math.min(body.length - at, dice.between(1, most) + Math.floor(body.length / 300));
    const zeros = dice.oneIn(8) ? "00" : "";
    const extension = dice.oneIn(8) ? ";name=value" : "";
    parts.push(Buffer.from(`${zeros}${size.toString(16)}${extension}\r\n`), body.subarray(at, at + size), CRLF);
    at += size;
  }
  parts.push(Buffer.from(`0\r\n${trailer === "" ? "" : `${trailer}\r\n`}\r\n`));
  return Buffer.concat(parts);
}

const CRLF = Buffer.from("\r\n");
