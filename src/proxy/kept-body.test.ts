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
