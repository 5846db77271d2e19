import { expect, test } from "bun:test";
import { started } from "../../../test/fixtures/bare-worker.ts";
import { systemClock } from "../../clock.ts";
import { silentLog } from "../../observe/log.ts";
import { Seats } from "./seats.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** Seats with one worker. @param spawned told of each process for it */
function oneSeat(spawned: (worker: WorkerProcess) => void): Seats {
  return new Seats({
    workers: 1,
    log: silentLog,
    clock: systemClock,
    wallClock: Date.now,
    spawn() {
      const worker = started();
      spawned(worker);
      return worker;
    },
    settled: async () => {},
    died() {},
    withdraw() {},
    restore() {},
  });
}

test.each(["drain", "stop"] as const)("%s leaves no successor behind that is still starting", async (how) => {
  const spawned: WorkerProcess[] = [];
  const seats = oneSeat((worker) => {
    // It would be ready in a moment otherwise.
    if (spawned.push(worker) === 2) process.kill(worker.pid, "SIGSTOP");
  });
  await seats.begin(undefined);
  const renewed = seats.renew(0, 1000).catch(String);
  await seats[how](1000);
  try {
    expect(spawned.map(({ gone }) => gone)).toEqual([true, true]);
    expect(await renewed).toContain("NOT_RUNNING");
  } finally {
    for (const each of spawned) each.kill();
  }
});

test("a worker that starts to take the place of another one is told what to forget as well", async () => {
  const told: number[] = [];
  let spawned = 0;
  const seats = oneSeat((worker) => {
    const which = ++spawned;
    worker.forget = () => void told.push(which);
  });
  await seats.begin(undefined);
  const renewed = seats.renew(0, 1000);
  seats.forget([7]);
  await renewed;
  seats.forget([8]);
  await seats.stop();
  expect(told).toEqual([1, 2, 2]);
});
