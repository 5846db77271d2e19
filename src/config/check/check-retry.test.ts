import { describe, expect, test } from "bun:test";
import { DEFAULT_HEDGE, DEFAULT_RETRY } from "../schema/defaults.ts";
import type { RoutePlan } from "../../plan.ts";
import { formatProblem } from "../files/problems.ts";
import { planFromConfig } from "../files/read.ts";

async function read(pool: object, route: object = {}, mode = "http"): ReturnType<typeof planFromConfig> {
  const listeners = { web: { address: ":8080", mode, routes: [{ pool: "app", ...route }] } };
  const pools = { app: { backends: [":1"], ...pool } };
  return planFromConfig({ listeners, pools }, { file: null }, { resolve: false });
}

async function routeOf(pool: object, route: object = {}, mode = "http"): Promise<RoutePlan> {
  const loaded = await read(pool, route, mode);
  if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
  return loaded.plan.listeners[0]!.routes[0]!;
}

async function problemsOf(...given: Parameters<typeof read>): Promise<string[]> {
  const loaded = await read(...given);
  return "problems" in loaded ? loaded.problems.map((problem) => formatProblem(problem)) : [];
}

describe("retry", () => {
  test("has its defaults, key by key", async () => {
    expect((await routeOf({})).retry).toEqual(DEFAULT_RETRY);
    expect((await routeOf({ retry: { attempts: 5 } })).retry).toEqual({ ...DEFAULT_RETRY, attempts: 5 });
  });

  test("reads failures and statuses, methods and a time", async () => {
    const retry = { on: ["reset", 503, "429"], methods: ["GET", "POST"], perAttemptTimeout: "2s" };
    expect((await routeOf({ retry })).retry).toEqual({
      attempts: 3,
      on: ["reset"],
      statuses: [
        [503, 503],
        [429, 429],
      ],
      methods: ["GET", "POST"],
      attemptMs: 2000,
    });
  });

  test("of a route goes over that of its pool", async () => {
    const { retry } = await routeOf({ retry: { attempts: 5, on: ["timeout"] } }, { retry: { attempts: 1 } });
    expect([retry.attempts, retry.on]).toEqual([1, ["timeout"]]);
  });

  test("an empty `on` is no retry at all", async () => {
    expect((await routeOf({ retry: { on: [] } })).retry).toMatchObject({ on: [], statuses: [] });
  });

  test("has a budget for the pool alone", async () => {
    for (const [given, ratio] of [
      ["5%", 0.05],
      [0.5, 0.5],
      ["0%", 0],
      ["12.5%", 0.125],
    ] as const) {
      const loaded = await read({ retry: { budget: given, budgetFloor: 7 } });
      if ("problems" in loaded) throw new Error("problems");
      expect(loaded.plan.pools[0]!.retryBudget).toEqual({ ratio, floorPerSecond: 7 });
    }
    expect((await problemsOf({}, { retry: { budget: "5%" } }))[0]).toContain('there is no key "budget" here');
  });

  for (const [what, retry, said] of [
    [
      "no attempt",
      { attempts: 0 },
      "pools.app.retry.attempts  CONFIG_BAD_VALUE  it must be a whole number from 1 to 100",
    ],
    ["a success", { on: [200] }, "pools.app.retry.on[0]  CONFIG_BAD_VALUE  200 is nothing that a retry follows"],
    [
      "a mistyped failure",
      { on: ["resett"] },
      '"resett" is nothing that a retry follows → Use connect-failure, refused',
    ],
    ["CONNECT", { methods: ["CONNECT"] }, '"CONNECT" is no method'],
    ["no token", { methods: ["GE T"] }, '"GE T" is no method'],
    ["more than all", { budget: "120%" }, '"120%" is no part of the requests'],
    ["nothing", { budget: "" }, '"" is no part of the requests'],
    ["less than none", { budget: -0.1 }, "-0.1 is no part of the requests"],
    ["a mistyped key", { attemps: 1 }, 'did you mean "attempts"?'],
  ] as const)
    test(`refuses ${what}`, async () => {
      expect((await problemsOf({ retry }))[0]).toContain(said);
    });

  test("of a tcp listener has no keys that need HTTP", async () => {
    expect((await routeOf({}, { retry: { attempts: 2 } }, "tcp")).retry.attempts).toBe(2);
    expect((await problemsOf({}, { retry: { methods: ["GET"] } }, "tcp"))[0]).toContain(
      'a listener with mode "tcp" has no "methods"',
    );
  });
});

describe("hedge", () => {
  test("is off by default, and has defaults where it is on", async () => {
    expect((await routeOf({})).hedge).toBeNull();
    expect((await routeOf({ hedge: "off" })).hedge).toBeNull();
    expect((await routeOf({ hedge: {} })).hedge).toEqual(DEFAULT_HEDGE);
  });

  test("reads a time and a quantile", async () => {
    for (const [after, read_] of [
      ["50ms", { kind: "time", milliseconds: 50 }],
      ["p95", { kind: "quantile", q: 0.95 }],
      ["p99.9", { kind: "quantile", q: 0.9990000000000001 }],
    ] as const)
      expect((await routeOf({ hedge: { after, budget: "10%" } })).hedge).toEqual({ after: read_, budget: 0.1 });
  });

  test("of a route goes over that of its pool, or switches it off", async () => {
    const pool = { hedge: { after: "50ms", budget: "10%" } };
    expect((await routeOf(pool, { hedge: { budget: "1%" } })).hedge).toMatchObject({
      after: { kind: "time", milliseconds: 50 },
      budget: 0.01,
    });
    expect((await routeOf(pool, { hedge: "off" })).hedge).toBeNull();
  });

  for (const after of ["p0", "p100", "0ms", "soon", -5])
    test(`refuses ${after}`, async () => {
      expect((await problemsOf({ hedge: { after } }))[0]).toMatch(/CONFIG_BAD_VALUE|no time after which to ask twice/);
    });

  test("of a tcp listener is refused", async () => {
    expect((await problemsOf({}, { hedge: {} }, "tcp"))[0]).toContain('has no "hedge"');
  });
});
