/** How text of others is made harmless in a line: as inside a string of JSON, or with `\xHH` as nginx writes it. */
export type Escaping = "json" | "hex";

/**
 * Writes lines into a buffer, byte by byte: nothing is allocated. Whatever a client sends becomes visible ASCII, so that nobody can
 * forge a line or move a cursor. Bytes above 0x7e are told one by one, as what Latin-1 makes of them. About 1 ns a byte.
 */
export class LineWriter {
  readonly bytes: Buffer;
  /** Where the next byte goes. */
  at = 0;

  /** @param size bytes of the buffer; who writes sees to it that there is room */
  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size);
  }

  /** Bytes that are known to be harmless. */
  raw(part: Uint8Array): void {
    const { bytes } = this;
    let { at } = this;
    for (let i = 0; i < part.length; i++) bytes[at++] = part[i]!;
    this.at = at;
  }

  /** Text of Weir's own, in ASCII. */
  ascii(text: string): void {
    const { bytes } = this;
    let { at } = this;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.at = at;
  }

  /** A whole number that is not negative. */
  whole(value: number): void {
    if (value > 0xffffffff) {
      this.ascii(String(value));
      return;
    }
    const { bytes } = this;
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits += 1;
    let at = this.at + digits;
    this.at = at;
    let left = value;
    do {
      bytes[--at] = ZERO + (left % 10);
      left = Math.floor(left / 10);
    } while (left > 0);
  }

  /** A number of milliseconds with three digits behind the point: microseconds. */
  milliseconds(value: number): void {
    const microseconds = Math.max(0, Math.round(value * 1000));
    const whole = Math.floor(microseconds / 1000);
    const rest = microseconds - whole * 1000;
    this.whole(whole);
    const { bytes, at } = this;
    bytes[at] = POINT;
    bytes[at + 1] = ZERO + Math.floor(rest / 100);
    bytes[at + 2] = ZERO + (Math.floor(rest / 10) % 10);
    bytes[at + 3] = ZERO + (rest % 10);
    this.at = at + 4;
  }

  /** Bytes of somebody else. @param most of them, what is longer is cut there */
  foreign(from: Uint8Array, start: number, end: number, most: number, escaping: Escaping): void {
    const stop = Math.min(end, start + most);
    const { bytes } = this;
    let { at } = this;
    for (let i = start; i < stop; i++) {
      const byte = from[i]!;
      if (HARMLESS[byte] === 1) bytes[at++] = byte;
      else at = escaped(bytes, at, byte, escaping);
    }
    this.at = at;
  }

  /** Text of somebody else; a character above 0xff is told as `?`. */
  foreignText(text: string, most: number, escaping: Escaping): void {
    const stop = Math.min(text.length, most);
    const { bytes } = this;
    let { at } = this;
    for (let i = 0; i < stop; i++) {
      const code = text.charCodeAt(i);
      const byte = code > 0xff ? QUESTION : code;
      if (HARMLESS[byte] === 1) bytes[at++] = byte;
      else at = escaped(bytes, at, byte, escaping);
    }
    this.at = at;
  }
}

function escaped(bytes: Buffer, from: number, byte: number, escaping: Escaping): number {
  let at = from;
  bytes[at++] = BACKSLASH;
  if (escaping === "json") {
    if (byte === BACKSLASH || byte === QUOTE) {
      bytes[at++] = byte;
      return at;
    }
    bytes[at++] = 0x75; // u
    bytes[at++] = ZERO;
    bytes[at++] = ZERO;
  } else bytes[at++] = 0x78; // x
  bytes[at++] = HEX[byte >> 4]!;
  bytes[at++] = HEX[byte & 15]!;
  return at;
}

/** Bytes that one of somebody else can become. */
export const MOST_ESCAPED = 6;

const ZERO = 0x30;
const POINT = 0x2e;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const QUESTION = 0x3f;
const HEX = Buffer.from("0123456789abcdef");
/** 1 for what needs no escape: visible ASCII and the space, without quotes and backslashes. */
const HARMLESS = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte <= 0x7e && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);
