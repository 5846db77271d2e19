import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { deviation } from "../test/fixtures/deviation.ts";
import { seededRandom, systemRandom } from "./random.ts";

/** sfc32 as its author wrote it in C, on whole numbers of any size cut to 32 bits. */
function sfc32(seed: bigint): () => bigint {
  const cut = (x: bigint): bigint => x & 0xffffffffn;
  let [a, b, c, d] = [0x9e3779b9n, 0x243f6a88n, 0xb7e15162n, cut(seed)];
  const next = (): bigint => {
    const result = cut(a + b + d);
    d = cut(d + 1n);
    a = b ^ (b >> 9n);
    b = cut(c + (c << 3n));
    c = cut(((c << 21n) | (c >> 11n)) + result);
    return result;
  };
  for (let i = 0; i < 15; i++) next();
  return next;
}

const seed = fc.integer();

describe("a seeded generator", () => {
  test("is sfc32, bit for bit", () => {
    fc.assert(
      fc.property(seed, (start) => {
        const random = seededRandom(start);
        const reference = sfc32(BigInt(start));
        for (let i = 0; i < 50; i++) expect(random.below(2 ** 32)).toBe(Number(reference()));
      }),
      { seed: 7 },
    );
  });

  test("gives equal sequences for equal seeds, and others for others", () => {
    const draws = (start: number): number[] => {
      const random = seededRandom(start);
      return Array.from({ length: 20 }, () => random.below(1_000_000));
    };
    fc.assert(
      fc.property(seed, seed, (one, other) => {
        expect(draws(one)).toEqual(draws(one));
        if (one !== other) expect(draws(one)).not.toEqual(draws(other));
      }),
      { seed: 7 },
    );
  });

  test("draws whole numbers from 0 to n - 1", () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: 1, max: 2 ** 32 }), (start, n) => {
        const random = seededRandom(start);
        for (let i = 0; i < 20; i++) {
          const drawn = random.below(n);
          expect(Number.isInteger(drawn)).toBe(true);
          expect(drawn).toBeWithin(0, n);
        }
      }),
      {
        seed: 7,
        examples: [
          [0, 1],
          [-1, 2 ** 32],
        ],
      },
    );
  });

  test.each([2, 3, 10, 97])("draws each of %d numbers as often", (n) => {
    const random = seededRandom(n);
    const counts = Array.from({ length: n }, () => 0);
    for (let i = 0; i < 1000 * n; i++) counts[random.below(n)]! += 1;
    expect(
      deviation(
        counts,
        Array.from({ length: n }, () => 1000),
      ),
    ).toBeLessThan(5);
    expect(
      deviation(
        counts,
        Array.from({ length: n }, () => 1000),
      ),
    ).toBeGreaterThan(-5); // too even is not by chance
  });
});

test("the system's generator differs each time", () => {
  const [one, other] = [systemRandom(), systemRandom()].map((random) =>
    Array.from({ length: 4 }, () => random.below(2 ** 32)),
  );
  expect(one).not.toEqual(other ?? []);
});
