/** Harmless ASCII of Weir's own, made ready to be written eight bytes at a time. */
export interface FixedText {
  /** Its bytes, and zeros up to a whole word. No number that is ASCII is NaN, which a processor may change. */
  readonly words: Float64Array;
  readonly length: number;
}

/** Makes a text ready for `LineWriter.fixed`. */
export function fixedText(text: string): FixedText {
  const bytes = new Uint8Array(Math.ceil(text.length / 8) * 8);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return { words: new Float64Array(bytes.buffer), length: text.length };
}

/** How text of others is made harmless in a line: as inside a string of JSON, or with `\xHH` as nginx writes it. */
export type Escaping = "json" | "hex";

/**
 * Writes lines into a buffer, byte by byte: nothing is allocated. Whatever a client sends becomes visible ASCII, so that nobody can
 * forge a line or move a cursor. Bytes above 0x7e are told one by one, as what Latin-1 makes of them. About 1 ns a byte.
 */
export class LineWriter {
  readonly bytes: Buffer;
  readonly #view: DataView;
  /** Where the next byte goes. */
  at = 0;

  /** @param size bytes of the buffer; who writes sees to it that there is room, and for a word more */
  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Text that stands in many lines. */
  fixed({ words, length }: FixedText): void {
    const { at } = this;
    const view = this.#view;
    for (let i = 0; i < words.length; i++) view.setFloat64(at + 8 * i, words[i]!, true);
    this.at = at + length;
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
    if (value > 0x7fffffff) {
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
      left = (left / 10) | 0;
    } while (left > 0);
  }

  /** A number of milliseconds with three digits behind the point: microseconds. */
  milliseconds(value: number): void {
    const microseconds = Math.max(0, Math.round(value * 1000));
    const whole = Math.floor(microseconds / 1000);
    this.whole(whole);
    this.thousandths(microseconds - whole * 1000);
  }

  /** A point, and a number below 1000 in three digits. */
  thousandths(value: number): void {
    const { at } = this;
    this.#view.setInt32(at, THOUSANDTHS[value]!, true);
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
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const QUESTION = 0x3f;
/** `.000` to `.999`. */
const THOUSANDTHS = Int32Array.from({ length: 1000 }, (_, value) =>
  Buffer.from(`.${String(value).padStart(3, "0")}`).readInt32LE(),
);
const HEX = Buffer.from("0123456789abcdef");
/** 1 for what needs no escape: visible ASCII and the space, without quotes and backslashes. */
const HARMLESS = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte <= 0x7e && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);
