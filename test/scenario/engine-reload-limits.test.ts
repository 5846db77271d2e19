import { describe, expect, test } from "bun:test";
import { type Address, parseAddress } from "../../src/address.ts";
import type { PoolPlan } from "../../src/plan.ts";
import { changing, type Changing } from "../fixtures/changing.ts";
import { planOf, until } from "../fixtures/cluster.ts";
import { backend, type Backend, Client, get, ok } from "../fixtures/http.ts";
import { connectRaw } from "../fixtures/raw.ts";

/** Nobody answers but the test. */
const silent = (): Backend => backend(() => undefined);

const waiting = (lb: Changing): number => lb.counters.waiting(lb.placement.pools[0]!);

/** Clients that have asked; each of them has come to a backend, or waits. */
async function asking(lb: Changing, servers: readonly Backend[], count: number): Promise<readonly Client[]> {
  const users: Client[] = [];
  for (let i = 0; i < count; i++) {
    const user = new Client(await connectRaw(lb.port));
    users.push(user);
    user.send(get());
    await until(() => arrived(servers) + waiting(lb) === i + 1);
  }
  return users;
}

const arrived = (servers: readonly Backend[]): number =>
  servers.reduce((sum, { requests }) => sum + requests.length, 0);

async function closeAll(users: readonly Client[]): Promise<void> {
  for (const user of users) await user[Symbol.asyncDispose]();
}

/** Takes one request at a time. */
function bounded({ port }: Backend): { readonly address: Address; readonly maxConnections: number } {
  return { address: parseAddress(`127.0.0.1:${port}`), maxConnections: 1 };
}

function planned(...servers: readonly Backend[]): PoolPlan["backends"] {
  return planOf({ backends: servers.map(({ port }) => port) }).pools[0]!.backends;
}

function limited(lb: Changing, maxConnections: number | null): PoolPlan {
  const pool = lb.plan.pools[0]!;
  return { ...pool, limits: { ...pool.limits, maxConnections } };
}

describe("who waits when a plan with other limits comes", () => {
  test.each([
    { how: "at once where they are gone", asked: 3, most: null, stillWaiting: 0 },
    { how: "as far as they are higher", asked: 4, most: 3, stillWaiting: 1 },
  ])("is let in $how", async ({ asked, most, stillWaiting }) => {
    await using server = silent();
    await using lb = changing({ backends: [server.port], poolLimits: { maxConnections: 1 } });
    const users = await asking(lb, [server], asked);
    await lb.change(lb.withPool(limited(lb, most)));
    await server.request(2);
    expect([waiting(lb), lb.counters.inFlight(lb.placement.pools[0]!)]).toEqual([stillWaiting, 3]);
    await closeAll(users);
  });

  test("waits for what they leave where they are lower", async () => {
    await using server = silent();
    await using lb = changing({ backends: [server.port], poolLimits: { maxConnections: 2 } });
    const users = await asking(lb, [server], 3);
    await lb.change(lb.withPool(limited(lb, 1)));
    (await server.request(0)).connection.send(ok());
    await users[0]!.response();
    expect([waiting(lb), server.requests.length]).toEqual([1, 2]);
    (await server.request(1)).connection.send(ok());
    await users[1]!.response();
    (await server.request(2)).connection.send(ok());
    await users[2]!.response();
    await closeAll(users);
  });

  test("goes by those of its backends, wherever they stand in the plan, also after several plans", async () => {
    await using one = silent();
    await using two = silent();
    await using lb = changing({ backends: [one, two].map(bounded) });
    const users = await asking(lb, [one, two], 5);
    const pool = lb.plan.pools[0]!;
    const [first, second] = pool.backends;
    await lb.change(lb.withPool({ ...pool, backends: [second!, first!] }));
    await lb.change(lb.withPool({ ...pool, backends: [{ ...second!, maxConnections: 3 }, first!] }));
    await two.request(2);
    expect([waiting(lb), one.requests.length]).toEqual([1, 1]);
    await closeAll(users);
  });
});

describe("who waits for backends of which none takes work in the next plan", () => {
  for (const mode of ["http", "tcp"] as const)
    test(`is served by those that it has besides, with mode ${mode}`, async () => {
      await using old = silent();
      await using young = backend(() => ok("young"));
      await using lb = changing({ backends: [bounded(old)], mode });
      const users = await asking(lb, [old], 3);
      const pool = lb.plan.pools[0]!;
      const [drained] = pool.backends;
      await lb.change(lb.withPool({ ...pool, backends: [{ ...drained!, state: "drain" }, ...planned(young)] }));
      for (const user of users.slice(1)) expect((await user.response()).body).toBe("young");
      expect([waiting(lb), old.requests.length]).toEqual([0, 1]);
      await closeAll(users);
    });

  test("is served where one has left the pool and the other drains", async () => {
    await using one = silent();
    await using two = silent();
    await using young = backend(() => ok("young"));
    await using lb = changing({ backends: [one, two].map(bounded) });
    const users = await asking(lb, [one, two], 3);
    const pool = lb.plan.pools[0]!;
    const [, second] = pool.backends;
    await lb.change(lb.withPool({ ...pool, backends: [second!] }));
    expect(waiting(lb)).toBe(1);
    await lb.change(lb.withPool({ ...pool, backends: [{ ...second!, state: "drain" }, ...planned(young)] }));
    expect((await users[2]!.response()).body).toBe("young");
    await closeAll(users);
  });
});
