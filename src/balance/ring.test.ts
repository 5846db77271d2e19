import { describe, expect, test } from "bun:test";
import golden from "../../test/fixtures/nginx-ketama.json";
import { crc32 } from "./crc32.ts";
import { candidate, fakeTools } from "./fake-tools.ts";
import type { Candidate } from "./policy.ts";
import { ring } from "./ring.ts";

const keys = golden.keys.map((key) => crc32(new TextEncoder().encode(key)));

/** A backend of a recording. */
interface Recorded {
  readonly id: string;
  readonly weight: number;
  readonly down?: boolean;
}

const recordings = golden.recordings.map(({ backends, chosen }) => ({
  backends: backends.map((backend: Recorded, index) => ({ index, down: false, ...backend })),
  chosen: [...chosen].map((digit) => Number.parseInt(digit, 36)),
}));

describe.each(recordings)("for $backends.length backends of nginx", ({ backends, chosen }) => {
  test(`each of ${keys.length} keys goes where nginx sent it`, () => {
    const picker = ring.prepare(
      backends.filter(({ down }) => !down),
      fakeTools(),
    );
    expect(keys.map((key) => picker.pick(key))).toEqual(chosen);
  });

  test("walking past backends that are down comes to the same", () => {
    const tools = fakeTools();
    tools.capacities.push(...backends.map(({ down }) => (down ? 0 : Infinity)));
    const picker = ring.prepare(backends, tools);
    expect(keys.map((key) => picker.pick(key))).toEqual(chosen);
  });
});

test("a key past the last point belongs to the first", () => {
  const picker = ring.prepare([candidate(0), candidate(1)], fakeTools());
  expect(picker.pick(2 ** 32 - 1)).toBe(picker.pick(0));
});

test("the heaviest pool keeps shares by weight when its points are halved", () => {
  const pool: Candidate[] = Array.from({ length: 20 }, (_, i) => candidate(i, i === 0 ? 65_535 : 21_845));
  const picker = ring.prepare(pool, fakeTools());
  let heavy = 0;
  for (let i = 0; i < 100_000; i++) heavy += Number(picker.pick(Math.imul(i, 2_654_435_761) >>> 0) === 0);
  expect(heavy / 100_000).toBeWithin(0.95 * (3 / 22), 1.05 * (3 / 22));
});
