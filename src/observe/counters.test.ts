import { describe, expect, test } from "bun:test";
import { closeSync, openSync, ftruncateSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { EXCHANGE_ERROR_CODES } from "../errors.ts";
import {
  BUCKETS,
  bucketFloor,
  bucketOf,
  COLUMN,
  COLUMNS,
  CONNECT,
  DURATION,
  errorColumn,
  FIRST_BYTE,
  type Histogram,
  ROW_LENGTH,
} from "./columns.ts";
import { Counters, countersBytes } from "./counters.ts";

const anyLatency = fc.oneof(
  fc.nat(1000),
  fc.double({ min: 0, max: 2 ** 28, noNaN: true }),
  fc.double({ min: 0, max: 1e13, noNaN: true }),
);
const WIDEST = 2 ** 28;

describe("buckets of latencies", () => {
  test("a latency is not below the floor of its bucket, and below the floor of the next one", () => {
    fc.assert(
      fc.property(anyLatency, (microseconds) => {
        const bucket = bucketOf(microseconds);
        expect(bucketFloor(bucket)).toBeLessThanOrEqual(microseconds);
        if (bucket < BUCKETS - 1) expect(bucketFloor(bucket + 1)).toBeGreaterThan(microseconds);
      }),
    );
  });

  test("are in order: a longer latency is in no lower bucket", () => {
    fc.assert(
      fc.property(anyLatency, anyLatency, (a, b) => {
        expect(bucketOf(Math.min(a, b))).toBeLessThanOrEqual(bucketOf(Math.max(a, b)));
      }),
    );
  });

  test("each is at most a quarter wide, and its floor is its own", () => {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      expect(bucketOf(bucketFloor(bucket))).toBe(bucket);
      const floor = bucketFloor(bucket);
      // Below 4 µs a bucket is one microsecond.
      if (bucket >= 4 && bucket < BUCKETS - 1) expect(bucketFloor(bucket + 1) - floor).toBeLessThanOrEqual(floor / 4);
    }
  });

  test("whatever is longer than the widest, hours too, is in the last one", () => {
    for (const microseconds of [WIDEST, 2 ** 31, 2 ** 32, 3_600e6, 1e15, Number.POSITIVE_INFINITY])
      expect(bucketOf(microseconds)).toBe(BUCKETS - 1);
  });

  test("a clock that went back counts as no time", () => {
    expect(bucketOf(-1)).toBe(0);
    expect(bucketOf(-1e12)).toBe(0);
  });
});

const HISTOGRAMS: readonly Histogram[] = [FIRST_BYTE, DURATION, CONNECT];

test("columns, errors and histograms have places of their own in a row", () => {
  const places = [
    ...COLUMNS.map((name) => COLUMN[name]),
    ...EXCHANGE_ERROR_CODES.map(errorColumn),
    ...HISTOGRAMS.map(({ sum }) => sum),
    ...HISTOGRAMS.flatMap(({ first, buckets }) => Array.from({ length: buckets }, (_, i) => first + i)),
  ];
  expect(new Set(places).size).toBe(places.length);
  expect(Math.max(...places)).toBeLessThan(ROW_LENGTH);
});

function inMemory(workers: number, rows: number, cursors = 1): Counters {
  const shape = { workers, rows, cursors };
  return new Counters(new ArrayBuffer(countersBytes(shape)), shape);
}

test("rows of all workers are apart: what one writes is nobody else's", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 }), fc.nat(3), (workers, rows, cursors) => {
      const counters = inMemory(workers, rows, cursors);
      const expected = (worker: number, row: number): number => 1 + worker * 1000 + row;
      for (let worker = 0; worker < workers; worker++)
        for (let row = 0; row < rows; row++) {
          const own = counters.row(worker, row);
          for (let column = 0; column < ROW_LENGTH; column++) own.add(column, expected(worker, row));
          for (let i = 0; i < expected(worker, row); i++) own.begin();
        }
      for (let cursor = 0; cursor < cursors; cursor++) expect(counters.nextTurn(cursor)).toBe(0);
      for (let row = 0; row < rows; row++) {
        let sum = 0;
        for (let worker = 0; worker < workers; worker++) sum += expected(worker, row);
        for (let column = 0; column < ROW_LENGTH; column++) expect(counters.total(row, column)).toBe(sum);
        expect(counters.inFlight(row)).toBe(sum);
      }
    }),
    { numRuns: 20 },
  );
});

test("what a dead worker had in flight leaves the totals, what it had counted stays, also the second time", () => {
  const counters = inMemory(3, 2);
  for (let worker = 0; worker < 3; worker++)
    for (let row = 0; row < 2; row++) {
      const own = counters.row(worker, row);
      own.begin();
      own.fail("BACKEND_REFUSED");
      own.add(COLUMN.bytesIn, 10 ** worker);
      own.observe(FIRST_BYTE, 100);
    }
  counters.nextTurn(0);
  counters.clearWorker(1);
  counters.row(1, 0).add(COLUMN.bytesIn, 10);
  counters.row(1, 0).fail("BACKEND_REFUSED");
  counters.clearWorker(1);
  for (let row = 0; row < 2; row++) {
    expect(counters.inFlight(row)).toBe(2);
    expect(counters.total(row, errorColumn("BACKEND_REFUSED"))).toBe(row === 0 ? 4 : 3);
    expect(counters.total(row, COLUMN.bytesIn)).toBe(row === 0 ? 121 : 111);
    expect(counters.total(row, FIRST_BYTE.sum)).toBe(300);
    expect(counters.total(row, FIRST_BYTE.first + bucketOf(100))).toBe(3);
  }
  // The cursor is the pool's, not a worker's.
  expect(counters.nextTurn(0)).toBe(1);
});

