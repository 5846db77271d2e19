import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Edit } from "./overlay.ts";
import { contradicting } from "./overlay-blame.ts";

const edit = (weight: number): Edit => ({
  change: { kind: "backend-weight", pool: "app", backend: "127.0.0.1:1", weight },
  persist: true,
  madeTimeMs: 0,
});

test("of many edits exactly those are named without which all is good", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(100), { maxLength: 40 }), fc.nat(5), async (weights, count) => {
      const edits = weights.map(edit);
      const wrong = new Set(edits.slice(0, count));
      const found = await contradicting(edits, async (some) => !some.some((each) => wrong.has(each)));
      expect(new Set(found)).toEqual(wrong);
    }),
  );
});

test("where two contradict each other, one of them is named", async () => {
  const edits = [1, 2, 3, 4].map(edit);
  const [, two, , four] = edits;
  const isGood = async (some: readonly Edit[]): Promise<boolean> => !(some.includes(two!) && some.includes(four!));
  expect(await contradicting(edits, isGood)).toEqual([four!]);
});

test("no more than five are named, with few readings", async () => {
  let asked = 0;
  const found = await contradicting(
    Array.from({ length: 100 }, (_, i) => edit(i)),
    async (some) => {
      asked += 1;
      return some.length === 0;
    },
  );
  expect(found.length).toBe(5);
  expect(asked).toBeLessThan(50);
});
