import { expect, test } from "bun:test";
import { planFromConfig } from "./files/read.ts";
import { diff } from "./diff.ts";
import type { Plan } from "../plan.ts";

async function plan(config: object): Promise<Plan> {
  const loaded = await planFromConfig({ workers: 1, ...config }, { file: null }, { resolve: false });
  if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
  return loaded.plan;
}

const app = { backends: ["127.0.0.1:8001", "127.0.0.1:8002"] };
const web = { address: "127.0.0.1:8080", pool: "app" };

async function changed(before: object, after: object): Promise<string[]> {
  return diff(await plan(before), await plan(after)).map(
    ({ kind, what, name, detail }) => `${kind} ${what} ${name}${detail === "" ? "" : `: ${detail}`}`,
  );
}

test("the same configuration differs in nothing", async () => {
  const config = { listeners: { web }, pools: { app } };
  expect(await changed(config, structuredClone(config))).toEqual([]);
  const same = await plan(config);
  expect(diff(same, same)).toEqual([]);
});

test("tells what came, what changed and what went, with its values", async () => {
  expect(
    await changed(
      { listeners: { web, old: { address: ":1", pool: "app" } }, pools: { app, other: app } },
      {
        listeners: { web: { ...web, address: "127.0.0.1:8081" }, new: { address: ":2", pool: "more", mode: "tcp" } },
        pools: {
          app: { policy: "two-choices", backends: ["127.0.0.1:8002,weight=3", "127.0.0.1:8003"] },
          more: { backends: [":9"] },
        },
        shutdown: { timeout: "5s" },
        zone: "a",
      },
    ),
  ).toEqual([
    "changed listener web: address 127.0.0.1:8080 → 127.0.0.1:8081",
    "added listener new: :2, tcp, 1 route",
    "removed listener old",
    "changed pool app: policy.name",
    "changed backend app/127.0.0.1:8002: weight 1 → 3",
    "added backend app/127.0.0.1:8003: weight 1",
    "removed backend app/127.0.0.1:8001",
    "added pool more: round-robin, 1 backend",
    "removed pool other",
    "changed setting zone: none → a",
    "changed setting shutdownMs: 30000 → 5000",
  ]);
});

test("a change of the order of backends is told where nothing else explains it", async () => {
  const pool = (...backends: string[]): object => ({
    listeners: { web },
    pools: { app: { policy: "first", backends } },
  });
  const [one, two, three] = app.backends.concat("127.0.0.1:8003") as [string, string, string];
  const order = "changed pool app: order of its backends";
  expect(await changed(pool(one, two), pool(two, one))).toEqual([order]);
  expect(await changed(pool(one, two), pool(two, `${one},weight=3`))).toEqual([
    `changed backend app/${one}: weight 1 → 3`,
    order,
  ]);
  expect(await changed(pool(one, two), pool(three, one, two))).toEqual([`added backend app/${three}: weight 1`]);
});

test("routes are known by what they match; a change of their order is told where nothing else explains it", async () => {
  const routes = [
    { host: "a.example", pool: "app" },
    { host: "b.example", path: "/x/*", pool: "app" },
  ];
  const before = { listeners: { web: { address: ":1", routes } }, pools: { app, more: app } };
  const after = (list: object[]): object => ({ ...before, listeners: { web: { address: ":1", routes: list } } });
  expect(await changed(before, after(routes.toReversed()))).toEqual(["changed listener web: order of its routes"]);
  expect(
    await changed(
      before,
      after([
        { host: "a.example", pool: "more" },
        { host: "c.example", pool: "app" },
      ]),
    ),
  ).toEqual([
    "changed route web: a.example: pool app → more",
    "added route web: c.example: to app",
    "removed route web: b.example/x/*",
  ]);
});

test("a secret is never told", async () => {
  const pool = (secret: string): object => ({ ...app, affinity: { secret } });
  const told = await changed(
    { listeners: { web }, pools: { app: pool("the first secret of all") } },
    { listeners: { web }, pools: { app: pool("the second secret of all") } },
  );
  expect(told).toEqual(["changed pool app: affinity.secret"]);
});
