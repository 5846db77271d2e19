import { describe, expect, test } from "bun:test";
import { parseAddress } from "../../src/address.ts";
import { bySlices } from "../../src/engine/slices.ts";
import { systemClock } from "../../src/clock.ts";
import { systemNetwork } from "../../src/net/network.ts";
import type { BackendPlan, PoolPlan } from "../../src/plan.ts";
import { planOf, until } from "../fixtures/cluster.ts";
import { changing, Changing, Timers } from "../fixtures/changing.ts";
import { HandClock } from "../fixtures/hand-clock.ts";
import { backend, Client, get, ok } from "../fixtures/http.ts";
import { connectRaw, type RawServer, rawServer } from "../fixtures/raw.ts";

/** Says all again that it has heard. */
const echo = (): RawServer => rawServer({ onData: (connection) => connection.send(connection.text) });

async function clientOf(lb: Changing, listener?: string): Promise<Client> {
  return new Client(await connectRaw(listener === undefined ? lb.port : lb.ports.get(listener)!));
}

function backendOf(port: number, facts: Partial<BackendPlan> = {}): BackendPlan {
  return { ...planOf({ backends: [port] }).pools[0]!.backends[0]!, ...facts };
}

/** A hundred changes to what is beside: a backend, a policy, a route, a listener, and nothing at all. */
async function changeALot(lb: Changing, spare: number): Promise<void> {
  const first = lb.plan;
  const [pool] = first.pools;
  const [web] = first.listeners;
  const other: PoolPlan = { ...pool!, name: "other", backends: [backendOf(spare)] };
  const second = { ...web!, name: "second", address: parseAddress("127.0.0.1:0") };
  const plans = [
    first,
    { ...first, pools: [{ ...pool!, backends: [...pool!.backends, backendOf(spare)] }] },
    { ...first, pools: [{ ...pool!, policy: { ...pool!.policy, name: "least-connections" } }] },
    { ...first, pools: [pool!, other] },
    { ...first, listeners: [web!, second] },
    { ...first, listeners: [{ ...web!, timeouts: { ...web!.timeouts, keepAliveMs: 50_000 } }] },
    { ...first, pools: [{ ...pool!, policy: { ...pool!.policy, name: "least-time" } }] },
    { ...first, pools: [{ ...pool!, limits: { ...pool!.limits, maxConnections: 100 } }] },
    { ...first, connectionsPerAddress: 50, connections: 80 },
    { ...first },
  ];
  for (let i = 0; i < 100; i++) await lb.change(plans[i % plans.length]!);
}

describe("live through 100 changes", () => {
  test("a WebSocket, or whatever follows a 101", async () => {
    await using server = backend(({ connection, start }) => {
      if (start.includes("/ws"))
        connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
      else return ok();
      return undefined;
    });
    await using spare = backend(() => ok());
    await using lb = changing({ backends: [server.port] });
    await using user = await clientOf(lb);
    await using other = await clientOf(lb);
    user.send(get("/ws", "Connection: upgrade\r\nUpgrade: echo\r\n"));
    const { connection } = await server.request(0);
    await user.raw.untilText("101");
    await changeALot(lb, spare.port);
    user.send("up");
    await connection.untilText("up");
    connection.send("down");
    await user.raw.untilText("down");
    expect((await other.ask(get())).status).toBe(200);
    // At its listener, at its backend, and in the sum of its pool, which a policy in between has asked for.
    expect([user.raw.closed, lb.inFlight()]).toEqual([false, 3]);
    user.raw.end();
    connection.end();
  });

  test("a TCP session, and those that come between", async () => {
    await using server = echo();
    await using spare = echo();
    await using lb = changing({ mode: "tcp", backends: [server.port] });
    await using user = await connectRaw(lb.port);
    user.send("first");
    await user.untilText("first");
    await changeALot(lb, spare.port);
    user.send("second");
    await user.untilText("second");
    await using later = await connectRaw(lb.port);
    later.send("later");
    await later.untilText("later");
    expect(server.connections.length).toBe(2);
  });

  test("a download and an upload that are under way", async () => {
    await using server = backend(() => undefined);
    await using spare = backend(() => ok());
    await using lb = changing({ backends: [server.port] });
    await using down = await clientOf(lb);
    await using up = await clientOf(lb);
    down.send(get());
    (await server.request(0)).connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbegin");
    await down.raw.untilText("begin");
    up.send("PUT / HTTP/1.1\r\nHost: weir.example\r\nContent-Length: 10\r\n\r\nbegin");
    await until(() => server.server.connections.length === 2);
    await changeALot(lb, spare.port);
    server.server.connections[0]!.send("-end.");
    expect((await down.response()).body).toBe("begin-end.");
    up.send("-end.");
    const arrived = await server.request(1);
    expect(arrived.body).toBe("begin-end.");
    arrived.connection.send(ok("taken"));
    expect((await up.response()).body).toBe("taken");
  });

  test("a client's place at its backend", async () => {
    const names = ["one", "two", "three"];
    const servers = names.map((name) => backend(() => ok(name)));
    await using lb = changing({ backends: servers.map(({ port }) => port), affinity: {} });
    await using user = await clientOf(lb);
    const first = await user.ask(get());
    const cookie = first.field("set-cookie")!.split(";")[0]!;
    const [pool] = lb.plan.pools;
    const reversed = { ...pool!, backends: [...pool!.backends].reverse() };
    for (const next of [reversed, { ...pool!, policy: { ...pool!.policy, name: "random" } }, pool!]) {
      await lb.change(lb.withPool(next));
      for (let i = 0; i < 5; i++) expect((await user.ask(get("/", `Cookie: ${cookie}\r\n`))).body).toBe(first.body);
    }
    for (const server of servers) await server[Symbol.asyncDispose]();
  });
});

