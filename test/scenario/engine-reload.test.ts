import { describe, expect, test } from "bun:test";
import type { BackendPlan, Plan } from "../../src/plan.ts";
import { parseAddress } from "../../src/address.ts";
import { planOf, until } from "../fixtures/cluster.ts";
import { changing, type Changing, Timers } from "../fixtures/changing.ts";
import { backend, type Backend, Client, get, ok, post } from "../fixtures/http.ts";
import { connectRaw } from "../fixtures/raw.ts";

/** A backend that says its name. */
const named = (name: string): Backend => backend(() => ok(name));

async function clientOf(lb: Changing): Promise<Client> {
  return new Client(await connectRaw(lb.port));
}

/** Backends of a pool, as `planOf` makes them; those that stay are the same objects. */
function backendsOf(servers: readonly Backend[], known: Plan): readonly BackendPlan[] {
  const all = planOf({ backends: servers.map(({ port }) => port) }).pools[0]!.backends;
  return all.map((each) => known.pools[0]!.backends.find(({ id }) => id === each.id) ?? each);
}

describe("a keep-alive client", () => {
  test("goes by new routes at its next request", async () => {
    await using one = named("one");
    await using two = named("two");
    await using lb = changing({ backends: [one.port, two.port], routes: [{ path: "/a", backend: 0 }] });
    await using user = await clientOf(lb);
    expect((await user.ask(get("/a"))).body).toBe("one");
    expect((await user.ask(get("/b"))).status).toBe(404);
    const [web] = lb.plan.listeners;
    const [route] = web!.routes;
    await lb.change(lb.withListener({ ...web!, routes: [route!, { ...route!, path: "/b", pool: "only-1" }] }));
    expect((await user.ask(get("/a"))).body).toBe("one");
    expect((await user.ask(get("/b"))).body).toBe("two");
    await lb.change(lb.withListener({ ...web!, routes: [{ ...route!, pool: "only-1" }] }));
    expect((await user.ask(get("/a"))).body).toBe("two");
    expect((await user.ask(get("/b"))).status).toBe(404);
    expect(lb.engine.connections().clients).toBe(1);
  });

  test("goes by new limits and by `via` at its next request", async () => {
    await using one = named("one");
    await using lb = changing({ backends: [one.port] });
    await using user = await clientOf(lb);
    expect((await user.ask(get())).field("via")).toBeNull();
    const [web] = lb.plan.listeners;
    const limits = { ...web!.limits, targetBytes: 10 };
    const routes = web!.routes.map((route) => ({ ...route, limits }));
    await lb.change(lb.withListener({ ...web!, via: true, limits, routes }));
    expect((await user.ask(get())).field("via")).not.toBeNull();
    expect((await user.ask(get("/a-long-target"))).status).toBe(414);
  });

  test("keeps its backends' connections, counts and turns through a change of policy", async () => {
    await using one = named("one");
    await using two = named("two");
    await using lb = changing({ backends: [one.port, two.port] });
    await using user = await clientOf(lb);
    for (let i = 0; i < 6; i++) await user.ask(get());
    const [pool] = lb.plan.pools;
    for (const name of ["least-time", "random", "least-connections", "round-robin"])
      for (let i = 0; i < 10; i++) {
        await lb.change(lb.withPool({ ...lb.plan.pools[0]!, policy: { ...pool!.policy, name } }));
        expect((await user.ask(get())).status).toBe(200);
      }
    expect(one.server.connections.length + two.server.connections.length).toBe(2);
    expect(lb.backend(0, "requests") + lb.backend(1, "requests")).toBe(46);
    expect(lb.inFlight()).toBe(0);
  });
});

