import { describe, expect, test } from "bun:test";
import { type Cluster, cluster, until } from "../fixtures/cluster.ts";
import { connectRaw, type RawConnection, rawServer } from "../fixtures/raw.ts";

/** Servers that tell their number at once. */
function numbered(count: number): ReturnType<typeof rawServer>[] {
  return Array.from({ length: count }, (_, i) => rawServer({ onConnection: (connection) => connection.send(`${i}`) }));
}

async function close(servers: readonly AsyncDisposable[]): Promise<void> {
  for (const server of servers) await server[Symbol.asyncDispose]();
}

/** Connects, and waits until the number of a backend has come. */
async function served(lb: Cluster): Promise<RawConnection> {
  return (await connectRaw(lb.port)).until(({ text }) => text !== "");
}

function shares(clients: readonly RawConnection[], backends: number): number[] {
  return Array.from({ length: backends }, (_, i) => clients.filter(({ text }) => text === String(i)).length);
}

test("several clients connect at once over TCP and spread evenly over the backends", async () => {
  const servers = numbered(3);
  await using lb = cluster({ mode: "tcp", backends: servers.map(({ port }) => port) });
  const clients = await Promise.all(Array.from({ length: 30 }, () => served(lb)));
  expect(shares(clients, 3)).toEqual([10, 10, 10]);
  expect([0, 1, 2].map((i) => lb.backend(i, "connections"))).toEqual([10, 10, 10]);
  expect(lb.listener("connections")).toBe(30);
  for (const client of clients) client.reset();
  await until(() => lb.inFlight() === 0);
  await close(servers);
});

test("several clients connect at once and each hears only its own backend's echo", async () => {
  const servers = Array.from({ length: 3 }, () =>
    rawServer({
      onData: (connection) => {
        connection.send(connection.text);
        connection.text = "";
      },
    }),
  );
  await using lb = cluster({ mode: "tcp", backends: servers.map(({ port }) => port) });
  const clients = await Promise.all(Array.from({ length: 9 }, () => connectRaw(lb.port)));
  clients.forEach((client, i) => client.send(`client ${i};`));
  for (const [i, client] of clients.entries()) {
    await client.untilText(`client ${i};`);
    expect(client.text).toBe(`client ${i};`);
  }
  expect(servers.map(({ connections }) => connections.length)).toEqual([3, 3, 3]);
  for (const client of clients) client.reset();
  await until(() => lb.inFlight() === 0);
  await close(servers);
});

test("shares follow the weights", async () => {
  const servers = numbered(2);
  const [heavy, light] = servers.map(({ port }) => ({ kind: "tcp", host: "127.0.0.1", port }) as const);
  if (heavy === undefined || light === undefined) throw new Error("two servers");
  await using lb = cluster({ mode: "tcp", backends: [{ address: heavy, weight: 3 }, { address: light }] });
  const clients = await Promise.all(Array.from({ length: 40 }, () => served(lb)));
  expect(shares(clients, 2)).toEqual([30, 10]);
  for (const client of clients) client.reset();
  await close(servers);
});

describe("least-connections", () => {
  test("counts open TCP connections: long ones keep new ones away", async () => {
    const servers = numbered(3);
    await using lb = cluster({
      mode: "tcp",
      policy: "least-connections",
      backends: servers.map(({ port }) => port),
    });
    const clients = [];
    for (let i = 0; i < 9; i++) clients.push(await served(lb));
    expect(shares(clients, 3)).toEqual([3, 3, 3]);
    // Two of the first backend's go: the next two come to it.
    const leaving = clients.filter(({ text }) => text === "0").slice(0, 2);
    for (const client of leaving) client.reset();
    await until(() => lb.inFlight() === 2 * 7);
    const next = [await served(lb), await served(lb)];
    expect(next.map(({ text }) => text)).toEqual(["0", "0"]);
    for (const client of [...clients, ...next]) client.reset();
    await until(() => lb.inFlight() === 0);
    await close(servers);
  });

  test("counts a connection from when it is dialled: clients that come at once spread too", async () => {
    const servers = numbered(4);
    await using lb = cluster({
      mode: "tcp",
      policy: "least-connections",
      backends: servers.map(({ port }) => port),
    });
    const clients = await Promise.all(Array.from({ length: 20 }, () => served(lb)));
    expect(shares(clients, 4)).toEqual([5, 5, 5, 5]);
    for (const client of clients) client.reset();
    await until(() => lb.inFlight() === 0);
    await close(servers);
  });
});

describe("first", () => {
  test("fills a backend up to its limit before the next, and comes back when there is room", async () => {
    const servers = numbered(2);
    const [small, rest] = servers.map(({ port }) => ({ kind: "tcp", host: "127.0.0.1", port }) as const);
    if (small === undefined || rest === undefined) throw new Error("two servers");
    await using lb = cluster({
      mode: "tcp",
      policy: "first",
      backends: [{ address: small, maxConnections: 2 }, { address: rest }],
    });
    const clients = [];
    for (let i = 0; i < 4; i++) clients.push(await served(lb));
    expect(clients.map(({ text }) => text)).toEqual(["0", "0", "1", "1"]);
    clients[0]?.reset();
    await until(() => lb.inFlight() === 2 * 3);
    const next = await served(lb);
    expect(next.text).toBe("0");
    for (const client of [...clients, next]) client.reset();
    await until(() => lb.inFlight() === 0);
    await close(servers);
  });

  test("closes the client where all backends are full and none may wait", async () => {
    const servers = numbered(1);
    const address = { kind: "tcp", host: "127.0.0.1", port: servers[0]?.port ?? 0 } as const;
    await using lb = cluster({
      mode: "tcp",
      policy: "first",
      backends: [{ address, maxConnections: 1 }],
      poolLimits: { maxQueue: 0 },
    });
    const client = await served(lb);
    const refused = await connectRaw(lb.port);
    await refused.until(({ closed }) => closed);
    expect(lb.listenerErrors("POOL_FULL")).toBe(1);
    client.reset();
    await until(() => lb.inFlight() === 0);
    await close(servers);
  });
});