describe("at the end of `drain.tunnels`, of a backend that is removed", () => {
  test("TCP sessions are closed, and others are not", async () => {
    const timers = new Timers();
    await using removed = echo();
    await using stays = echo();
    await using lb = changing({ mode: "tcp", backends: [removed.port, stays.port] }, timers.network);
    await using one = await connectRaw(lb.port);
    await using two = await connectRaw(lb.port);
    one.send("one");
    two.send("two");
    await one.untilText("one");
    await two.untilText("two");
    const [gone, left] = removed.connections[0]!.text === "one" ? [one, two] : [two, one];
    await lb.change(lb.withPool({ ...lb.plan.pools[0]!, backends: [backendOf(stays.port)] }));
    timers.over(30_000);
    gone.send("still");
    await gone.untilText("still");
    timers.over(3_600_000);
    await gone.until(({ ended, closed }) => ended || closed);
    left.send("goes on");
    await left.untilText("goes on");
    await until(() => lb.inFlight() === 2);
    expect(timers.set).toEqual([]);
  });

  test("so is what followed a 101", async () => {
    const timers = new Timers();
    await using removed = backend(({ connection }) =>
      connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"),
    );
    await using stays = backend(() => ok());
    await using lb = changing({ backends: [removed.port, stays.port], policy: "first" }, timers.network);
    await using user = await clientOf(lb);
    user.send(get("/ws", "Connection: upgrade\r\nUpgrade: echo\r\n"));
    await user.raw.untilText("101");
    await lb.change(lb.withPool({ ...lb.plan.pools[0]!, backends: [backendOf(stays.port)] }));
    timers.over(30_000);
    user.send("up");
    await removed.server.connections[0]!.untilText("up");
    timers.over(3_600_000);
    await user.raw.until(({ ended, closed }) => ended || closed);
    await until(() => lb.inFlight() === 0);
  });

  test("nobody is, where the deadlines are off", async () => {
    const timers = new Timers();
    await using removed = echo();
    await using stays = echo();
    await using lb = changing({ mode: "tcp", backends: [removed.port], policy: "first" }, timers.network);
    await using user = await connectRaw(lb.port);
    user.send("first");
    await user.untilText("first");
    const next = lb.withPool({ ...lb.plan.pools[0]!, backends: [backendOf(stays.port)] });
    await lb.change({ ...next, drain: { requestsMs: 0, tunnelsMs: 0 } });
    expect(timers.set).toEqual([]);
    user.send("second");
    await user.untilText("second");
  });
});

test("turns of a policy go on where they were", async () => {
  const servers = ["one", "two", "three"].map((name) => backend(() => ok(name)));
  await using lb = changing({ backends: servers.map(({ port }) => port) });
  await using user = await clientOf(lb);
  const [pool] = lb.plan.pools;
  const order: string[] = [];
  for (let i = 0; i < 9; i++) {
    order.push((await user.ask(get())).body);
    await lb.change(lb.withPool({ ...pool!, retryBudget: { ratio: 0.1, floorPerSecond: i } }));
  }
  expect(order).toEqual([...order.slice(0, 3), ...order.slice(0, 3), ...order.slice(0, 3)]);
  expect(new Set(order).size).toBe(3);
  for (const server of servers) await server[Symbol.asyncDispose]();
});

