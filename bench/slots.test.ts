import { expect, test } from "bun:test";
import fc from "fast-check";
import { Slots } from "./slots.ts";

test("a request that finds a free slot is answered after the service time", () => {
  const slots = new Slots(2, 20);
  expect([slots.take(100), slots.take(101)]).toEqual([120, 121]);
});

test("others wait for the slot that is free first, in the order in which they came", () => {
  const slots = new Slots(2, 20);
  expect([0, 5, 6, 7, 8].map((now) => slots.take(now))).toEqual([20, 25, 40, 45, 60]);
});

test("a slot that was idle meanwhile does not make up for it", () => {
  const slots = new Slots(1, 10);
  expect([slots.take(0), slots.take(1000), slots.take(1001)]).toEqual([10, 1010, 1020]);
});

test("under any arrivals no more than the slots are worked on at a time, and none waits while a slot is free", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), gaps, (count, given) => {
      const slots = new Slots(count, 20);
      const starts: number[] = [];
      let now = 0;
      for (const gap of given) {
        now += gap;
        const start = slots.take(now) - 20;
        const busyAt = (moment: number): number => starts.filter((each) => each <= moment && moment < each + 20).length;
        expect(busyAt(start)).toBeLessThan(count);
        if (start > now) expect(busyAt(start - 1)).toBe(count);
        starts.push(start);
      }
      expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    }),
  );
});