test("a response is counted by its class", () => {
  const counters = inMemory(1, 1);
  const row = counters.row(0, 0);
  for (const status of [100, 103, 200, 204, 301, 404, 499, 500, 599]) row.respond(status);
  const classes = (["responses1xx", "responses2xx", "responses3xx", "responses4xx", "responses5xx"] as const).map(
    (name) => counters.total(0, COLUMN[name]),
  );
  expect(classes).toEqual([2, 2, 1, 2, 2]);
});

test("a refused request counts as a request, an error and a response", () => {
  const counters = inMemory(1, 1);
  counters.row(0, 0).refuse("CLIENT_BAD_HEAD");
  expect(counters.total(0, COLUMN.requests)).toBe(1);
  expect(counters.total(0, errorColumn("CLIENT_BAD_HEAD"))).toBe(1);
  expect(counters.total(0, COLUMN.responses4xx)).toBe(1);
});

test("an observed time is in its bucket and in the sum, of that histogram alone", () => {
  fc.assert(
    fc.property(fc.constantFrom(...HISTOGRAMS), fc.array(anyLatency, { maxLength: 9 }), (histogram, times) => {
      const counters = inMemory(2, 2);
      times.forEach((microseconds, i) => counters.row(i % 2, 1).observe(histogram, microseconds));
      for (const each of HISTOGRAMS) {
        const buckets = new Float64Array(each.buckets);
        counters.addBuckets(1, each, buckets);
        const expected = new Float64Array(each.buckets);
        if (each === histogram) for (const time of times) expected[bucketOf(time) >> each.shift]! += 1;
        expect(buckets).toEqual(expected);
        const sum = each === histogram ? times.reduce((a, b) => a + b, 0) : 0;
        expect(counters.total(1, each.sum)).toBeCloseTo(sum, 0);
        counters.addBuckets(0, each, buckets);
        expect(buckets).toEqual(expected);
      }
    }),
  );
});

test("a cursor goes on from 0 after 2³²", () => {
  const shape = { workers: 1, rows: 1, cursors: 2 };
  const memory = new ArrayBuffer(countersBytes(shape));
  // The cursors follow the header, a page, a cache line each.
  new Int32Array(memory)[4096 / 4] = -1;
  const counters = new Counters(memory, shape);
  expect(counters.nextTurn(0)).toBe(2 ** 32 - 1);
  expect(counters.nextTurn(0)).toBe(0);
  expect(counters.nextTurn(1)).toBe(0);
});

test("two views of one memory, at an offset, see the same", () => {
  const shape = { workers: 2, rows: 3, cursors: 1 };
  const memory = new ArrayBuffer(64 + countersBytes(shape));
  const [a, b] = [new Counters(memory, shape, 64), new Counters(memory, shape, 64)];
  a.row(0, 2).begin();
  b.row(1, 2).begin();
  expect(a.inFlight(2)).toBe(2);
  expect([a.nextTurn(0), b.nextTurn(0), a.nextTurn(0)]).toEqual([0, 1, 2]);
});

/** What each of the processes runs: its own rows, and the cursor that all of them share. */
const WRITER = `
  const { Counters } = await import(${JSON.stringify(join(import.meta.dir, "counters.ts"))});
  const [path, worker, times, workers] = process.argv.slice(1);
  const counters = new Counters(Bun.mmap(path, { shared: true }).buffer, { workers: +workers, rows: 2, cursors: 1 });
  const row = counters.row(+worker, 1);
  console.log("ready");
  for await (const _ of console) break;
  let highest = 0;
  for (let i = 0; i < +times; i++) {
    row.add(0, 1);
    row.begin();
    if (i % 2 === 0) row.end();
    highest = counters.nextTurn(0);
  }
  console.log(highest);
`;

test("several processes that write at once count right, and no turn is given twice", async () => {
  const [workers, times] = [3, 200_000];
  const shape = { workers, rows: 2, cursors: 1 };
  const path = join(folder.path, "counters");
  const fd = openSync(path, "wx+");
  ftruncateSync(fd, countersBytes(shape));
  closeSync(fd);
  const counters = new Counters(Bun.mmap(path, { shared: true }).buffer, shape);
  const writers = Array.from({ length: workers }, (_, worker) =>
    Bun.spawn([process.execPath, "-e", WRITER, path, String(worker), String(times), String(workers)], {
      stdio: ["pipe", "pipe", "inherit"],
    }),
  );
  const outputs = writers.map((writer) => writer.stdout.getReader());
  await Promise.all(outputs.map((output) => output.read()));
  // All of them are ready: now they run into each other.
  for (const { stdin } of writers) {
    stdin.write("go\n");
    stdin.end();
  }
  await Promise.all(writers.map(({ exited }) => exited));
  expect(writers.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  expect(counters.total(1, 0)).toBe(workers * times);
  expect(counters.inFlight(1)).toBe((workers * times) / 2);
  expect(counters.total(0, 0)).toBe(0);
  expect(counters.nextTurn(0)).toBe(workers * times);
});

test("a row that is summed counts in flight on its own and on its pool's row, of each worker", () => {
  const shape = { workers: 2, rows: 3, cursors: 0 };
  const counters = new Counters(new ArrayBuffer(countersBytes(shape)), shape);
  const [one, other] = [counters.row(0, 0, 2), counters.row(1, 1, 2)];
  one.begin();
  one.begin();
  other.begin();
  expect([0, 1, 2].map((row) => counters.inFlight(row))).toEqual([2, 1, 3]);
  one.end();
  expect([0, 1, 2].map((row) => counters.inFlight(row))).toEqual([1, 1, 2]);
  counters.clearWorker(1);
  expect([0, 1, 2].map((row) => counters.inFlight(row))).toEqual([1, 0, 1]);
});

const folder = temporaryFolder();