describe("a backend", () => {
  test("that is added gets its share", async () => {
    await using one = named("one");
    await using two = named("two");
    await using lb = changing({ backends: [one.port], health: { slowStartMs: 0 } });
    await using user = await clientOf(lb);
    await user.ask(get());
    await lb.change(lb.withPool({ ...lb.plan.pools[0]!, backends: backendsOf([one, two], lb.plan) }));
    for (let i = 0; i < 10; i++) await user.ask(get());
    expect(two.requests.length).toBe(5);
  });

  test("that is removed finishes what it has, and its idle connections are closed", async () => {
    await using one = backend(({ start }) => (start.includes("/idle") ? ok("one") : undefined));
    await using two = named("two");
    await using lb = changing({ backends: [one.port, two.port], policy: "first" });
    await using user = await clientOf(lb);
    await using other = await clientOf(lb);
    user.send(get("/slow"));
    const slow = await one.request(0);
    expect((await other.ask(get("/idle"))).body).toBe("one");
    expect(lb.engine.connections().backends).toBe(2);
    await lb.change(lb.withPool({ ...lb.plan.pools[0]!, backends: backendsOf([two], lb.plan) }));
    await one.server.connections[1]!.until(({ ended, closed }) => ended || closed);
    expect((await other.ask(get("/idle"))).body).toBe("two");
    slow.connection.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nslow");
    slow.connection.send("ness");
    expect((await user.response()).body).toBe("slowness");
    // No other request finds its connection.
    await slow.connection.until(({ ended, closed }) => ended || closed);
    expect((await user.ask(get("/idle"))).body).toBe("two");
  });

  test("that is removed gets no work from what began before", async () => {
    await using one = backend(({ connection }) => connection.reset());
    await using two = named("two");
    await using three = backend(() => undefined);
    const options = { backends: [three.port, one.port, two.port], policy: "first" } as const;
    await using lb = changing(options);
    await using user = await clientOf(lb);
    user.send(get());
    const asked = await three.request(0);
    await lb.change(lb.withPool({ ...lb.plan.pools[0]!, backends: backendsOf([three, two], lb.plan) }));
    asked.connection.reset();
    expect((await user.response()).body).toBe("two");
    expect(one.requests.length).toBe(0);
  });

  test("that is removed is given up at the end of `drain.requests`; what may be asked elsewhere is", async () => {
    const timers = new Timers();
    await using one = backend(() => undefined);
    await using two = named("two");
    await using lb = changing({ backends: [one.port, two.port], policy: "first" }, timers.network);
    await using idempotent = await clientOf(lb);
    await using once = await clientOf(lb);
    await using reading = await clientOf(lb);
    idempotent.send(get());
    await one.request(0);
    once.send(post("x"));
    await one.request(1);
    reading.send(get());
    (await one.request(2)).connection.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
    await reading.raw.untilText("half");
    await lb.change(lb.withPool({ ...lb.plan.pools[0]!, backends: backendsOf([two], lb.plan) }));
    expect(timers.set).toEqual([30_000, 3_600_000]);
    timers.over(30_000);
    expect((await idempotent.response()).body).toBe("two");
    const answer = await once.response();
    expect([answer.status, answer.field("proxy-status")?.includes("connection_terminated")]).toEqual([502, true]);
    await reading.raw.until(({ ended, closed }) => ended || closed);
    expect(timers.set).toEqual([]);
    await until(() => lb.engine.connections().backends <= 1);
  });

  test("that is back before its time is over finishes what it had", async () => {
    const timers = new Timers();
    await using one = backend(() => undefined);
    await using two = named("two");
    await using lb = changing({ backends: [one.port, two.port], policy: "first" }, timers.network);
    await using user = await clientOf(lb);
    const first = lb.plan;
    user.send(get());
    const asked = await one.request(0);
    await lb.change(lb.withPool({ ...first.pools[0]!, backends: backendsOf([two], first) }));
    await lb.change(first);
    timers.over(30_000);
    asked.connection.send(ok("late"));
    expect((await user.response()).body).toBe("late");
    user.send(get());
    // Over the same connection, which is kept again.
    expect((await one.request(1)).on).toBe(0);
    (await one.request(1)).connection.send(ok("again"));
    expect((await user.response()).body).toBe("again");
  });
});

describe("what cannot be", () => {
  test("a plan that cannot be prepared changes nothing", async () => {
    await using one = named("one");
    await using lb = changing({ backends: [one.port] });
    await using user = await clientOf(lb);
    await user.ask(get());
    const [pool] = lb.plan.pools;
    const rows = lb.placements.rowsUsed;
    const affinity = { cookie: "weir", ttlSeconds: null, path: "/", secret: null };
    const error: unknown = await lb.prepare(lb.withPool({ ...pool!, affinity })).catch((each: unknown) => each);
    expect(String(error)).toContain("no secret");
    expect((await user.ask(get())).body).toBe("one");
    expect([lb.placements.rowsUsed, one.server.connections.length]).toEqual([rows, 1]);
  });

  test("one that is abandoned leaves nothing behind", async () => {
    await using one = named("one");
    await using two = named("two");
    await using lb = changing({ backends: [one.port] });
    await using user = await clientOf(lb);
    const [pool] = lb.plan.pools;
    const [web] = lb.plan.listeners;
    const next = {
      ...lb.withPool({ ...pool!, backends: backendsOf([two], lb.plan) }),
      listeners: [web!, { ...web!, name: "second", address: parseAddress("127.0.0.1:0") }],
    };
    const { prepared } = await lb.prepare(next);
    prepared.abandon();
    lb.placements.abandon();
    for (let i = 0; i < 3; i++) expect((await user.ask(get())).body).toBe("one");
    expect(two.server.connections.length).toBe(0);
    // Its rows are given to who comes next.
    const used = lb.placements.rowsUsed;
    await lb.change(next);
    expect(lb.placements.rowsUsed).toBe(used);
    expect((await user.ask(get())).body).toBe("two");
  });

  test("where a new listener cannot begin, all is as it was", async () => {
    await using one = named("one");
    await using two = named("two");
    await using lb = changing({ backends: [one.port] });
    await using user = await clientOf(lb);
    const [pool] = lb.plan.pools;
    const [web] = lb.plan.listeners;
    const taken = { ...web!, name: "second", address: parseAddress(`127.0.0.1:${two.port}`) };
    const free = { ...web!, name: "third", address: parseAddress("127.0.0.1:0") };
    const next = { ...lb.withPool({ ...pool!, backends: backendsOf([two], lb.plan) }), listeners: [web!, free, taken] };
    const { prepared } = await lb.prepare(next);
    expect(() => prepared.commit(() => "own")).toThrow(/LISTEN|taken|listen/);
    lb.placements.abandon();
    expect((await user.ask(get())).body).toBe("one");
  });
});
