import { expect, test } from "bun:test";
import fc from "fast-check";
import { fakeTools } from "../balance/fake-tools.ts";
import { POLICIES } from "../balance/registry.ts";
import { HEALTH_FLAG, HealthWords, healthWordsBytes } from "../observe/health-words.ts";
import { Pool } from "./pool.ts";

const COUNT = 4;
const { ramp, down } = HEALTH_FLAG;

const state = fc.record({
  weights: fc.array(fc.nat(10), { minLength: COUNT, maxLength: COUNT }),
  ramping: fc.array(fc.boolean(), { minLength: COUNT, maxLength: COUNT }),
  loads: fc.array(fc.nat(4), { minLength: COUNT, maxLength: COUNT }),
  most: fc.array(fc.constantFrom(2, 5, Infinity), { minLength: COUNT, maxLength: COUNT }),
  keys: fc.array(fc.nat(2 ** 32 - 1), { minLength: 1, maxLength: 30 }),
  seed: fc.nat(),
});

test.each([...POLICIES.keys()])(
  "property: %s explains its next pick while backends are out, or in a slow start",
  (name) => {
    fc.assert(
      fc.property(state, ({ weights, ramping, loads, most, keys, seed }) => {
        const tools = fakeTools(seed);
        tools.loads.push(...loads);
        tools.capacities.push(...most);
        const shape = { pools: 1, rows: COUNT };
        const words = new HealthWords(new ArrayBuffer(healthWordsBytes(shape)), shape);
        const rows = weights.map((_, index) => index);
        const members = rows.map((index) => ({ id: `10.0.0.${index}:80`, weight: 3 }));
        const pool = new Pool("app", POLICIES.get(name)!, members, tools, undefined, { words, pool: 0, rows });
        const flags = weights.map((weight, index) => (weight === 0 ? down : ramping[index] === true ? ramp : 0));
        words.publish(0, rows, { weights, flags, panic: false, scale: 1 });
        for (const key of keys) {
          const told = pool.explain(key);
          expect(pool.explain(key)).toEqual(told);
          const index = pool.pick(key, []);
          const possible = told?.candidates.filter(({ odds }) => odds !== 0).map((each) => each.index) ?? [];
          if (index === -1) expect([told?.choice ?? -1, possible]).toEqual([-1, []]);
          else expect(possible).toContain(index);
          if (told !== null && told.choice !== null) expect(told.choice).toBe(index);
          for (const { score } of told?.candidates ?? []) expect(score === null || Number.isFinite(score)).toBe(true);
        }
      }),
      { seed: 3, numRuns: name === "maglev" || name === "ring" ? 40 : 400 },
    );
  },
);
