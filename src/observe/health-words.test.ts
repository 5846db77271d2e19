import { expect, test } from "bun:test";
import fc from "fast-check";
import { HEALTH_FLAG, HealthWords, healthWordsBytes } from "./health-words.ts";

const SHAPE = { pools: 2, rows: 5 };

function twoViews(): readonly [HealthWords, HealthWords] {
  const memory = new ArrayBuffer(128 + healthWordsBytes(SHAPE));
  return [new HealthWords(memory, SHAPE, 128), new HealthWords(memory, SHAPE, 128)];
}

const PUBLISHED = {
  weights: [10, 0, 3],
  flags: [0, HEALTH_FLAG.down | HEALTH_FLAG.ejected, 0],
  panic: false,
  scale: 1,
};

test("what one view publishes another reads, of that pool and no other", () => {
  const [keeper, worker] = twoViews();
  expect(worker.version(1)).toBe(0);
  keeper.publish(1, [4, 2, 3], PUBLISHED);
  expect([worker.version(0), worker.version(1)]).toEqual([0, 1]);
  expect([4, 2, 3].map((row) => worker.weight(row))).toEqual([10, 0, 3]);
  expect(worker.flags(2)).toBe(HEALTH_FLAG.down | HEALTH_FLAG.ejected);
  expect([0, 1].map((row) => worker.weight(row))).toEqual([0, 0]);
  keeper.publish(1, [4, 2, 3], { ...PUBLISHED, panic: true, scale: 65_535 / 20_000 });
  expect(worker.version(1)).toBe(2);
  expect([worker.panic(0), worker.panic(1)]).toEqual([false, true]);
  expect(worker.scale(1)).toBeCloseTo(65_535 / 20_000, 3);
});

test("a version is never 0 again", () => {
  const memory = new ArrayBuffer(healthWordsBytes(SHAPE));
  new Int32Array(memory)[0] = -1;
  const words = new HealthWords(memory, SHAPE);
  words.publish(0, [0, 1, 2], PUBLISHED);
  expect(words.version(0)).toBe(1);
});

test("failures in a row count over all workers, and one success ends them", () => {
  const [a, b] = twoViews();
  a.failed(0, 1, 5);
  b.failed(0, 1, 5);
  expect(a.failures(1)).toBe(2);
  b.succeeded(1);
  expect(a.failures(1)).toBe(0);
  b.succeeded(1);
  expect(a.failures(1)).toBe(0);
});

test("the fifth failure raises the alarm, which a success does not take back", () => {
  const [a, b] = twoViews();
  for (let i = 0; i < 5; i++) (i % 2 === 0 ? a : b).failed(1, 3, 5);
  b.succeeded(3);
  expect([a.alarms(0), a.alarms(1), a.strikes(3), a.strikes(2)]).toEqual([0, 1, 1, 0]);
});

test("every further five failures raise it again", () => {
  const [words] = twoViews();
  for (let i = 0; i < 14; i++) words.failed(0, 1, 5);
  expect([words.alarms(0), words.strikes(1), words.failures(1)]).toEqual([2, 2, 14]);
});

test("a backend that asks to be drained raises the alarm", () => {
  const [worker, keeper] = twoViews();
  worker.asksToDrain(0, 2);
  expect([keeper.alarms(0), keeper.notices(2), keeper.notices(1)]).toEqual([1, 1, 0]);
});

test("a row that becomes another's is empty, the others stay", () => {
  const [words] = twoViews();
  words.publish(0, [0, 1, 2], PUBLISHED);
  words.failed(0, 2, 1);
  words.clear(2);
  expect([words.weight(2), words.failures(2), words.strikes(2), words.weight(0)]).toEqual([0, 0, 0, 10]);
});

test("property: alarms are as many as times that five failures came together without a success", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(4), fc.boolean(), fc.boolean()), { maxLength: 200 }), (script) => {
      const views = twoViews();
      const inARow = [0, 0, 0, 0, 0];
      const strikes = [0, 0, 0, 0, 0];
      for (const [row, failed, second] of script) {
        const view = views[second ? 1 : 0];
        if (failed) {
          view.failed(0, row, 5);
          inARow[row]! += 1;
          if (inARow[row]! % 5 === 0) strikes[row]! += 1;
        } else {
          view.succeeded(row);
          inARow[row] = 0;
        }
      }
      expect(inARow.map((_, row) => views[0].failures(row))).toEqual(inARow);
      expect(strikes.map((_, row) => views[1].strikes(row))).toEqual(strikes);
      expect(views[0].alarms(0)).toBe(strikes.reduce((sum, each) => sum + each, 0));
    }),
  );
});
