import { describe, expect, test } from "bun:test";
import { closeSync, ftruncateSync, openSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { Counters, countersBytes } from "./counters.ts";

function inMemory(workers: number, rows = 1): Counters {
  const shape = { workers, rows, cursors: 0 };
  return new Counters(new ArrayBuffer(countersBytes(shape)), shape);
}

test("are taken up to the limit over all workers, and again once one is given back", () => {
  const step = fc.record({ worker: fc.nat(2), take: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(6), (steps, most) => {
      const counters = inMemory(3, 2);
      const slots = [0, 1, 2].map((worker) => counters.inFlightSlots(worker, 1));
      const held = [0, 0, 0];
      for (const { worker, take } of steps) {
        const sum = held.reduce((a, b) => a + b);
        if (take) {
          const taken = slots[worker]!.tryTake(most);
          expect(taken).toBe(sum < most);
          if (taken) held[worker]! += 1;
        } else if (held[worker]! > 0) {
          slots[worker]!.give();
          held[worker]! -= 1;
        }
        expect(slots.map(({ own }) => own)).toEqual(held);
        expect(counters.inFlight(1)).toBe(held.reduce((a, b) => a + b));
        expect(slots[0]!.holders()).toBe(held.filter((count) => count > 0).length);
      }
      expect(counters.inFlight(0)).toBe(0);
      expect(counters.waiting(1)).toBe(0);
    }),
  );
});

describe("in-flight slots", () => {
  test("are those that a row begins and ends", () => {
    const counters = inMemory(2);
    const row = counters.row(0, 0);
    const slots = counters.inFlightSlots(0, 0);
    row.begin();
    expect(slots.tryTake(1)).toBe(false);
    expect(slots.tryTake(2)).toBe(true);
    row.end();
    row.end();
    expect(counters.inFlight(0)).toBe(0);
  });

  test("have nothing to do with what waits", () => {
    const counters = inMemory(1);
    expect(counters.waitingSlots(0, 0).tryTake(1)).toBe(true);
    expect(counters.inFlight(0)).toBe(0);
    expect(counters.waiting(0)).toBe(1);
    expect(counters.inFlightSlots(0, 0).tryTake(1)).toBe(true);
  });
});

test("a worker that dies gives back what it held, in flight and waiting", () => {
  const counters = inMemory(2);
  for (const worker of [0, 1]) {
    expect(counters.inFlightSlots(worker, 0).tryTake(2)).toBe(true);
    expect(counters.waitingSlots(worker, 0).tryTake(2)).toBe(true);
  }
  counters.clearWorker(1);
  expect([counters.inFlight(0), counters.waiting(0)]).toEqual([1, 1]);
  expect(counters.inFlightSlots(0, 0).tryTake(2)).toBe(true);
});

/** What each of the processes runs: takes and gives back, and looks how many hold a slot at that time. */
const TAKER = `
  const { Counters } = await import(${JSON.stringify(join(import.meta.dir, "counters.ts"))});
  const [path, worker, times, workers, most] = process.argv.slice(1);
  const memory = Bun.mmap(path, { shared: true }).buffer;
  const counters = new Counters(memory, { workers: +workers, rows: 1, cursors: 0 }, 64);
  const held = new Int32Array(memory, 0, 1);
  const slots = counters.inFlightSlots(+worker, 0);
  console.log("ready");
  for await (const _ of console) break;
  let taken = 0, worst = 0;
  for (let i = 0; i < +times; i++) {
    if (!slots.tryTake(+most)) continue;
    taken += 1;
    worst = Math.max(worst, Atomics.add(held, 0, 1) + 1);
    for (let spin = i % 50; spin > 0; spin--) Atomics.load(held, 0);
    Atomics.sub(held, 0, 1);
    slots.give();
  }
  console.log(JSON.stringify({ taken, worst }));
`;

test.each([1, 2])("several processes that take at once never hold more than %d together", async (most) => {
  const [workers, times] = [3, 100_000];
  const shape = { workers, rows: 1, cursors: 0 };
  const path = join(folder.path, `slots-${most}`);
  const fd = openSync(path, "wx+");
  ftruncateSync(fd, 64 + countersBytes(shape));
  closeSync(fd);
  const takers = Array.from({ length: workers }, (_, worker) =>
    Bun.spawn([process.execPath, "-e", TAKER, path, ...[worker, times, workers, most].map(String)], {
      stdio: ["pipe", "pipe", "inherit"],
    }),
  );
  const outputs = takers.map((taker) => taker.stdout.getReader());
  await Promise.all(outputs.map((output) => output.read()));
  for (const { stdin } of takers) {
    stdin.write("go\n");
    stdin.end();
  }
  const results = await Promise.all(
    outputs.map(
      async (output) =>
        JSON.parse(new TextDecoder().decode((await output.read()).value)) as { taken: number; worst: number },
    ),
  );
  await Promise.all(takers.map(({ exited }) => exited));
  // One of them may find the slot taken each time that it is let run.
  expect(results.reduce((sum, { taken }) => sum + taken, 0)).toBeGreaterThan(0);
  for (const { worst } of results) expect(worst).toBeLessThanOrEqual(most);
  const counters = new Counters(Bun.mmap(path, { shared: true }).buffer, shape, 64);
  expect(counters.inFlight(0)).toBe(0);
});

const folder = temporaryFolder();
