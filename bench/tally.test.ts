import { expect, test } from "bun:test";
import { percentile } from "./percentile.ts";
import { Tally } from "./tally.ts";

const ok = { status: 200, backend: 0, last: false };

test("tells answers, refusals, those given up and broken ones apart, and which backend answered", () => {
  const tally = new Tally(0, 100);
  tally.answer(10, 15, ok);
  tally.answer(11, 31, { ...ok, backend: 2 });
  tally.answer(12, 13, { ...ok, status: 503 });
  tally.late(13);
  tally.broken(14);
  tally.broken(15);
  expect(tally.result()).toEqual({
    answered: 2,
    refused: 1,
    late: 1,
    broken: 2,
    p50: 20,
    p99: 20,
    byBackend: [1, 0, 1],
  });
});

test("what was due in the lead or afterwards is not counted, whenever it is answered", () => {
  const tally = new Tally(1000, 2000);
  tally.answer(999, 1500, ok);
  tally.late(999);
  tally.broken(999);
  tally.answer(1000, 1001, ok);
  tally.answer(1999, 2500, ok);
  tally.answer(2000, 2001, ok);
  tally.late(2000);
  tally.broken(2000);
  expect(tally.result()).toMatchObject({ answered: 2, refused: 0, late: 0, broken: 0, p50: 501 });
});

test("percentiles are values that occurred", () => {
  const values = Array.from({ length: 200 }, (_, index) => index);
  expect([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)]).toEqual([100, 198, 199]);
  expect(percentile([], 0.99)).toBe(0);
});
