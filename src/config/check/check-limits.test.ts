import { describe, expect, test } from "bun:test";
import { DEFAULT_POOL_LIMITS } from "../schema/defaults.ts";
import type { PoolPlan } from "../../plan.ts";
import { planFromConfig } from "../files/read.ts";
import { readYaml } from "../files/read-yaml.ts";
import { formatProblem } from "../files/problems.ts";
import { summary } from "../summary.ts";

async function read(config: object): ReturnType<typeof planFromConfig> {
  const listeners = { web: { address: ":8080", pool: "app" } };
  return planFromConfig({ listeners, ...config }, { file: null }, { resolve: false });
}

async function poolOf(pool: object): Promise<PoolPlan> {
  const loaded = await read({ pools: { app: { backends: [":1"], ...pool } } });
  if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
  return loaded.plan.pools[0]!;
}

async function problemsOf(config: object): Promise<string[]> {
  const loaded = await read(config);
  return "problems" in loaded ? loaded.problems.map((problem) => formatProblem(problem)) : [];
}

const backend = { address: ":1" };

describe("what is given is read", () => {
  test("of a pool", async () => {
    expect((await poolOf({})).limits).toEqual(DEFAULT_POOL_LIMITS);
    expect((await poolOf({ limits: { maxConnections: 7 } })).limits).toEqual({
      ...DEFAULT_POOL_LIMITS,
      maxConnections: 7,
    });
    expect(
      (await poolOf({ limits: { maxInFlight: "auto", maxQueue: 0, queueTimeout: "1.5s", head: "1KiB" } })).limits,
    ).toEqual({ maxConnections: null, maxInFlight: "auto", maxQueue: 0, queueTimeoutMs: 1500 });
  });

  test("of a backend", async () => {
    const { backends } = await poolOf({
      backends: [{ ...backend, maxInFlight: 3, maxQueue: 5 }, { address: ":2", maxInFlight: "auto" }, ":3"],
    });
    expect(
      backends.map(({ maxConnections, maxInFlight, maxQueue }) => [maxConnections, maxInFlight, maxQueue]),
    ).toEqual([
      [null, 3, 5],
      [null, "auto", null],
      [null, null, null],
    ]);
  });

  test("and told by the summary", async () => {
    const loaded = await read({
      pools: {
        app: { limits: { maxInFlight: "auto" }, backends: [{ ...backend, maxConnections: 4, maxInFlight: 3 }] },
      },
    });
    if ("problems" in loaded) throw new Error("problems");
    const text = summary(loaded.plan);
    expect(text).toContain("round-robin, in flight as many as latency allows");
    expect(text).toContain("weight 1, at most 4 connections, at most 3 in flight");
  });
});

