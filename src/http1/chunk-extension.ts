import { CHARS, HTAB, SP, TOKEN, VALUE } from "./chars.ts";

/** Where in a chunk's extensions the next byte stands (RFC 9112 §7.1.1). */
export const EXTENSION = {
  /** Behind a semicolon. */
  start: 0,
  name: 1,
  nameSpace: 2,
  /** Behind an equals sign. */
  valueStart: 3,
  value: 4,
  quoted: 5,
  escaped: 6,
  quotedEnd: 7,
  valueSpace: 8,
  /** No byte may follow: it is none. */
  wrong: 9,
} as const;
export type ExtensionState = (typeof EXTENSION)[keyof typeof EXTENSION];

/** Whether the line may end here. */
export function extensionMayEnd(state: ExtensionState): boolean {
  return state === EXTENSION.name || state === EXTENSION.value || state === EXTENSION.quotedEnd;
}

/** Reads one byte of a chunk's extensions, which are understood only as far as to tell that they are some. O(1). */
export function readExtension(state: ExtensionState, byte: number): ExtensionState {
  const space = byte === SP || byte === HTAB;
  const token = (CHARS[byte]! & TOKEN) !== 0;
  switch (state) {
    case EXTENSION.start:
      return space ? state : token ? EXTENSION.name : EXTENSION.wrong;
    case EXTENSION.name:
      return token ? state : space ? EXTENSION.nameSpace : behindName(byte);
    case EXTENSION.nameSpace:
      return space ? state : behindName(byte);
    case EXTENSION.valueStart:
      if (space) return state;
      return byte === QUOTE ? EXTENSION.quoted : token ? EXTENSION.value : EXTENSION.wrong;
    case EXTENSION.value:
      return token ? state : behindValue(byte, space);
    case EXTENSION.quoted:
      if (byte === QUOTE) return EXTENSION.quotedEnd;
      if (byte === BACKSLASH) return EXTENSION.escaped;
      return (CHARS[byte]! & VALUE) !== 0 ? state : EXTENSION.wrong;
    case EXTENSION.escaped:
      return (CHARS[byte]! & VALUE) !== 0 ? EXTENSION.quoted : EXTENSION.wrong;
    case EXTENSION.quotedEnd:
    case EXTENSION.valueSpace:
      return behindValue(byte, space);
    case EXTENSION.wrong:
      return state;
  }
}

function behindName(byte: number): ExtensionState {
  return byte === EQUALS ? EXTENSION.valueStart : byte === SEMICOLON ? EXTENSION.start : EXTENSION.wrong;
}

function behindValue(byte: number, space: boolean): ExtensionState {
  return space ? EXTENSION.valueSpace : byte === SEMICOLON ? EXTENSION.start : EXTENSION.wrong;
}

const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
