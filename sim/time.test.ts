import { expect, test } from "bun:test";
import { Dice } from "./dice.ts";
import { inSimulatedTime } from "./time.ts";
import { World } from "./world.ts";

const world = new World(new Dice(1), null);

test.each([
  ["setTimeout", () => setTimeout(() => {}, 1)],
  ["setInterval", () => setInterval(() => {}, 1)],
  ["setImmediate", () => setImmediate(() => {})],
  ["queueMicrotask", () => queueMicrotask(() => {})],
  ["Math.random", () => Math.random()],
  ["performance.now", () => performance.now()],
  ["Bun.sleep", () => Bun.sleep(1)],
  ["new Date()", () => new Date()],
])("%s fails in a run, and works after it", (name, act) => {
  expect(() => inSimulatedTime(world, act)).toThrow(name);
  expect(act).not.toThrow();
});

test("the time of day is that of the run", () => {
  const first = inSimulatedTime(world, () => Date.now());
  world.after(1500, () => {});
  world.run(2000);
  expect(inSimulatedTime(world, () => Date.now()) - first).toBe(1500);
});