test("a drain ends by the clock that the engine was given", async () => {
  let ahead = 0;
  const clock = { now: () => performance.now() + ahead };
  await using server = backend(() => undefined);
  await using lb = new Changing(planOf({ backends: [server.port] }), systemNetwork, clock);
  await using user = await clientOf(lb);
  user.send(get());
  await server.request(0);
  const drained = lb.engine.drain(3_600_000);
  ahead = 3_600_001;
  expect(await drained).toBe(1);
  await user.raw.until(({ ended, closed }) => ended || closed);
});

describe("a listener", () => {
  const twoListeners = (lb: Changing): Changing["plan"] => {
    const [web] = lb.plan.listeners;
    return { ...lb.plan, listeners: [web!, { ...web!, name: "second", address: parseAddress("127.0.0.1:0") }] };
  };

  test("that is removed closes its idle clients, finishes the others, and accepts no more", async () => {
    await using server = backend(({ start }) => (start.includes("/slow") ? undefined : ok()));
    await using lb = changing({ backends: [server.port] });
    await using kept = await clientOf(lb);
    await kept.ask(get());
    const first = lb.plan;
    await lb.change(twoListeners(lb), () => null);
    lb.ports.set("second", lb.engine.listen(1));
    await using idle = await clientOf(lb, "second");
    await using busy = await clientOf(lb, "second");
    expect((await idle.ask(get())).status).toBe(200);
    busy.send(get("/slow"));
    const slow = await server.request(2);
    await lb.change(first);
    await idle.raw.until(({ ended, closed }) => ended || closed);
    slow.connection.send(ok("done"));
    const answer = await busy.response();
    expect([answer.body, answer.field("connection")]).toEqual(["done", "close"]);
    expect(
      await connectRaw(lb.ports.get("second")!).then(
        () => "accepted",
        () => "refused",
      ),
    ).toBe("refused");
    expect((await kept.ask(get())).status).toBe(200);
    idle.raw.end();
    busy.raw.end();
    await until(() => lb.engine.connections().clients === 1);
  });

  test("that is removed closes what is left when its time is over: requests first, tunnels later", async () => {
    const timers = new Timers();
    await using server = backend(({ connection, start }) => {
      if (start.includes("/ws"))
        connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    });
    await using lb = changing({ backends: [server.port] }, timers.network);
    const first = lb.plan;
    await lb.change(twoListeners(lb), () => null);
    lb.ports.set("second", lb.engine.listen(1));
    await using asking = await clientOf(lb, "second");
    await using upgraded = await clientOf(lb, "second");
    asking.send(get());
    upgraded.send(get("/ws", "Connection: upgrade\r\nUpgrade: echo\r\n"));
    await upgraded.raw.untilText("101");
    await server.request(1);
    await lb.change(first);
    expect(timers.set).toEqual([30_000, 3_600_000]);
    timers.over(30_000);
    await asking.raw.until(({ ended, closed }) => ended || closed);
    expect(lb.engine.connections().clients).toBe(1);
    timers.over(3_600_000);
    await upgraded.raw.until(({ ended, closed }) => ended || closed);
    await until(() => lb.engine.connections().clients === 0 && lb.inFlight() === 0);
    expect(timers.set).toEqual([]);
  });

  test("changes its mode on the same socket", async () => {
    await using server = backend(() => ok("http"));
    await using lb = changing({ backends: [server.port] });
    await using before = await clientOf(lb);
    await before.ask(get());
    const [web] = lb.plan.listeners;
    await lb.change(lb.withListener({ ...web!, mode: "tcp" }));
    await before.raw.until(({ ended, closed }) => ended || closed);
    await using after = await clientOf(lb);
    after.send("no HTTP at all");
    await until(() => server.server.connections.some(({ text }) => text.startsWith("no HTTP at all")));
  });

  test("takes more connections, or fewer, as its limits say", async () => {
    await using server = backend(() => ok());
    await using lb = changing({ backends: [server.port] });
    const first = lb.plan;
    const [web] = first.listeners;
    await using one = await clientOf(lb);
    await using two = await clientOf(lb);
    for (const user of [one, two]) await user.ask(get());
    await lb.change(lb.withListener({ ...web!, connections: 2 }));
    // It waits in the system's queue, or is turned away where there is no way to let it wait.
    await using third = await clientOf(lb);
    third.send(get());
    expect((await one.ask(get())).status).toBe(200);
    expect(lb.engine.connections().clients).toBe(2);
    await lb.change(first);
    expect((await third.response()).status).toBe(200);
    await lb.change({ ...first, connectionsPerAddress: 1 });
    await using fourth = await clientOf(lb);
    // Those who came before the limit are not counted by it.
    expect((await fourth.ask(get())).status).toBe(200);
    await using fifth = await connectRaw(lb.port);
    await fifth.until(({ closed, error }) => closed || error !== null);
    expect(lb.engine.connections().clients).toBe(4);
  });
});

