import { expect, test } from "bun:test";
import { DEFAULT_PASSIVE } from "../health-plan.ts";
import { SuccessWindow } from "./success-window.ts";

const PLAN = DEFAULT_PASSIVE.successRate!;

test("gives what happened in each window, at its end and not before", () => {
  let [attempts, failures] = [1000, 100];
  const totals = { attempts: () => attempts, failures: () => failures };
  const window = new SuccessWindow(PLAN, 1, totals, 0);
  [attempts, failures] = [1200, 101];
  expect(window.close(totals, 9_999)).toEqual([]);
  expect(window.close(totals, 10_050)).toEqual([{ attempts: 200, failures: 1 }]);
  expect(window.endsAt).toBe(20_050);
  [attempts, failures] = [1201, 102];
  expect(window.close(totals, 30_000)).toEqual([{ attempts: 1, failures: 1 }]);
});

test("numbers that have fallen count as nothing, and the next window begins there", () => {
  let [attempts, failures] = [1000, 100];
  const totals = { attempts: () => attempts, failures: () => failures };
  const window = new SuccessWindow(PLAN, 1, totals, 0);
  [attempts, failures] = [300, 20];
  expect(window.close(totals, 10_000)).toEqual([{ attempts: 0, failures: 0 }]);
  [attempts, failures] = [400, 25];
  expect(window.close(totals, 20_000)).toEqual([{ attempts: 100, failures: 5 }]);
});