describe("what is wrong", () => {
  test.each([
    [
      { limits: { maxConnections: 0 } },
      "pools.app.limits.maxConnections  CONFIG_BAD_VALUE",
      "it must be a whole number from 1 to 1000000, not 0",
    ],
    [
      { limits: { maxInFlight: "many" } },
      "pools.app.limits.maxInFlight  CONFIG_BAD_VALUE",
      'it must be a whole number from 1 to 1000000, or "auto", not "many"',
    ],
    [{ limits: { maxInFlight: 0 } }, "pools.app.limits.maxInFlight  CONFIG_BAD_VALUE", 'or "auto", not 0'],
    [{ limits: { maxConnections: 1, maxQueue: -1 } }, "pools.app.limits.maxQueue  CONFIG_BAD_VALUE", "not -1"],
    [
      { limits: { maxConnections: 1, queueTimeout: "soon" } },
      "pools.app.limits.queueTimeout  CONFIG_BAD_VALUE",
      "soon",
    ],
    [
      { backends: [{ ...backend, maxInFlight: 1.5 }] },
      "pools.app.backends[0].maxInFlight  CONFIG_BAD_VALUE",
      'or "auto", not 1.5',
    ],
    [
      { backends: [{ ...backend, queueTimeout: "1s" }] },
      "pools.app.backends[0].queueTimeout  CONFIG_UNKNOWN_KEY",
      "it belongs in the limits of a pool",
    ],
    [{ maxInFlight: 5 }, "pools.app.maxInFlight  CONFIG_UNKNOWN_KEY", "it belongs in the limits of a pool"],
  ])("%j", async (pool, what, why) => {
    const [problem = "", ...others] = await problemsOf({ pools: { app: { backends: [":1"], ...pool } } });
    expect(problem).toStartWith(what);
    expect(problem).toContain(why);
    expect(others).toEqual([]);
  });

  test.each([
    [{ limits: { maxConnections: 5 } }, "limits.maxConnections"],
    [
      { listeners: { web: { address: ":8080", pool: "app", limits: { maxQueue: 5 } } } },
      "listeners.web.limits.maxQueue",
    ],
    [
      { listeners: { web: { address: ":8080", routes: [{ pool: "app", limits: { queueTimeout: 5 } }] } } },
      "listeners.web.routes[0].limits.queueTimeout",
    ],
  ])("what pools count is no limit of anything else: %j", async (config, key) => {
    const problems = await problemsOf({ pools: { app: { backends: [":1"] } }, ...config });
    expect(problems).toEqual([expect.stringContaining(`${key}  CONFIG_UNKNOWN_KEY  there is no key`)]);
    expect(problems[0]).toContain("it belongs in the limits of a pool");
  });

  test.each([
    [{ limits: { maxQueue: 5 } }, ["pools.app.limits.maxQueue"]],
    [{ limits: { queueTimeout: "1s" } }, ["pools.app.limits.queueTimeout"]],
    [{ backends: [{ ...backend, maxQueue: 5 }] }, ["pools.app.backends[0].maxQueue"]],
    [{ limits: { maxQueue: 5 }, backends: [{ ...backend, maxInFlight: 1 }] }, []],
    [{ limits: { maxConnections: 5 }, backends: [{ ...backend, maxQueue: 1 }] }, []],
  ])("a queue in front of what has no limit: %j", async (pool, keys) => {
    const problems = await problemsOf({ pools: { app: { backends: [":1"], ...pool } } });
    expect(problems.map((problem) => problem.split(" ")[0] ?? "")).toEqual(keys);
    for (const problem of problems) expect(problem).toContain("nothing ever waits");
  });

  test("auto where a tcp listener leads, on pool and backend; numbers are right there", async () => {
    const listeners = { db: { address: ":5432", mode: "tcp", pool: "app" }, web: { address: ":80", pool: "free" } };
    const pools = {
      app: {
        limits: { maxInFlight: "auto" },
        backends: [
          { ...backend, maxInFlight: "auto" },
          { address: ":2", maxInFlight: 3 },
        ],
      },
      free: { limits: { maxInFlight: "auto" }, backends: [":3"] },
    };
    const problems = await problemsOf({ listeners, pools });
    expect(problems.map((problem) => problem.split(" ")[0] ?? "")).toEqual([
      "pools.app.limits.maxInFlight",
      "pools.app.backends[0].maxInFlight",
    ]);
    for (const problem of problems)
      expect(problem).toContain('the tcp listener "db" leads here → Write a whole number.');
  });

  test("with the place in the file", async () => {
    const text =
      "listeners: { web: { address: ':80', pool: app } }\npools:\n  app:\n    backends: [':1']\n    limits:\n      maxQueue: 5\n";
    const parsed = readYaml(text);
    if ("faults" in parsed) throw new Error("faults");
    const origin = { file: "weir.yaml", tree: async () => parsed.tree };
    const loaded = await planFromConfig(parsed.value, origin, { resolve: false });
    const problems = "problems" in loaded ? loaded.problems.map((problem) => formatProblem(problem)) : [];
    expect(problems).toEqual([expect.stringContaining("weir.yaml:6:17 pools.app.limits.maxQueue  CONFIG_BAD_VALUE")]);
  });
});
