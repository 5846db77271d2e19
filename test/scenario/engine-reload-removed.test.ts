import { describe, expect, test } from "bun:test";
import { planOf, until } from "../fixtures/cluster.ts";
import { changing, type Changing, Timers } from "../fixtures/changing.ts";
import { backend, type Backend, Client, get, ok } from "../fixtures/http.ts";
import { connectRaw } from "../fixtures/raw.ts";

/** `drain.requests` by default. */
const REQUESTS_MS = 30_000;

async function clientOf(lb: Changing): Promise<Client> {
  return new Client(await connectRaw(lb.port));
}

/** Other backends take the place of all that there were. */
async function replaceAll(lb: Changing, servers: readonly Backend[]): Promise<void> {
  const { backends } = planOf({ backends: servers.map(({ port }) => port) }).pools[0]!;
  await lb.change(lb.withPool({ ...lb.plan.pools[0]!, backends }));
}

describe("at the end of `drain.requests`, where all backends of a pool were replaced", () => {
  test("a request is not asked again at the only one that it had", async () => {
    const timers = new Timers();
    await using old = backend(() => undefined);
    await using young = backend(() => ok("young"));
    await using lb = changing({ backends: [old.port] }, timers.network);
    await using user = await clientOf(lb);
    user.send(get());
    await old.request(0);
    await replaceAll(lb, [young]);
    timers.over(REQUESTS_MS);
    const answer = await user.response();
    expect([answer.status, answer.field("proxy-status")]).toEqual([502, expect.stringContaining("BACKEND_REMOVED")]);
    user.send(get());
    expect((await user.response()).body).toBe("young");
    expect(old.requests.length).toBe(1);
  });

  test("nor at another one that was replaced with it", async () => {
    const timers = new Timers();
    await using old = backend(() => undefined);
    await using older = backend(() => undefined);
    await using young = backend(() => ok("young"));
    await using lb = changing({ backends: [old.port, older.port], policy: "first" }, timers.network);
    await using user = await clientOf(lb);
    user.send(get());
    await old.request(0);
    await replaceAll(lb, [young]);
    timers.over(REQUESTS_MS);
    expect((await user.response()).status).toBe(502);
    expect([old.requests.length, older.requests.length]).toEqual([1, 0]);
  });

  for (const came of ["earlier", "later"] as const)
    test(`a request that waits for room there is turned away, of a client who came ${came} than the one that it waits for`, async () => {
      const timers = new Timers();
      await using old = backend(() => undefined);
      await using young = backend(() => ok("young"));
      await using lb = changing({ backends: [old.port], poolLimits: { maxConnections: 1 } }, timers.network);
      await using one = await clientOf(lb);
      await using two = await clientOf(lb);
      const [waits, user] = came === "earlier" ? [one, two] : [two, one];
      user.send(get());
      await old.request(0);
      waits.send(get());
      const [row] = lb.placement.pools;
      await until(() => lb.counters.waiting(row!) === 1);
      await replaceAll(lb, [young]);
      timers.over(REQUESTS_MS);
      expect([(await user.response()).status, (await waits.response()).status]).toEqual([502, 503]);
      expect(old.requests.length).toBe(1);
    });
});

describe("at a backend that had nothing to do when it was removed", () => {
  test("what an older plan begins there later ends with `drain.requests` too", async () => {
    const timers = new Timers();
    await using first = backend(() => undefined);
    await using second = backend(() => undefined);
    await using young = backend(() => ok("young"));
    await using lb = changing({ backends: [first.port, second.port], policy: "first" }, timers.network);
    const pool = lb.plan.pools[0]!;
    await using user = await clientOf(lb);
    user.send(get());
    await first.request(0);
    await lb.change(lb.withPool({ ...pool, backends: pool.backends.slice(1) }));
    await replaceAll(lb, [young]);
    timers.over(REQUESTS_MS);
    await second.request(0);
    timers.over(REQUESTS_MS);
    expect((await user.response()).status).toBe(502);
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
  });

  test("what an older plan begins there later is among the connections, though it was forgotten meanwhile", async () => {
    const timers = new Timers();
    await using first = backend(() => undefined);
    await using second = backend(() => undefined);
    await using young = backend(() => ok("young"));
    await using lb = changing({ backends: [first.port, second.port], policy: "first" }, timers.network);
    const pool = lb.plan.pools[0]!;
    await using user = await clientOf(lb);
    user.send(get());
    await first.request(0);
    await lb.change(lb.withPool({ ...pool, backends: pool.backends.slice(1) }));
    await replaceAll(lb, [young]);
    // A change on whose way what is done is forgotten.
    await lb.change(lb.withPool({ ...lb.plan.pools[0]! }));
    timers.over(REQUESTS_MS);
    (await second.request(0)).connection.send(ok("late"));
    expect(lb.engine.connections()).toEqual({ clients: 1, backends: 1 });
    expect((await user.response()).body).toBe("late");
    await until(() => lb.engine.connections().backends === 0);
    await lb.change(lb.withPool({ ...lb.plan.pools[0]! }));
  });
});

describe("the room of a pool whose limits are gone", () => {
  test("is not taken for ever, once they are back, by what an older plan began at a backend that was removed", async () => {
    const timers = new Timers();
    await using first = backend(() => undefined);
    await using second = backend(() => undefined);
    await using young = backend(() => ok("young"));
    const backends = [first.port, second.port];
    const poolLimits = { maxConnections: 1, maxQueue: 0 };
    await using lb = changing({ backends, policy: "first", poolLimits }, timers.network);
    const pool = lb.plan.pools[0]!;
    await using user = await clientOf(lb);
    user.send(get());
    await first.request(0);
    const [added] = planOf({ backends: [young.port] }).pools[0]!.backends;
    // The second leaves while nothing is at it, and the first while the request is.
    const limits = { ...pool.limits, maxConnections: null };
    await lb.change(lb.withPool({ ...pool, limits, backends: [pool.backends[0]!, added!] }));
    await lb.change(lb.withPool({ ...pool, backends: [added!] }));
    timers.over(REQUESTS_MS);
    await second.request(0);
    timers.over(REQUESTS_MS);
    expect((await user.response()).status).toBe(502);
    user.send(get());
    expect((await user.response()).body).toBe("young");
  });

  test("is there for all who wait for it", async () => {
    await using old = backend(() => undefined);
    await using lb = changing({ backends: [old.port], poolLimits: { maxConnections: 1 } });
    const pool = lb.plan.pools[0]!;
    await using first = await clientOf(lb);
    await using second = await clientOf(lb);
    await using third = await clientOf(lb);
    const users = [first, second, third];
    for (const user of users) user.send(get());
    await until(() => lb.counters.waiting(lb.placement.pools[0]!) === 2);
    await lb.change(lb.withPool({ ...pool, limits: { ...pool.limits, maxConnections: null } }));
    for (let index = 0; index < users.length; index++) (await old.request(index)).connection.send(ok());
    for (const user of users) expect((await user.response()).status).toBe(200);
  });
});
