import { expect, test } from "bun:test";
import fc from "fast-check";
import { TriedMarks } from "./tried.ts";

const INDEXES = [0, 1, 2, 3, 4] as const;

test("property: marks are what was set last, and what was added to that", () => {
  const indexes = fc.array(fc.constantFrom(...INDEXES), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(fc.record({ tried: indexes, added: indexes }), { maxLength: 5 }), (rounds) => {
      const marks = new TriedMarks(INDEXES.length);
      expect(INDEXES.filter((index) => marks.includes(index))).toEqual([]);
      for (const { tried, added } of rounds) {
        marks.set(tried);
        for (const index of added) marks.add(index);
        const all = [...tried, ...added];
        expect(marks.length).toBe(all.length);
        for (const index of INDEXES) expect(marks.includes(index)).toBe(all.includes(index));
      }
    }),
  );
});
