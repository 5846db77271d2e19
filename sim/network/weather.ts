import type { Dice } from "../dice.ts";

/** How bytes travel one way, and what becomes of them. */
export interface Way {
  /** Milliseconds from one end to the other. */
  readonly latencyMs: number;
  /** Bytes a millisecond. */
  readonly bandwidth: number;
  /** Bytes that travel together at most at the beginning. */
  readonly piece: number;
  /** Bytes that the sending side's system takes before `write` takes fewer than it is given. */
  readonly sendBuffer: number;
  /** Bytes that wait at the receiving side before nothing more is sent. */
  readonly receiveBuffer: number;
  /** After so many bytes nothing arrives any more, for ever; a FIN and a reset as little. */
  readonly cutAfter: number;
  /** After so many bytes both ends see a reset. */
  readonly resetAfter: number;
}

/** What becomes of a connection. */
export interface Weather {
  readonly there: Way;
  readonly back: Way;
  /** What happens to the dialling. */
  readonly dialling: "opens" | "refused" | "refused at once" | "unreachable" | "never";
}

/** What may go wrong with a connection, in thousandths. */
export interface Faults {
  readonly cut: number;
  readonly reset: number;
  readonly refused: number;
  readonly unreachable: number;
  readonly never: number;
}

/** Nothing goes wrong; it may take its time. */
export const NO_FAULTS: Faults = { cut: 0, reset: 0, refused: 0, unreachable: 0, never: 0 };

/** A connection as it would be on one machine: at once, in one piece, with large buffers. */
export const CALM: Way = {
  latencyMs: 0.02,
  bandwidth: 1e6,
  piece: 64 * 1024,
  sendBuffer: 256 * 1024,
  receiveBuffer: 128 * 1024,
  cutAfter: Number.POSITIVE_INFINITY,
  resetAfter: Number.POSITIVE_INFINITY,
};

/** Draws the weather of a connection. */
export function drawWeather(dice: Dice, faults: Faults): Weather {
  const latencyMs = dice.size(20, 40_000) / 1000;
  return {
    there: drawWay(dice, latencyMs, faults),
    back: drawWay(dice, latencyMs, faults),
    dialling: dialling(dice, faults),
  };
}

function drawWay(dice: Dice, latencyMs: number, faults: Faults): Way {
  const piece = dice.oneIn(4) ? dice.size(1, 100) : dice.size(100, 100_000);
  return {
    latencyMs,
    bandwidth: dice.oneIn(3) ? dice.size(50, 1000) : 1e6,
    piece,
    sendBuffer: dice.size(512, 100_000),
    receiveBuffer: dice.size(1024, 100_000),
    cutAfter: dice.permille(faults.cut) ? dice.size(0, 100_000) : Number.POSITIVE_INFINITY,
    resetAfter: dice.permille(faults.reset) ? dice.size(0, 100_000) : Number.POSITIVE_INFINITY,
  };
}

function dialling(dice: Dice, faults: Faults): Weather["dialling"] {
  if (dice.permille(faults.refused)) return dice.oneIn(4) ? "refused at once" : "refused";
  if (dice.permille(faults.unreachable)) return "unreachable";
  return dice.permille(faults.never) ? "never" : "opens";
}
