import { describe, expect, test } from "bun:test";
import { planFromConfig } from "../files/read.ts";
import { summary } from "../summary.ts";

const SECRET = "a secret that nobody is to see";

async function read(config: object): ReturnType<typeof planFromConfig> {
  return planFromConfig(config, { file: null }, { resolve: false });
}

const withAffinity = (affinity: unknown, more: object = {}): object => ({
  listeners: { web: { address: ":8080", pool: "app" } },
  pools: { app: { backends: [":8001"], affinity } },
  ...more,
});

async function planned(config: object): Promise<Extract<Awaited<ReturnType<typeof read>>, { plan: unknown }>["plan"]> {
  const loaded = await read(config);
  if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
  return loaded.plan;
}

async function problems(config: object): Promise<string[]> {
  const loaded = await read(config);
  return "problems" in loaded
    ? loaded.problems.map(({ code, key, message, mend }) => `${code} ${key}: ${message} → ${mend}`)
    : [];
}

describe("what is given is read", () => {
  const defaults = { cookie: "weir", ttlSeconds: null, path: "/", secret: null };

  test("true is the defaults, false and nothing are none", async () => {
    const [pool] = (await planned(withAffinity(true))).pools;
    expect(pool?.affinity).toEqual(defaults);
    expect(pool?.health.pinnedMs).toBe(3_600_000);
    expect((await planned(withAffinity({}))).pools[0]?.affinity).toEqual(defaults);
    for (const none of [false, undefined]) {
      const [without] = (await planned(withAffinity(none))).pools;
      expect([without?.affinity, without?.health.pinnedMs]).toEqual([null, 0]);
    }
  });

  test("every key", async () => {
    const affinity = { cookie: "sid", ttl: "1.5h", secret: SECRET, path: "/shop", drainTimeout: 0 };
    const plan = await planned(withAffinity(affinity, { stateFolder: "/var/lib/weir" }));
    expect(plan.pools[0]?.affinity).toEqual({ cookie: "sid", ttlSeconds: 5400, path: "/shop", secret: SECRET });
    expect(plan.pools[0]?.health.pinnedMs).toBe(0);
    expect(plan.stateFolder).toBe("/var/lib/weir");
    expect(summary(plan)).toContain("round-robin, affinity by the cookie sid for 90m");
    expect(summary(plan)).not.toContain(SECRET);
  });
});

describe("what is wrong is told with its place and its mend", () => {
  test("values", async () => {
    const cases: readonly (readonly [object, string])[] = [
      [{ cookie: "a b" }, 'cookie: "a b" is no name of a cookie → Use 1 to 64 letters'],
      [{ cookie: "" }, 'cookie: "" is no name of a cookie → '],
      [{ cookie: "a=b" }, "cookie: "],
      [{ cookie: "__Host-weir" }, 'cookie: browsers take "__Host-weir" over TLS only → Use a name such as "weir".'],
      [{ path: "shop" }, 'path: "shop" is no path of a cookie → '],
      [{ path: "/a;b" }, "path: "],
      [{ path: "/a\r\nX: 1" }, "path: "],
      [{ ttl: "999ms" }, 'ttl: "999ms" is too short, a cookie lives whole seconds → Use at least 1s.'],
      [{ ttl: "soon" }, 'ttl: "soon" is no duration'],
      [{ drainTimeout: "later" }, 'drainTimeout: "later" is no duration'],
    ];
    for (const [affinity, text] of cases) {
      const [only, ...more] = await problems(withAffinity(affinity));
      expect(only).toStartWith(`CONFIG_BAD_VALUE pools.app.affinity.${text}`);
      expect(more).toEqual([]);
    }
    expect(await problems(withAffinity("weir"))).toEqual([
      'CONFIG_BAD_VALUE pools.app.affinity: it must be true, false or a section with keys, not "weir" → Write true, false or a section with keys.',
    ]);
    expect(await problems(withAffinity({ cooky: "a" }))).toEqual([
      'CONFIG_UNKNOWN_KEY pools.app.affinity.cooky: there is no key "cooky" here; did you mean "cookie"? → Write cookie.',
    ]);
    expect(await problems(withAffinity(true, { stateFolder: "state" }))).toEqual([
      'CONFIG_BAD_VALUE stateFolder: "state" is no absolute path → Use a path such as "/var/lib/weir".',
    ]);
  });

  test("a secret, which no message shows", async () => {
    for (const secret of ["too short", 1234567890123456, true, [SECRET]]) {
      const [only, ...more] = await problems(withAffinity({ secret }));
      expect(only).toStartWith("CONFIG_BAD_VALUE pools.app.affinity.secret: ");
      expect(only).toMatch(/at least 16\b/);
      expect(only).not.toContain(String(secret));
      expect(more).toEqual([]);
    }
  });

  test("a tcp listener that leads there", async () => {
    const listeners = { db: { address: ":5432", mode: "tcp", pool: "app" }, web: { address: ":80", pool: "app" } };
    expect(await problems(withAffinity(true, { listeners }))).toEqual([
      'CONFIG_BAD_VALUE pools.app.affinity: a tcp listener has no cookies, and the listener "db" leads here → Remove it, or give that listener a pool of its own.',
    ]);
    expect(await problems(withAffinity(false, { listeners }))).toEqual([]);
  });

  test("two pools of one host whose cookies overwrite each other", async () => {
    const backends = [":8001"];
    const both = (api: unknown, hosts: readonly [string?, string?] = []): object => ({
      listeners: {
        web: {
          address: ":80",
          routes: [
            { ...(hosts[0] === undefined ? {} : { host: hosts[0] }), path: "/api/*", pool: "api" },
            { ...(hosts[1] === undefined ? {} : { host: hosts[1] }), pool: "app" },
          ],
        },
      },
      pools: { api: { backends, affinity: api }, app: { backends, affinity: true } },
    });
    expect(await problems(both(true))).toEqual([
      'CONFIG_BAD_VALUE pools.app.affinity: the pool "api" has a cookie of the same name, and the listener "web" leads to both → Name another cookie, such as "weir-app".',
    ]);
    expect(await problems(both({ cookie: "weir-api" }))).toEqual([]);
    expect(await problems(both(false))).toEqual([]);
    expect(await problems(both(true, ["api.example.com", "example.com"]))).toEqual([]);
  });
});
