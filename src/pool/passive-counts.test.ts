import { expect, test } from "bun:test";
import { COLUMN } from "../observe/columns.ts";
import { Counters, countersBytes } from "../observe/counters.ts";
import { attemptsOf, failuresOf } from "./passive-counts.ts";

const SHAPE = { workers: 2, rows: 2, cursors: 1 };

test("requests and connections that failed are attempts, answers of 5xx and errors of the backend are failures", () => {
  const counters = new Counters(new ArrayBuffer(countersBytes(SHAPE)), SHAPE);
  for (const worker of [0, 1]) {
    const row = counters.row(worker, 1);
    // Five requests over two connections: one ended in a reset, one in 503; a third connection was refused.
    row.add(COLUMN.connections, 3);
    row.add(COLUMN.requests, 5);
    row.fail("BACKEND_RESET");
    row.fail("BACKEND_REFUSED");
    for (const status of [200, 200, 404, 503]) row.respond(status);
    row.fail("CLIENT_GONE");
  }
  expect(attemptsOf(counters, 1)).toBe(12);
  expect(failuresOf(counters, 1)).toBe(6);
  expect(attemptsOf(counters, 0)).toBe(0);
});

test("in mode tcp connections are the attempts", () => {
  const counters = new Counters(new ArrayBuffer(countersBytes(SHAPE)), SHAPE);
  const row = counters.row(0, 0);
  row.add(COLUMN.connections, 10);
  row.fail("BACKEND_CONNECT_TIMEOUT");
  expect([attemptsOf(counters, 0), failuresOf(counters, 0)]).toEqual([10, 1]);
});
