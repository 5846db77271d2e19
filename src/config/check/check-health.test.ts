import { describe, expect, test } from "bun:test";
import { DEFAULT_HEALTH, DEFAULT_HTTP_PROBE, DEFAULT_PASSIVE, DEFAULT_TCP_PROBE } from "../../health-plan.ts";
import type { PoolPlan } from "../../plan.ts";
import { planFromConfig } from "../files/read.ts";
import { summary } from "../summary.ts";

const listeners = { web: { address: ":8080", pool: "app" } };

async function read(pool: object): ReturnType<typeof planFromConfig> {
  return planFromConfig(
    { listeners, pools: { app: { backends: [":1"], ...pool } } },
    { file: null },
    { resolve: false },
  );
}

async function poolOf(pool: object): Promise<PoolPlan> {
  const loaded = await read(pool);
  if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
  return loaded.plan.pools[0]!;
}

async function problemsOf(pool: object): Promise<string[]> {
  const loaded = await read(pool);
  return "problems" in loaded ? loaded.problems.map(({ key, code, message }) => `${key} ${code} ${message}`) : [];
}

describe("what is given is read", () => {
  test("the short forms", async () => {
    expect((await poolOf({ health: "off" })).health).toEqual(DEFAULT_HEALTH);
    expect((await poolOf({ health: "tcp" })).health).toEqual({ ...DEFAULT_HEALTH, probe: DEFAULT_TCP_PROBE });
    const http = { ...DEFAULT_HTTP_PROBE, path: "/up?deep=1" };
    expect((await poolOf({ health: "/up?deep=1" })).health).toEqual({ ...DEFAULT_HEALTH, probe: http });
    expect((await poolOf({ health: { probe: "/up?deep=1" } })).health.probe).toEqual(http);
    expect((await poolOf({ health: { probe: "off", passive: "off", panicBelow: 0 }, slowStart: "5s" })).health).toEqual(
      {
        probe: null,
        passive: null,
        panicBelow: 0,
        slowStartMs: 5000,
        pinnedMs: 0,
      },
    );
  });

  test("a probe with everything", async () => {
    const probe = {
      type: "http",
      path: "/h",
      method: "HEAD",
      host: "app.example.com",
      headers: { "X-Token": "a b" },
      status: "200-204, 301",
      body: "/^ok$/i",
      port: 9000,
      interval: "500ms",
      timeout: "400ms",
      rise: 1,
      fall: 5,
      start: "down",
    };
    expect((await poolOf({ health: { probe } })).health.probe).toEqual({
      type: "http",
      path: "/h",
      method: "HEAD",
      host: "app.example.com",
      headers: [["X-Token", "a b"]],
      status: [
        [200, 204],
        [301, 301],
      ],
      body: { kind: "pattern", source: "^ok$", flags: "i" },
      port: 9000,
      intervalMs: 500,
      changingMs: 500,
      timeoutMs: 400,
      rise: 1,
      fall: 5,
      start: "down",
    });
  });

  test("a body may be a regular expression itself, where a program writes the configuration", async () => {
    const bodies: readonly (string | RegExp)[] = [/^o\/k$/i, "/^o\\/k$/i"];
    for (const body of bodies)
      expect((await poolOf({ health: { probe: { body } } })).health.probe).toMatchObject({
        body: { kind: "pattern", source: String.raw`^o\/k$`, flags: "i" },
      });
  });

  test("a short interval makes the timeout that is not set as short", async () => {
    expect((await poolOf({ health: { probe: { type: "tcp", interval: "1s" } } })).health.probe).toMatchObject({
      intervalMs: 1000,
      timeoutMs: 1000,
    });
  });

  test("passive health", async () => {
    const passive = { failures: "off", statuses: 503, successRate: { deviations: 3 }, eject: "10m", maxEjected: 0.2 };
    expect((await poolOf({ health: { passive } })).health.passive).toEqual({
      failures: null,
      statuses: [[503, 503]],
      successRate: { ...DEFAULT_PASSIVE.successRate!, deviations: 3 },
      ejectMs: 600_000,
      maxEjectMs: 600_000,
      maxEjected: 0.2,
    });
    expect((await poolOf({ health: { passive: { successRate: "off" } } })).health.passive?.successRate).toBeNull();
  });

  test("backends and the place of Weir", async () => {
    const backends = [{ address: ":1", state: "drain", tier: 1, zone: "eu-1" }, ":2"];
    const loaded = await planFromConfig(
      { listeners, pools: { app: { backends, health: "/up" } }, zone: "eu-1" },
      { file: null },
    );
    if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
    expect(loaded.plan.zone).toBe("eu-1");
    expect(loaded.plan.pools[0]?.backends).toMatchObject([
      { state: "drain", tier: 1, zone: "eu-1" },
      { state: "ready", tier: 0, zone: null },
    ]);
    expect(summary(loaded.plan)).toContain(`  app  round-robin, probe GET /up every 5s
    127.0.0.1:1  weight 1, tier 1, zone eu-1, drain
    127.0.0.1:2  weight 1
`);
  });
});

