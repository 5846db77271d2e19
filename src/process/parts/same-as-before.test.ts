import { expect, test } from "bun:test";
import fc from "fast-check";
import { byNews, inFull } from "./same-as-before.ts";

test("a list comes out as it was said, of the very same things where they were there before", () => {
  const things = Array.from({ length: 8 }, (_, id) => ({ id }));
  const lists = fc.array(fc.constantFrom(...things), { maxLength: 12 });
  fc.assert(
    fc.property(lists, lists, (before, list) => {
      const told = byNews(list, before);
      expect(told.filter((each) => typeof each !== "number")).toEqual(list.filter((each) => !before.includes(each)));
      const full = inFull(told, before);
      expect(full.length).toBe(list.length);
      for (const [i, each] of full.entries()) expect(each).toBe(list[i]!);
    }),
  );
});

test("what was not there is an error", () => {
  expect(() => inFull([1], [{}])).toThrow(RangeError);
});
