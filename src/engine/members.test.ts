import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Member, Members } from "./members.ts";

test("property: it holds what a set would", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 60 }), (steps) => {
      const all = Array.from({ length: 10 }, (): Member => ({ place: -1 }));
      const members = new Members<Member>();
      const model = new Set<Member>();
      for (const [adds, which] of steps) {
        const member = all[which]!;
        if (!adds) {
          members.delete(member);
          model.delete(member);
        } else if (!model.has(member)) {
          members.add(member);
          model.add(member);
        }
        expect(members.size).toBe(model.size);
        expect(new Set(members.list())).toEqual(model);
      }
    }),
  );
});
