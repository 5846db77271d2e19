import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ERRORS } from "../../errors.ts";
import { planFromConfig } from "./read.ts";
import type { Config } from "../schema/schema.ts";

async function problemsOf(config: unknown): Promise<string[]> {
  const read = await planFromConfig(config, { file: null }, { resolve: false });
  return "problems" in read ? read.problems.map(({ key, code }) => `${key} ${code}`) : [];
}

const pools = { app: { backends: [":8001"] } };

test("everything that is wrong comes at once", async () => {
  const config = {
    listeners: {
      web: { address: ":99999", mode: "htp", routes: [{ path: "x", pool: "no" }], timeouts: { head: "x" } },
      two: { adress: ":1", pool: "app" },
    },
    pools: {
      app: { policy: "x", backends: [":0", ":1", ":1,weight=-1", { address: ":1", weight: 0.5 }] },
      none: { backends: [] },
    },
    workers: 0,
  };
  expect((await problemsOf(config)).sort()).toEqual([
    "listeners.two.adress CONFIG_UNKNOWN_KEY",
    "listeners.web.address CONFIG_BAD_ADDRESS",
    "listeners.web.mode CONFIG_BAD_VALUE",
    "listeners.web.routes[0].path CONFIG_DEAD_ROUTE",
    "listeners.web.routes[0].pool CONFIG_UNKNOWN_POOL",
    "listeners.web.timeouts.head CONFIG_BAD_VALUE",
    "pools.app.backends[0] CONFIG_BAD_ADDRESS",
    "pools.app.backends[2] CONFIG_BAD_WEIGHT",
    "pools.app.backends[3].address CONFIG_DUPLICATE_BACKEND",
    "pools.app.backends[3].weight CONFIG_BAD_WEIGHT",
    "pools.app.policy CONFIG_BAD_VALUE",
    "pools.none.backends CONFIG_EMPTY_POOL",
    "workers CONFIG_BAD_VALUE",
  ]);
});

describe("two listeners on one address", () => {
  test.each([
    [":8080", "0.0.0.0:8080"],
    [":8080", "[::]:8080"],
    ["0.0.0.0:8080", "[::]:8080"],
    [":8080", "127.0.0.1:8080"],
    ["[::]:8080", "10.0.0.1:8080"],
    ["0.0.0.0:8080", "[::1]:8080"],
    ["127.0.0.1:8080", "localhost:8080"],
    ["[::1]:8080", "[0:0::1]:8080"],
    ["unix:/a", "unix:///a"],
  ])("%s and %s clash", async (a, b) => {
    const listeners = { one: { address: a, pool: "app" }, two: { address: b, pool: "app" } };
    expect(await problemsOf({ listeners, pools })).toEqual(["listeners.two.address CONFIG_DUPLICATE_LISTENER"]);
  });

  test.each([
    [":0", ":0"],
    [":8080", ":8081"],
    ["127.0.0.1:8080", "127.0.0.2:8080"],
    ["127.0.0.1:8080", "[::1]:8080"],
    ["unix:/a", "unix:/b"],
    ["unix:/a", ":8080"],
  ])("%s and %s do not", async (a, b) => {
    const listeners = { one: { address: a, pool: "app" }, two: { address: b, pool: "app" } };
    expect(await problemsOf({ listeners, pools })).toEqual([]);
  });

  test("the admin API has an address too, unless it is off", async () => {
    const listeners = { one: { address: ":9900", pool: "app" } };
    expect(await problemsOf({ listeners, pools })).toEqual(["listeners.one.address CONFIG_DUPLICATE_LISTENER"]);
    expect(await problemsOf({ listeners, pools, admin: "[::1]:9900" })).toEqual(["admin CONFIG_DUPLICATE_LISTENER"]);
    expect(await problemsOf({ listeners, pools, admin: { address: ":9900" } })).toEqual([
      "admin.address CONFIG_DUPLICATE_LISTENER",
      "admin.address ADMIN_NEEDS_TOKEN",
    ]);
    expect(await problemsOf({ listeners, pools, admin: "off" })).toEqual([]);
    expect(await problemsOf({ listeners, pools, admin: "127.0.0.1:9901" })).toEqual([]);
  });
});

