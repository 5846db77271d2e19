import { expect, test } from "bun:test";
import fc from "fast-check";
import { eligible, type Standing, takesWork } from "./eligibility.ts";

const RULES = { panicBelow: 0.5, zone: null };

function standing(of: Partial<Standing> = {}): Standing {
  return { id: "b", weight: 1, state: "ready", healthy: true, wanted: 1, ramp: 1, tier: 0, zone: null, ...of };
}

const weights = (...of: readonly Partial<Standing>[]): (readonly [number, number])[] =>
  eligible(of.map(standing), RULES).candidates.map(({ index, weight }) => [index, weight]);

test("with everybody well the weights are the configured ones", () => {
  expect(weights({ weight: 5 }, {}, { weight: 65_535 })).toEqual([
    [0, 5],
    [1, 1],
    [2, 65_535],
  ]);
});

test("who is not healthy, drains, or has no weight gets no work", () => {
  expect(
    weights({}, { state: "drain" }, { state: "maintenance" }, { weight: 0 }, { healthy: false }, { wanted: 0 }, {}),
  ).toEqual([
    [0, 1],
    [6, 1],
  ]);
});

test("a newcomer beside two of weight 1 gets a tenth of their share", () => {
  expect(weights({}, { ramp: 0.1 }, {})).toEqual([
    [0, 10],
    [1, 1],
    [2, 10],
  ]);
});

test("a backend that asks for half of its weight gets half", () => {
  expect(weights({}, { wanted: 0.5 })).toEqual([
    [0, 2],
    [1, 1],
  ]);
});

test("in panic all get their plain weights, newcomers too", () => {
  const sick = { healthy: false };
  const all = eligible([standing({ ramp: 0.1 }), standing(sick), standing({ ...sick, weight: 3 })], RULES);
  expect(all.panic).toBe(true);
  expect(all.candidates.map(({ weight }) => weight)).toEqual([1, 1, 3]);
});

test("nobody gets work where nobody may, or where panic is off", () => {
  expect(eligible([standing({ state: "drain" })], RULES)).toMatchObject({ candidates: [], panic: false, tiers: [] });
  expect(eligible([standing({ healthy: false })], { ...RULES, panicBelow: 0 })).toMatchObject({
    candidates: [],
    panic: false,
  });
});

test("the second tier takes what the first cannot", () => {
  const { candidates, tiers } = eligible(
    [standing(), standing({ healthy: false }), standing({ tier: 7 }), standing({ tier: 7 })],
    RULES,
  );
  expect(tiers.map(({ tier, share }) => [tier, Math.round(share * 100)])).toEqual([
    [0, 70],
    [7, 30],
  ]);
  const of = (...indexes: number[]): number =>
    candidates.reduce((sum, { index, weight }) => sum + (indexes.includes(index) ? weight : 0), 0);
  expect(of(0) / of(0, 2, 3)).toBeCloseTo(0.7, 1);
});

test("work stays in the own zone", () => {
  const { candidates } = eligible([standing({ zone: "a" }), standing({ zone: "b" })], { ...RULES, zone: "a" });
  expect(candidates).toEqual([{ index: 0, id: "b", weight: 1 }]);
});

const anyStanding: fc.Arbitrary<Standing> = fc.record({
  id: fc.constant("b"),
  weight: fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 65_535 })),
  state: fc.constantFrom("ready", "ready", "ready", "drain", "maintenance"),
  healthy: fc.boolean(),
  wanted: fc.constantFrom(1, 1, 1, 0.5, 0.37, 0),
  ramp: fc.constantFrom(1, 1, 1, 0.1, 0.3, 0.9),
  tier: fc.nat(2),
  zone: fc.constantFrom(null, "a", "b"),
});
const anyPool = fc.array(anyStanding, { maxLength: 30 });
const anyRules = fc.record({ panicBelow: fc.constantFrom(0, 0.5, 0.9, 1), zone: fc.constantFrom(null, null, "a") });

test("property: work goes to those who may take it, with weights that policies take", () => {
  fc.assert(
    fc.property(anyPool, anyRules, (pool, rules) => {
      const { candidates, tiers } = eligible(pool, rules);
      const panicking = new Set(tiers.filter(({ panic }) => panic).map(({ tier }) => tier));
      for (const { index, weight } of candidates) {
        const one = pool[index]!;
        expect(takesWork(one)).toBe(true);
        expect(one.healthy || panicking.has(one.tier)).toBe(true);
        expect(Number.isInteger(weight) && weight >= 1 && weight <= 65_535).toBe(true);
      }
      // There is always somebody while there is somebody healthy.
      if (pool.some((one) => takesWork(one) && one.healthy)) expect(candidates.length).toBeGreaterThan(0);
    }),
    { numRuns: 500 },
  );
});

test("property: the pool panics exactly when too few of its only tier are healthy", () => {
  fc.assert(
    fc.property(anyPool, anyRules, (pool, rules) => {
      const flat = pool.map((one) => ({ ...one, tier: 0 }));
      const able = flat.filter(takesWork);
      const healthy = able.filter((one) => one.healthy);
      const { panic, candidates } = eligible(flat, rules);
      expect(panic).toBe(able.length > 0 && healthy.length / able.length < rules.panicBelow);
      if (rules.zone === null) expect(candidates).toHaveLength(panic ? able.length : healthy.length);
    }),
    { numRuns: 500 },
  );
});

test("property: within a tier and zone weights keep their proportion, and tiers get their shares", () => {
  const moderate = fc.array(
    anyStanding.map((one) => ({ ...one, weight: one.weight % 20 })),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(moderate, anyRules, (pool, rules) => {
      const { candidates, tiers } = eligible(pool, rules);
      const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
      for (const { tier, share, panic } of tiers) {
        const members = candidates.filter(({ index }) => pool[index]!.tier === tier);
        const sum = members.reduce((all, { weight }) => all + weight, 0);
        if (total > 0) expect(Math.abs(sum / total - share)).toBeLessThanOrEqual(0.03);
        for (const zone of [null, "a", "b"]) {
          const units = members
            .filter(({ index }) => pool[index]!.zone === zone)
            .map(({ index, weight }) => {
              const { weight: configured, wanted, ramp } = pool[index]!;
              return weight / (configured * wanted * (panic ? 1 : ramp));
            });
          if (units.length > 0) expect(Math.max(...units) / Math.min(...units)).toBeLessThanOrEqual(1.06);
        }
      }
    }),
    { numRuns: 500 },
  );
});
