import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { OVERLOADED_AFTER_MS, type Place, WaitQueue } from "./wait-queue.ts";

/** A queue as one would write it down: a list by age. */
class Model {
  waiting: { readonly item: number; readonly since: number }[] = [];
  nonEmptySince = 0;

  add(item: number, since: number, now: number): void {
    if (this.waiting.length === 0) this.nonEmptySince = now;
    const at = this.waiting.findLastIndex((other) => other.since <= since);
    this.waiting.splice(at + 1, 0, { item, since });
  }

  order(now: number): number[] {
    const items = this.waiting.map(({ item }) => item);
    return now - this.nonEmptySince >= OVERLOADED_AFTER_MS ? items.reverse() : items;
  }
}

function orderOf(queue: WaitQueue<number>, now: number): number[] {
  const items = [];
  for (let place = queue.next(now); place !== null; place = queue.after(place, now)) items.push(place.item);
  return items;
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("add" as const), late: fc.constantFrom(0, 0, 0, 1, 40) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), which: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("serve" as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(60) }) },
);

test("does what a plain list does, whatever is added, removed and served", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 0, max: 12 }), (steps, most) => {
      const queue = new WaitQueue<number>(most);
      const model = new Model();
      const places = new Map<number, Place<number>>();
      const gone: Place<number>[] = [];
      let now = 1000;
      let number = 0;
      const leave = (place: Place<number>): void => {
        queue.remove(place);
        places.delete(place.item);
        gone.push(place);
        model.waiting = model.waiting.filter(({ item }) => item !== place.item);
      };
      for (const each of steps) {
        switch (each.kind) {
          case "add": {
            const place = queue.add(++number, now - each.late, now);
            expect(place === null).toBe(model.waiting.length >= most);
            if (place === null) break;
            places.set(number, place);
            model.add(number, now - each.late, now);
            break;
          }
          case "remove": {
            const place = [...places.values()][each.which];
            if (place !== undefined) leave(place);
            // Once is enough.
            for (const one of gone) queue.remove(one);
            break;
          }
          case "serve": {
            const place = queue.next(now);
            expect(place?.item).toBe(model.order(now)[0]);
            if (place !== null) leave(place);
            break;
          }
          case "pass":
            now += each.ms;
        }
        expect(queue.size).toBe(model.waiting.length);
        expect(orderOf(queue, now)).toEqual(model.order(now));
        expect(queue.oldest?.item).toBe(model.waiting[0]?.item);
      }
    }),
    { numRuns: 500 },
  );
});

describe("order", () => {
  test("a burst that is served in time is served oldest first", () => {
    const queue = new WaitQueue<number>(10);
    for (const item of [1, 2, 3]) queue.add(item, item);
    expect(orderOf(queue, OVERLOADED_AFTER_MS)).toEqual([1, 2, 3]);
  });

  test("a queue that has not been empty for 100 ms is served newest first", () => {
    const queue = new WaitQueue<number>(10);
    for (const item of [1, 2, 3]) queue.add(item, item);
    expect(orderOf(queue, 1 + OVERLOADED_AFTER_MS)).toEqual([3, 2, 1]);
  });

  test("one moment of being empty ends an overload", () => {
    const queue = new WaitQueue<number>(10);
    const place = queue.add(1, 0);
    expect(queue.isOverloaded(500)).toBe(true);
    queue.remove(place!);
    expect(queue.isOverloaded(500)).toBe(false);
    queue.add(2, 500);
    queue.add(3, 510);
    expect(orderOf(queue, 520)).toEqual([2, 3]);
  });
});