describe("counts of what is in flight are right", () => {
  test("when a pool begins and ceases to keep its sum, with limits and without", async () => {
    await using server = backend(() => undefined);
    await using other = backend(() => undefined);
    await using lb = changing({
      backends: [server.port, other.port],
      policy: "least-connections",
      health: { passive: null },
    });
    const [pool] = lb.plan.pools;
    const policies = ["least-time", "round-robin", "least-connections"];
    const users: Client[] = [];
    for (let i = 0; i < 12; i++) {
      const limits = { ...pool!.limits, maxConnections: i % 2 === 0 ? 100 : null };
      await lb.change(lb.withPool({ ...pool!, limits, policy: { ...pool!.policy, name: policies[i % 3]! } }));
      const user = await clientOf(lb);
      users.push(user);
      user.send(get());
      await until(() => server.requests.length + other.requests.length === i + 1);
      const row = lb.placement.pools[0]!;
      if (i % 2 === 0) expect(lb.counters.inFlight(row)).toBe(i + 1);
    }
    for (const { connection } of [...server.requests, ...other.requests]) connection.send(ok());
    for (const user of users) expect((await user.response()).status).toBe(200);
    await lb.change(lb.withPool({ ...pool!, limits: { ...pool!.limits, maxConnections: 100 } }));
    expect(lb.inFlight()).toBe(0);
    for (const user of users) await user[Symbol.asyncDispose]();
  });

  test("when a pool goes and comes back while something is in flight in it", async () => {
    await using server = backend(() => undefined);
    await using other = backend(() => ok());
    await using lb = changing({
      backends: [server.port, other.port],
      routes: [{ path: "/a", backend: 0 }, { backend: 1 }],
      policy: "least-connections",
      health: { passive: null },
    });
    const withOnly = lb.plan;
    const { pools, listeners } = withOnly;
    const [web] = listeners;
    const without = {
      ...withOnly,
      listeners: [{ ...web!, routes: [web!.routes[1]!] }],
      pools: [pools[0]!, pools[2]!],
    };
    const summed = { ...pools[1]!, policy: { ...pools[1]!.policy, name: "least-time" } };
    await using user = await clientOf(lb);
    user.send(get("/a"));
    const asked = await server.request(0);
    await lb.change(without);
    await lb.change({ ...withOnly, pools: [pools[0]!, summed, pools[2]!] });
    expect(lb.counters.inFlight(lb.placement.pools[1]!)).toBe(1);
    asked.connection.send(ok("late"));
    expect((await user.response()).body).toBe("late");
    expect([lb.inFlight(), lb.engine.connections().backends]).toEqual([0, 1]);
  });

  test("and who waits at the gate of a pool that changes is let in before those who come later", async () => {
    await using server = backend(() => undefined);
    // Time stands still: a queue that has waited for long serves the newest first.
    const plan = planOf({ backends: [server.port], poolLimits: { maxConnections: 1 } });
    await using lb = new Changing(plan, systemNetwork, new HandClock());
    const users = [await clientOf(lb), await clientOf(lb), await clientOf(lb)];
    users[0]!.send(get("/0"));
    await server.request(0);
    users[1]!.send(get("/1"));
    await until(() => lb.counters.waiting(lb.placement.pools[0]!) === 1);
    const [pool] = lb.plan.pools;
    await lb.change(lb.withPool({ ...pool!, policy: { ...pool!.policy, name: "random" } }));
    users[2]!.send(get("/2"));
    await until(() => lb.counters.waiting(lb.placement.pools[0]!) === 2);
    for (let i = 0; i < 3; i++) {
      const asked = await server.request(i);
      expect(asked.start).toContain(`/${i}`);
      expect(lb.counters.inFlight(lb.placement.pools[0]!)).toBe(1);
      asked.connection.send(ok());
      await users[i]!.response();
    }
    for (const user of users) await user[Symbol.asyncDispose]();
  });
});

test("work by slices lets others have their turn", async () => {
  function* steps(): Generator<void, number, void> {
    let sum = 0;
    for (let i = 0; i < 200; i++) {
      const end = performance.now() + 0.1;
      while (performance.now() < end) sum += 1;
      yield;
    }
    return sum;
  }
  let turns = 0;
  const stop = systemNetwork.tick(1, () => (turns += 1));
  expect(await bySlices(steps(), systemClock, systemNetwork.tick)).toBeGreaterThan(0);
  stop();
  expect(turns).toBeGreaterThan(5);
});
