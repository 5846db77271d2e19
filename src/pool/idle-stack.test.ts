import { expect, test } from "bun:test";
import fc from "fast-check";
import { IdleStack } from "./idle-stack.ts";

test("gives the one used last first", () => {
  const stack = new IdleStack<string>();
  for (const item of ["a", "b", "c"]) expect(stack.push(item, 3)).toBe(true);
  expect(stack.peek()).toBe("c");
  expect([stack.pop(), stack.pop(), stack.pop(), stack.pop()]).toEqual(["c", "b", "a", undefined]);
});

test("keeps no more than the bound, and none with a bound of 0", () => {
  const stack = new IdleStack<string>();
  expect(stack.push("a", 0)).toBe(false);
  expect(stack.push("a", 1)).toBe(true);
  expect(stack.push("b", 1)).toBe(false);
  expect(stack.size).toBe(1);
});

test("takes all out at once", () => {
  const stack = new IdleStack<string>();
  stack.push("a", 2);
  stack.push("b", 2);
  expect(stack.drain()).toEqual(["a", "b"]);
  expect(stack.size).toBe(0);
});

test("property: behaves as a list with a bound", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("push" as const), item: fc.nat(20), bound: fc.nat(5) }),
    fc.record({ kind: fc.constant("pop" as const) }),
    fc.record({ kind: fc.constant("remove" as const), item: fc.nat(20) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const stack = new IdleStack<number>();
      const model: number[] = [];
      for (const taken of steps) {
        if (taken.kind === "push") {
          const fits = model.length < taken.bound;
          if (fits) model.push(taken.item);
          expect(stack.push(taken.item, taken.bound)).toBe(fits);
        } else if (taken.kind === "pop") expect(stack.pop()).toBe(model.pop());
        else {
          const at = model.lastIndexOf(taken.item);
          if (at !== -1) model.splice(at, 1);
          stack.remove(taken.item);
        }
        expect(stack.size).toBe(model.length);
        expect(stack.peek()).toBe(model.at(-1));
      }
    }),
  );
});