describe("what is wrong is said, with its place", () => {
  const wrong = (name: string, health: unknown, ...problems: string[]): void =>
    test(name, async () => expect(await problemsOf({ health })).toEqual(problems));
  const probe = (of: object): object => ({ probe: of });

  wrong("no form of a probe", "udp", 'pools.app.health CONFIG_BAD_VALUE "udp" is no probe');
  wrong(
    "a line break in a path",
    "/a\r\nX: y",
    'pools.app.health CONFIG_BAD_VALUE "/a\\r\\nX: y" is no path of a request',
  );
  wrong(
    "a space in a path",
    probe({ path: "/a b" }),
    'pools.app.health.probe.path CONFIG_BAD_VALUE "/a b" is no path of a request',
  );
  wrong(
    "a method of two words",
    probe({ method: "GET /" }),
    'pools.app.health.probe.method CONFIG_BAD_VALUE "GET /" is no method of a probe',
  );
  wrong(
    "a line break in a host",
    probe({ host: "a\nb" }),
    'pools.app.health.probe.host CONFIG_BAD_VALUE "a\\nb" is no host',
  );
  wrong(
    "a line break in a field's value",
    probe({ headers: { "X-A": "b\r\nc: d" } }),
    'pools.app.health.probe.headers.X-A CONFIG_BAD_VALUE "b\\r\\nc: d" is no value of a field',
  );
  wrong(
    "names of fields",
    probe({ headers: { "X A": "b", "content-length": "5", "X-B": "1", "x-b": "2" } }),
    'pools.app.health.probe.headers["X A"] CONFIG_BAD_VALUE "X A" is no name of a field',
    "pools.app.health.probe.headers.content-length CONFIG_BAD_VALUE the probe writes content-length itself",
    "pools.app.health.probe.headers.x-b CONFIG_BAD_VALUE it is the same field as X-B",
  );
  wrong(
    "statuses",
    probe({ status: "2xx" }),
    'pools.app.health.probe.status CONFIG_BAD_VALUE "2xx" is no set of statuses',
  );
  wrong(
    "a pattern that does not compile",
    probe({ body: "/(/" }),
    'pools.app.health.probe.body CONFIG_BAD_VALUE "/(/" is no pattern',
  );
  wrong(
    "a body that is neither text nor pattern",
    probe({ body: 5, path: /x/ }),
    'pools.app.health.probe.path CONFIG_BAD_VALUE it must be a path such as "/health", not a regular expression',
    'pools.app.health.probe.body CONFIG_BAD_VALUE it must be a text such as "ok", or a pattern such as "/^ok$/i", not 5',
  );
  wrong(
    "a timeout longer than the interval",
    probe({ interval: "1s", timeout: "2s" }),
    "pools.app.health.probe.timeout CONFIG_BAD_VALUE it is longer than the interval, 1s",
  );
  wrong(
    "no interval",
    probe({ interval: 0 }),
    "pools.app.health.probe.interval CONFIG_BAD_VALUE it must be longer than nothing",
  );
  wrong(
    "a path for tcp",
    probe({ type: "tcp", path: "/" }),
    'pools.app.health.probe.path CONFIG_UNKNOWN_KEY a tcp probe has no "path": it only connects',
  );
  wrong(
    "a mistyped key",
    probe({ intervall: "1s" }),
    'pools.app.health.probe.intervall CONFIG_UNKNOWN_KEY there is no key "intervall" here; did you mean "interval"?',
  );
  wrong(
    "a part that is none",
    { panicBelow: 50 },
    "pools.app.health.panicBelow CONFIG_BAD_VALUE it must be a number from 0 to 1, not 50",
  );
  wrong(
    "ejections that shrink",
    { passive: { eject: "1m", maxEject: "5s" } },
    "pools.app.health.passive.maxEject CONFIG_BAD_VALUE it is shorter than the first ejection, 1m",
  );
  wrong(
    "passive on",
    { passive: "on" },
    'pools.app.health.passive CONFIG_BAD_VALUE it must be "off" or a section, not "on"',
  );

  test("a state and a zone that are none", async () => {
    expect(await problemsOf({ backends: [{ address: ":1", state: "down", zone: "a b", tier: -1 }] })).toEqual([
      'pools.app.backends[0].state CONFIG_BAD_VALUE "down" is no state',
      "pools.app.backends[0].tier CONFIG_BAD_VALUE it must be a whole number from 0 to 99, not -1",
      'pools.app.backends[0].zone CONFIG_BAD_VALUE it must be a name of letters, digits, _, - and ., such as eu-west-1a, not "a b"',
    ]);
  });
});
