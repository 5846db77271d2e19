import { expect, test } from "bun:test";
import fc from "fast-check";
import { CRC32_START, crc32, crc32Bytes, crc32End } from "./crc32.ts";

test("of 123456789 is the check value of the standard", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array())).toBe(0);
});

test("is zlib's for any bytes, whole, cut out of others or in pieces", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, at) => {
      const expected = Bun.hash.crc32(bytes);
      const cut = Math.min(at, bytes.length);
      expect(crc32(bytes)).toBe(expected);
      expect(crc32(new Uint8Array([1, 2, ...bytes, 3]), 2, 2 + bytes.length)).toBe(expected);
      expect(crc32End(crc32Bytes(crc32Bytes(CRC32_START, bytes, 0, cut), bytes, cut))).toBe(expected);
    }),
    { seed: 7 },
  );
});
