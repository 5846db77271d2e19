import { expect, test } from "bun:test";
import { Alarms } from "./alarms.ts";

test("alarms ring in the order of their moments, never early, those of one moment as they were set", async () => {
  const alarms = new Alarms();
  const now = performance.now();
  const rung: string[] = [];
  const early: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const set = (name: string, afterMs: number): void => {
    alarms.at(now + afterMs, () => {
      rung.push(name);
      if (performance.now() < now + afterMs) early.push(name);
    });
  };
  set("c", 6);
  set("a", 1);
  set("d", 6);
  set("b", 3);
  alarms.at(now + 4, () => {
    set("set while ringing, past", 2);
    set("set while ringing", 5);
  });
  alarms.at(now + 8, resolve);
  await promise;
  expect(rung).toEqual(["a", "b", "set while ringing, past", "set while ringing", "c", "d"]);
  expect(early).toEqual([]);
});

test("an alarm set after all have rung rings too", async () => {
  const alarms = new Alarms();
  for (const afterMs of [0, 3, 0.1]) {
    await new Promise<void>((resolve) => alarms.at(performance.now() + afterMs, resolve));
  }
});
