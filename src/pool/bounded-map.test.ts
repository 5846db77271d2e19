import { expect, test } from "bun:test";
import fc from "fast-check";
import { BoundedMap } from "./bounded-map.ts";

test("it never tells another value than the last one set, and forgets no key among the last ones", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.tuple(fc.nat(20), fc.nat(9))), (size, steps) => {
      const map = new BoundedMap<number>(size);
      const all = new Map<string, number>();
      const recent: string[] = [];
      for (const [number, value] of steps) {
        const key = `k${number}`;
        map.set(key, value);
        all.set(key, value);
        recent.push(key);
        for (const known of new Set(recent.slice(-size))) expect(map.get(known)).toBe(all.get(known)!);
      }
    }),
  );
});

test("it forgets what nobody asks for, and keeps what somebody does", () => {
  const map = new BoundedMap<number>(10);
  map.set("asked for", 1);
  map.set("forgotten", 2);
  for (let i = 0; i < 1000; i++) {
    map.set(String(i), i);
    expect(map.get("asked for")).toBe(1);
  }
  expect(map.get("forgotten")).toBeNull();
  const kept = Array.from({ length: 1000 }, (_, i) => map.get(String(i))).filter((value) => value !== null);
  expect(kept.length).toBeLessThanOrEqual(20);
});
