import { expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { DEFAULT_HEALTH } from "../../health-plan.ts";
import type { Plan, RetryPlan } from "../../plan.ts";
import { planFromConfig } from "../files/read.ts";
import type { Config } from "../schema/schema.ts";

async function planOf(config: Config): Promise<Plan> {
  const read = await planFromConfig(config, { file: null }, { resolve: false });
  if ("problems" in read) throw new Error(read.problems.map(({ key, message }) => `${key} ${message}`).join("\n"));
  return read.plan;
}

const pools: Config["pools"] = { app: { backends: [":8001"] } };

test("what is left out has its default", async () => {
  const timeouts = {
    headMs: 10_000,
    keepAliveMs: 60_000,
    bodyMs: 30_000,
    connectMs: 3000,
    responseMs: 60_000,
    idleBackendMs: 4000,
    idleMs: 3_600_000,
    totalMs: 0,
  };
  const limits = {
    headBytes: 32_768,
    fields: 128,
    targetBytes: 8192,
    bodyBytes: null,
    idleConnections: 128,
  };
  const retry: RetryPlan = {
    attempts: 3,
    on: ["connect-failure", "reset"],
    statuses: [],
    attemptMs: 0,
    methods: ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"],
  };
  expect(await planOf({ listeners: { web: { address: ":8080", pool: "app" } }, pools })).toEqual({
    listeners: [
      {
        name: "web",
        address: { kind: "tcp", host: null, port: 8080 },
        mode: "http",
        via: false,
        routes: [{ host: null, path: null, pool: "app", timeouts, limits, retry, hedge: null }],
        connections: null,
        timeouts,
        limits,
      },
    ],
    pools: [
      {
        name: "app",
        policy: { name: "round-robin", options: { load: "in-flight", maxLoadFactor: null }, key: null },
        affinity: null,
        health: DEFAULT_HEALTH,
        limits: { maxConnections: null, maxInFlight: null, maxQueue: 1000, queueTimeoutMs: 5000 },
        retryBudget: { ratio: 0.2, floorPerSecond: 3 },
        backends: [
          {
            id: "127.0.0.1:8001",
            address: { kind: "tcp", host: "127.0.0.1", port: 8001 },
            weight: 1,
            maxConnections: null,
            maxInFlight: null,
            maxQueue: null,
            state: "ready",
            tier: 0,
            zone: null,
          },
        ],
      },
    ],
    workers: availableParallelism(),
    connections: null,
    runAs: null,
    zone: null,
    admin: { address: { kind: "tcp", host: "127.0.0.1", port: 9900 }, tokenFile: null },
    trustedProxies: [],
    shutdownMs: 30_000,
    drain: { requestsMs: 30_000, tunnelsMs: 3_600_000 },
    stateFolder: null,
  });
});

test("what is given is read", async () => {
  const plan = await planOf({
    listeners: {
      web: {
        address: "unix:/run/weir.sock",
        via: true,
        routes: [
          { host: "B.com", pool: "app" },
          { path: "/*", pool: "app" },
        ],
      },
    },
    pools: {
      app: { policy: "first", backends: ["[0::1]:1,weight=0", { address: "A.com:2", weight: 7, maxConnections: 9 }] },
    },
    workers: 3,
    admin: { address: "unix:/run/admin.sock" },
    trustedProxies: ["10.0.0.0/8"],
    shutdown: { timeout: "1m" },
    drain: { requests: "10s", tunnels: 0 },
  });
  expect(plan.pools[0]?.backends.map(({ id, weight, maxConnections }) => [id, weight, maxConnections])).toEqual([
    ["[::1]:1", 0, null],
    ["a.com:2", 7, 9],
  ]);
  expect(plan.listeners[0]?.routes.map(({ host, path }) => [host, path])).toEqual([
    ["b.com", null],
    [null, null],
  ]);
  expect(plan).toMatchObject({
    workers: 3,
    admin: { address: { path: "/run/admin.sock" }, tokenFile: null },
    trustedProxies: ["10.0.0.0/8"],
    shutdownMs: 60_000,
    drain: { requestsMs: 10_000, tunnelsMs: 0 },
  });
  expect(
    (await planOf({ listeners: { web: { address: ":1", pool: "app" } }, pools, admin: "off", workers: "auto" })).admin,
  ).toBeNull();
});

test("the nearest wins: route, pool, listener, top level, default", async () => {
  const plan = await planOf({
    timeouts: { head: 1, keepAlive: 1, body: 1, connect: 1, response: 1 },
    limits: { body: 1000, fields: 1 },
    listeners: {
      web: {
        address: ":1",
        timeouts: { keepAlive: 2, body: 2, connect: 2, response: 2 },
        limits: { body: "none" },
        routes: [
          { pool: "app", timeouts: { response: 4 }, retry: { attempts: 2 }, hedge: { after: "50ms" } },
          { host: "a.com", pool: "plain", limits: { body: 0 } },
        ],
      },
    },
    pools: {
      app: {
        backends: [":1"],
        timeouts: { connect: 3, response: 3 },
        limits: { fields: 3 },
        retry: { attempts: 5, on: [503, "reset"] },
        hedge: { budget: "5%" },
      },
      plain: { backends: [":2"] },
    },
  });
  const [listener] = plan.listeners;
  expect(listener?.timeouts).toMatchObject({
    headMs: 1,
    keepAliveMs: 2,
    bodyMs: 2,
    connectMs: 2,
    responseMs: 2,
    idleMs: 3_600_000,
  });
  expect(listener?.limits).toMatchObject({ bodyBytes: null, fields: 1 });
  expect(listener?.routes[0]?.timeouts).toMatchObject({
    headMs: 1,
    keepAliveMs: 2,
    bodyMs: 2,
    connectMs: 3,
    responseMs: 4,
  });
  expect(listener?.routes[0]?.limits).toMatchObject({ bodyBytes: null, fields: 3 });
  expect(listener?.routes[0]?.retry).toMatchObject({ attempts: 2, on: ["reset"], statuses: [[503, 503]] });
  expect(listener?.routes[0]?.hedge).toEqual({ after: { kind: "time", milliseconds: 50 }, budget: 0.05 });
  expect([listener?.routes[1]?.retry.attempts, listener?.routes[1]?.hedge]).toEqual([3, null]);
  expect(listener?.routes[1]?.timeouts).toMatchObject({ connectMs: 2, responseMs: 2 });
  expect(listener?.routes[1]?.limits).toMatchObject({ bodyBytes: 0, fields: 1 });
});

test("a plan is plain data: it is the same after a trip through JSON", async () => {
  const plan = await planOf({ listeners: { web: { address: "[::]:1", pool: "app" } }, pools });
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
});
