import { expect, test } from "bun:test";
import { BACKEND_SECONDS, LiveView, POOL_SECONDS, STATES } from "./live-view.ts";
import { BACKEND_STATES } from "./model.ts";
import { LIVE_BACKEND_COLUMNS, LIVE_POOL_COLUMNS, type LiveShape, type LiveTick } from "./model-live.ts";

type Counts = Readonly<
  Record<
    string,
    { readonly requests?: number; readonly connections?: number; readonly failures?: number; readonly p90Ms?: number }
  >
>;

function shape(backends: readonly string[], generation = 1): LiveShape {
  return {
    generation,
    version: "1",
    listeners: [],
    pools: [{ name: "app", policy: "round-robin", backends: backends.map((id) => ({ id, weight: 1 })) }],
    backendColumns: [...LIVE_BACKEND_COLUMNS],
    poolColumns: [...LIVE_POOL_COLUMNS],
  };
}

function tick(second: number, counts: Counts, generation = 1): LiveTick {
  const rows = Object.values(counts).map(({ requests = 0, connections = 0, failures = 0, p90Ms = null }) => [
    0,
    1,
    2,
    connections,
    requests,
    0,
    failures,
    p90Ms,
    p90Ms,
    p90Ms,
  ]);
  const requests = rows.reduce((sum, row) => sum + (row[4] ?? 0), 0);
  return {
    generation,
    nowTimeMs: second * 1000,
    phase: "running",
    workers: 1,
    connections: 1,
    inFlight: 1,
    totals: {
      connections: 0,
      requests,
      responses2xx: 0,
      responses3xx: 0,
      responses4xx: 0,
      responses5xx: 0,
      failures: 0,
      retries: 0,
      hedges: 0,
      bytesIn: 0,
      bytesOut: 0,
    },
    latency: { p50Ms: null, p90Ms: null, p99Ms: null },
    pools: [[0, 0, 2, 0, requests, 0, 0, null, null, null]],
    backends: [rows],
  };
}

test("the states are those of the API, in its order", () => {
  expect([...STATES]).toEqual([...BACKEND_STATES]);
});

test("rates are differences over the time between two ticks, also where one was missed", () => {
  const view = new LiveView();
  view.reshape(shape(["a", "b"]));
  view.advance(tick(1, { a: { requests: 100 }, b: { requests: 50 } }));
  expect([view.perSecond, view.pools[0]?.perSecond, view.pools[0]?.history.perSecond.last()]).toEqual([0, 0, null]);
  view.advance(tick(3, { a: { requests: 160 }, b: { requests: 70 } }));
  expect(view.perSecond).toBe(40);
  expect(view.pools[0]?.backends.map(({ perSecond, share }) => [perSecond, share])).toEqual([
    [30, 0.75],
    [10, 0.25],
  ]);
});

test("a pool of connections is measured by them", () => {
  const view = new LiveView();
  view.reshape(shape(["a", "b"]));
  view.advance(tick(1, { a: { connections: 5 }, b: { connections: 5 } }));
  view.advance(tick(2, { a: { connections: 8 }, b: { connections: 6 } }));
  expect(view.pools[0]?.backends.map(({ perSecond }) => perSecond)).toEqual([3, 1]);
});

test("a counter that fell, since its worker died, is no rate", () => {
  const view = new LiveView();
  view.reshape(shape(["a"]));
  view.advance(tick(1, { a: { requests: 100 } }));
  view.advance(tick(2, { a: { requests: 10 } }));
  expect(view.pools[0]?.perSecond).toBe(0);
  view.advance(tick(3, { a: { requests: 15 } }));
  expect(view.pools[0]?.perSecond).toBe(5);
});

test("failures without an answer are all errors", () => {
  const view = new LiveView();
  view.reshape(shape(["a"]));
  view.advance(tick(1, { a: { connections: 1 } }));
  view.advance(tick(2, { a: { connections: 1, failures: 3 } }));
  expect(view.pools[0]?.errorShare).toBe(1);
  view.advance(tick(3, { a: { connections: 1, failures: 3 } }));
  expect(view.pools[0]?.errorShare).toBeNull();
});

test("history belongs to identity: who stays keeps it, who is new has none", () => {
  const view = new LiveView();
  view.reshape(shape(["a", "b"]));
  for (let second = 1; second <= 3; second++) {
    view.advance(tick(second, { a: { requests: second, p90Ms: second }, b: { requests: 0 } }));
  }
  view.reshape(shape(["c", "a"], 2));
  view.advance(tick(4, { c: { requests: 7 }, a: { requests: 5, p90Ms: 4 } }, 2));
  const [c, a] = view.pools[0]?.backends ?? [];
  expect(a?.latency.values()).toEqual([1, 2, 3, 4]);
  expect([c?.latency.values(), c?.perSecond]).toEqual([[null], 0]);
  expect([view.pools[0]?.history.perSecond.size, view.timeline()]).toEqual([4, [1, 2, 3, 4]]);
});

test("a tick of another generation than the shape is left out", () => {
  const view = new LiveView();
  view.reshape(shape(["a"]));
  view.advance(tick(1, { a: {}, b: {} }, 2));
  expect(view.tick).toBeNull();
});

test("memory is bounded: after an hour there are as many values as after five minutes", () => {
  const view = new LiveView();
  view.reshape(shape(["a"]));
  for (let second = 1; second <= 3600; second++) view.advance(tick(second, { a: { requests: second * 2, p90Ms: 1 } }));
  const [pool] = view.pools;
  expect([view.timeline().length, pool?.history.perSecond.values().length]).toEqual([POOL_SECONDS, POOL_SECONDS]);
  expect(pool?.backends[0]?.latency.values().length).toBe(BACKEND_SECONDS);
  expect([view.timeline()[0], view.timeline().at(-1)]).toEqual([3600 - POOL_SECONDS + 1, 3600]);
  expect(pool?.history.perSecond.values()).toEqual(Array.from({ length: POOL_SECONDS }, () => 2));
});
