import { expect, test } from "bun:test";
import { Counters, countersBytes } from "./counters.ts";

test("losses of all workers add up, and stay when one of them dies or rows are given to others", () => {
  const shape = { workers: 2, rows: 3, cursors: 1 };
  const memory = new ArrayBuffer(countersBytes(shape));
  const [one, other, reader] = [0, 1, 2].map(() => new Counters(memory, shape));
  one?.losses.add("lines", 3);
  other?.losses.add("lines", 2 ** 33);
  other?.losses.add("exchanges", 5);
  other?.nextTurn(0);
  reader?.clearWorker(1);
  reader?.clearRow(0);
  reader?.clearCursor(0);
  expect([reader?.losses.total("lines"), reader?.losses.total("exchanges")]).toEqual([2 ** 33 + 3, 5]);
});
