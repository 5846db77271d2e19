/** CRC-32 of Ethernet, gzip and nginx: reflected polynomial 0xedb88320 (ISO/IEC 8802-3, section 3.2.9). */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** The state of a CRC-32 before its first byte. */
export const CRC32_START = -1;

/** The state after one more byte. About 1 ns. */
export function crc32Byte(state: number, byte: number): number {
  return TABLE[(state ^ byte) & 255]! ^ (state >>> 8);
}

/** The state after more bytes. O(bytes). */
export function crc32Bytes(state: number, bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let crc = state;
  for (let at = start; at < end; at++) crc = TABLE[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8);
  return crc;
}

/** The CRC-32 of all bytes since the start, from 0 to 2³² - 1. */
export function crc32End(state: number): number {
  return ~state >>> 0;
}

/** The CRC-32 of some bytes: what keyed policies take as the key. O(bytes), allocates nothing. */
export function crc32(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  return crc32End(crc32Bytes(CRC32_START, bytes, start, end));
}
