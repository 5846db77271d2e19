import { expect, test } from "bun:test";
import fc from "fast-check";
import type { OutboundStream } from "../http/streams.ts";
import { KeptBody } from "./kept-body.ts";

const BOUND = 64 * 1024;

function collect(kept: KeptBody): string {
  let text = "";
  const stream = {
    sendBody(bytes: Buffer, start: number, end: number) {
      text += bytes.toString("latin1", start, end);
    },
  } as OutboundStream;
  expect(kept.sendTo(stream)).toBe(text.length);
  return text;
}

test("a body up to the bound is kept whole, whatever its pieces, and may be sent again and again", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary-ascii", maxLength: 50 })), (pieces) => {
      const kept = new KeptBody();
      for (const piece of pieces) kept.add(Buffer.from(`<${piece}>`), 1, 1 + piece.length, false);
      expect(kept.whole).toBe(true);
      expect(collect(kept)).toBe(pieces.join(""));
      expect(collect(kept)).toBe(pieces.join(""));
    }),
  );
});

test("property: pieces of any length in buffers of any length are kept as they were, in their order", () => {
  const piece = fc.record({
    before: fc.constantFrom(0, 1, 10, 3000),
    length: fc.constantFrom(0, 1, 7, 1023, 1024, 1500, 5000),
    after: fc.constantFrom(0, 1, 3000),
  });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const kept = new KeptBody();
      let text = "";
      for (const [i, { before, length, after }] of pieces.entries()) {
        const bytes = Buffer.alloc(before + length + after, "?");
        bytes.fill(String.fromCharCode(97 + i), before, before + length);
        kept.add(bytes, before, before + length, true);
        text += String.fromCharCode(97 + i).repeat(length);
        // Whoever reads may use its buffer again only where it was copied, which nobody promises: nobody does.
      }
      expect(collect(kept)).toBe(text);
    }),
  );
});

test("a body of many tiny pieces keeps neither their buffers nor a record of each", () => {
  const kept = new KeptBody();
  const read = Buffer.alloc(60_000, "x");
  for (let at = 0; at < 60_000; at++) kept.add(read, at, at + 1, false);
  let pieces = 0;
  const buffers = new Set<Buffer>();
  kept.sendTo({
    sendBody(bytes: Buffer) {
      pieces += 1;
      buffers.add(bytes);
    },
  } as unknown as OutboundStream);
  expect(buffers.has(read)).toBe(false);
  expect(pieces).toBeLessThan(20);
  expect([...buffers].reduce((sum, { length }) => sum + length, 0)).toBeLessThan(2 * 60_000);
});

test("a body past the bound is let go while it is on its way", () => {
  const kept = new KeptBody();
  kept.add(Buffer.alloc(BOUND), 0, BOUND, false);
  expect(kept.whole).toBe(true);
  kept.add(Buffer.alloc(1), 0, 1, false);
  expect(kept.whole).toBe(false);
  expect(collect(kept)).toBe("");
});

test("while no stream is ready all of it is kept, and let go once it is sent", () => {
  const kept = new KeptBody();
  kept.add(Buffer.alloc(2 * BOUND), 0, 2 * BOUND, true);
  expect(kept.whole).toBe(true);
  expect(collect(kept).length).toBe(2 * BOUND);
  expect(kept.whole).toBe(false);
});
