import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Random, seededRandom } from "../random.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";

/** How latencies of a plant scatter around their mean of 1. */
type Noise = (random: Random) => number;

const unit = (random: Random): number => (random.below(2 ** 20) + 1) / 2 ** 20;
const NOISES: Readonly<Record<string, Noise>> = {
  none: () => 1,
  "a fifth up or down": (random) => 0.8 + 0.4 * unit(random),
  exponential: (random) => -Math.log(unit(random)),
  "one of twenty ten times as long": (random) => (random.below(20) === 0 ? 10 : 1),
};

/** Servers that serve one at a time, and a queue in front of them: the backend. Work comes as fast as the limit lets it. */
class Plant {
  servers: number;
  serviceMicroseconds: number;
  /** How much work there is at most, beside the limit. */
  offered = Number.POSITIVE_INFINITY;
  dropping = 0;
  readonly limit = new ConcurrencyLimit();
  readonly #noise: Noise;
  readonly #random: Random;
  #now = 0;
  readonly #queue: number[] = [];
  /** When each that is served ends, and when it came. */
  readonly #served: { readonly ends: number; readonly came: number }[] = [];

  constructor(servers: number, serviceMicroseconds: number, noise: Noise, seed: number) {
    this.servers = servers;
    this.serviceMicroseconds = serviceMicroseconds;
    this.#noise = noise;
    this.#random = seededRandom(seed);
  }

  get #inFlight(): number {
    return this.#queue.length + this.#served.length;
  }

  /** Serves so many. @returns the mean of the limit on the way */
  run(count: number): number {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      while (this.#inFlight < Math.min(this.limit.limit, this.offered)) this.#queue.push(this.#now);
      while (this.#served.length < this.servers && this.#queue.length > 0) {
        const ends = this.#now + this.serviceMicroseconds * this.#noise(this.#random);
        this.#served.push({ ends, came: this.#queue.shift()! });
      }
      let first = 0;
      for (const [at, { ends }] of this.#served.entries()) if (ends < this.#served[first]!.ends) first = at;
      const [done] = this.#served.splice(first, 1);
      this.#now = done!.ends;
      const dropped = this.#random.below(1000) < this.dropping;
      this.limit.sample(dropped ? 1 : this.#now - done!.came, this.#inFlight + 1, dropped);
      sum += this.limit.limit;
    }
    return sum / count;
  }
}

const plants = fc.record({
  servers: fc.integer({ min: 1, max: 60 }),
  service: fc.integer({ min: 50, max: 1_000_000 }),
  noise: fc.constantFrom(...Object.keys(NOISES)),
  seed: fc.nat(),
});

/** What the limit may settle at: all servers are at work, and what waits behind them is a short queue. */
function expectNearCapacity(mean: number, servers: number): void {
  expect(mean).toBeGreaterThanOrEqual(0.9 * servers);
  expect(mean).toBeLessThanOrEqual(3.5 * servers + 4);
}

/** Answers until the limit has settled, and then as many that it has time to creep away. */
const SETTLE = 60_000;

describe("a plant of servers with all the work it can take", () => {
  test("the limit settles near the number of servers, whatever the noise, and stays there", () => {
    fc.assert(
      fc.property(plants, ({ servers, service, noise, seed }) => {
        const plant = new Plant(servers, service, NOISES[noise]!, seed);
        plant.run(SETTLE);
        expectNearCapacity(plant.run(20_000), servers);
        plant.run(60_000);
        expectNearCapacity(plant.run(20_000), servers);
      }),
      { numRuns: 6, seed: 3 },
    );
  });

  test("a slowdown that passes leaves nothing behind, one that stays is learnt", () => {
    fc.assert(
      fc.property(plants, fc.integer({ min: 2, max: 20 }), ({ servers, service, noise, seed }, factor) => {
        const plant = new Plant(servers, service, NOISES[noise]!, seed);
        plant.run(SETTLE);
        plant.serviceMicroseconds = service * factor;
        plant.run(SETTLE);
        expectNearCapacity(plant.run(20_000), servers);
        plant.serviceMicroseconds = service;
        plant.run(SETTLE);
        expectNearCapacity(plant.run(20_000), servers);
      }),
      { numRuns: 6, seed: 4 },
    );
  });

  test("half of the servers gone: the limit follows, and comes back with them", () => {
    const plant = new Plant(40, 10_000, NOISES["exponential"]!, 5);
    plant.run(SETTLE);
    plant.servers = 20;
    plant.run(SETTLE);
    expectNearCapacity(plant.run(20_000), 20);
    plant.servers = 40;
    plant.run(SETTLE);
    expectNearCapacity(plant.run(20_000), 40);
  });

  test("a few that are dropped by chance do not make it collapse", () => {
    const plant = new Plant(40, 10_000, NOISES["exponential"]!, 6);
    plant.dropping = 10;
    plant.run(SETTLE);
    expectNearCapacity(plant.run(20_000), 40);
  });
});

test("while all is dropped the limit falls to 1, and it comes back when answers do", () => {
  const plant = new Plant(20, 10_000, NOISES["none"]!, 7);
  plant.run(SETTLE);
  plant.dropping = 1000;
  plant.run(5_000);
  expect(plant.limit.limit).toBe(1);
  plant.dropping = 0;
  plant.run(SETTLE);
  expectNearCapacity(plant.run(20_000), 20);
});

test("a quiet time does not raise the limit: it grows only while it is nearly used", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(...Object.keys(NOISES)),
      fc.nat(),
      (offered, noise, seed) => {
        const plant = new Plant(50, 10_000, NOISES[noise]!, seed);
        plant.offered = offered;
        const before = plant.limit.limit;
        plant.run(20_000);
        expect(plant.limit.limit).toBeLessThanOrEqual(before);
      },
    ),
    { numRuns: 20, seed: 8 },
  );
});

test("what stays under way for good, as tunnels do, does not hold the limit down", () => {
  const limit = new ConcurrencyLimit();
  const before = limit.limit;
  const seen = [];
  for (let i = 0; i < 20_000; i++) {
    // As much as there may be, or as the tunnels alone are.
    limit.sample(1000, Math.max(15, limit.limit), false);
    seen.push(limit.limit);
  }
  expect(seen.filter((each) => each < before).length).toBeLessThan(seen.length / 5);
  expect(limit.limit).toBeGreaterThan(before);
});

test("whatever it is told, the limit is a whole number from 1 to 10,000", () => {
  const told = fc.record({
    microseconds: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e12, noNaN: true })),
    inFlight: fc.integer({ min: 1, max: 100_000 }),
    dropped: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(told, { minLength: 1, maxLength: 50 }), (samples) => {
      const limit = new ConcurrencyLimit();
      for (let round = 0; round < 100; round++)
        for (const { microseconds, inFlight, dropped } of samples) limit.sample(microseconds, inFlight, dropped);
      expect(Number.isInteger(limit.limit)).toBe(true);
      expect(limit.limit).toBeGreaterThanOrEqual(1);
      expect(limit.limit).toBeLessThanOrEqual(10_000);
    }),
    { numRuns: 50, seed: 9 },
  );
});