test("a tcp listener may have one route without a match, and a pool that also serves http may have http keys", async () => {
  const config: Config = {
    listeners: {
      db: {
        address: ":1",
        mode: "tcp",
        routes: [{ pool: "app", retry: { attempts: 2 } }],
        timeouts: { connect: "1s", idle: "2h" },
      },
    },
    pools: { app: { backends: [":2"], timeouts: { keepAlive: "1s" } } },
    timeouts: { head: "5s" },
  };
  const web = { address: ":3", pool: "app" };
  expect(await problemsOf({ ...config, listeners: { ...config.listeners, web } })).toEqual([]);
  expect(await problemsOf(config)).toEqual(["pools.app.timeouts.keepAlive CONFIG_UNKNOWN_KEY"]);
});

test("a pool that no route uses, and one whose weights are all 0, are no problem", async () => {
  const config: Config = {
    listeners: { a: { address: ":1", pool: "app" } },
    pools: { app: { backends: [":2,weight=0"] }, spare: { backends: [":3"] } },
  };
  expect(await problemsOf(config)).toEqual([]);
});

test("names of objects' own machinery are names like any other", async () => {
  const listeners = { constructor: { address: ":1", pool: "toString" } };
  expect(await problemsOf({ listeners, pools })).toEqual(["listeners.constructor.pool CONFIG_UNKNOWN_POOL"]);
  expect(await problemsOf({ listeners, pools: { toString: { backends: [":2"] } } })).toEqual([]);
  const hidden = JSON.parse('{ "__proto__": { "address": ":1", "pool": "app" } }') as unknown;
  expect(await problemsOf({ listeners: hidden, pools })).toContain("listeners.__proto__ CONFIG_BAD_VALUE");
});

test.each([null, undefined, 1, "x", [], true, () => 1])("%p is no configuration", async (value) => {
  expect(await problemsOf(value)).toEqual([" CONFIG_BAD_VALUE"]);
});

test("whatever is given, a plan or problems with known codes come of it", async () => {
  const name = fc.constantFrom("app", "web", "a b", "", "__proto__", "toString");
  const address = fc.constantFrom(":1", ":0", "a:b", "unix:/a", "127.0.0.1:1", "");
  const part = fc.oneof(address, fc.anything(), fc.constantFrom("http", "tcp", "5s", "1KiB", "random"));
  const route = fc.dictionary(fc.constantFrom("host", "path", "pool", "timeouts", "limits", "x"), fc.oneof(part, name));
  const listener = fc.record(
    {
      address: part,
      pool: fc.oneof(name, part),
      routes: fc.oneof(fc.array(fc.oneof(route, part)), part),
      mode: part,
      via: part,
      timeouts: part,
      limits: part,
    },
    { requiredKeys: [] },
  );
  const backend = fc.oneof(
    part,
    fc.record({ address: part, weight: part, maxConnections: part }, { requiredKeys: [] }),
  );
  const pool = fc.record({ policy: part, backends: fc.oneof(fc.array(backend), part) }, { requiredKeys: [] });
  const config = fc.oneof(
    fc.anything(),
    fc.record(
      {
        listeners: fc.oneof(fc.dictionary(name, fc.oneof(listener, part)), part),
        pools: fc.oneof(fc.dictionary(name, fc.oneof(pool, part)), part),
        workers: part,
        admin: part,
        trustedProxies: fc.oneof(fc.array(part), part),
      },
      { requiredKeys: [] },
    ),
  );
  await fc.assert(
    fc.asyncProperty(config, async (given) => {
      const read = await planFromConfig(given, { file: null }, { resolve: false });
      if ("plan" in read) {
        for (const { routes } of read.plan.listeners) expect(routes.length).toBeGreaterThan(0);
        for (const { backends } of read.plan.pools) expect(backends.length).toBeGreaterThan(0);
        return;
      }
      expect(read.problems.length).toBeGreaterThan(0);
      for (const { code, message, mend } of read.problems) {
        expect(Object.keys(ERRORS)).toContain(code);
        expect(message.length * mend.length).toBeGreaterThan(0);
        expect(message).not.toContain("Invalid input"); // the schema library's own words
      }
    }),
    { numRuns: 1000 },
  );
});

test("a name that does not resolve is a problem at its place", async () => {
  const config: Config = {
    listeners: { web: { address: "here.test:80", pool: "app" } },
    pools: { app: { backends: [":1", "gone.test:80", { address: "here.test:81" }, { address: "gone.test:81" }] } },
  };
  const asked: string[] = [];
  const resolve = (name: string): Promise<void> => {
    asked.push(name);
    return name === "gone.test"
      ? Promise.reject(Object.assign(new Error("x"), { code: "ENOTFOUND" }))
      : Promise.resolve();
  };
  const read = await planFromConfig(config, { file: "f.yaml" }, { resolve });
  expect("problems" in read ? read.problems : []).toEqual(
    ["pools.app.backends[1]", "pools.app.backends[3].address"].map((key) => ({
      code: "CONFIG_NAME_UNRESOLVED",
      file: "f.yaml",
      line: null,
      column: null,
      key,
      message: 'the name "gone.test" does not resolve: there is no such name',
      mend: "Correct the name or the resolver.",
    })),
  );
  expect(asked.sort()).toEqual(["gone.test", "here.test"]);
});

test("names that do not resolve are told with everything else that is wrong", async () => {
  const config = {
    listeners: { web: { address: ":1", pool: "app" } },
    pools: { app: { backends: ["good.test:1", "bad.test:2,weight=3", { address: "bad.test:4", weight: -1 }] } },
  };
  const resolve = (name: string): Promise<unknown> =>
    name === "good.test" ? Promise.resolve("127.0.0.1") : Promise.reject(new Error("no"));
  const read = await planFromConfig(config, { file: null }, { resolve });
  expect("problems" in read ? read.problems.map(({ key, code }) => `${key} ${code}`) : []).toEqual([
    "pools.app.backends[2].weight CONFIG_BAD_WEIGHT",
    "pools.app.backends[1] CONFIG_NAME_UNRESOLVED",
    "pools.app.backends[2].address CONFIG_NAME_UNRESOLVED",
  ]);
});

test("a path is compared as requests' paths are, and so one that is written otherwise never matches", async () => {
  const routed = (path: string): unknown => ({
    listeners: { web: { address: ":1", routes: [{ path, pool: "app" }] } },
    pools: { app: { backends: [":2"] } },
  });
  for (const path of ["/v1/./x", "/v2/../q", "/p/%61", "/p/%61/*", "/a/../*"])
    expect(await problemsOf(routed(path) as Config)).toEqual(["listeners.web.routes[0].path CONFIG_DEAD_ROUTE"]);
  for (const path of ["/", "/*", "/v1/*", "/p/%2F", "/a.b/*"])
    expect(await problemsOf(routed(path) as Config)).toEqual([]);
});

test("how long a head may take cannot depend on where the request goes", async () => {
  const config = {
    listeners: { web: { address: ":1", routes: [{ pool: "app", timeouts: { head: "1s" } }] } },
    pools: { app: { backends: [":2"], timeouts: { head: "1s" } } },
  };
  expect(await problemsOf(config as Config)).toEqual([
    "listeners.web.routes[0].timeouts.head CONFIG_UNKNOWN_KEY",
    "pools.app.timeouts.head CONFIG_UNKNOWN_KEY",
  ]);
});
