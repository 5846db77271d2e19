import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type Cluster, cluster, type ClusterOptions, TIMEOUTS, until } from "../fixtures/cluster.ts";
import { HandClock, LATE_MS } from "../fixtures/hand-clock.ts";
import { NOBODY } from "../fixtures/http.ts";
import { connectRaw, type RawConnection, rawServer } from "../fixtures/raw.ts";
import { CAN_BE_SILENT, silentServer } from "../fixtures/silent-server.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const folder = temporaryFolder();
const [REFUSES = "", REFUSES_TOO = ""] = NOBODY;

test("a backend that refuses is left for another, with no byte of the client lost", async () => {
  await using server = rawServer();
  await using lb = cluster({ mode: "tcp", policy: "first", backends: [REFUSES, server.port] });
  await using client = await connectRaw(lb.port);
  client.send("sent before any backend was chosen");
  const backend = await server.connection(0);
  await backend.untilText("sent before any backend was chosen");
  backend.send("answer");
  await client.untilText("answer");
  expect(lb.backendErrors(0, "BACKEND_REFUSED")).toBe(1);
  expect(lb.backend(0, "retries")).toBe(1);
  expect(lb.listenerErrors("BACKEND_REFUSED")).toBe(0);
  expect(lb.log.map(({ event, fields }) => [event, fields["code"]])).toEqual([
    ["backend failed over", "BACKEND_REFUSED"],
  ]);
});

test("a backend on a unix socket whose file is gone is left for another", async () => {
  await using server = rawServer({ onConnection: (connection) => connection.send("hello") });
  await using lb = cluster({
    mode: "tcp",
    policy: "first",
    backends: [`unix:${join(folder.path, "none")}`, server.port],
  });
  await using client = await connectRaw(lb.port);
  await client.untilText("hello");
  expect(lb.backendErrors(0, "BACKEND_REFUSED")).toBe(1);
});

test("a backend whose name does not resolve is left for another", async () => {
  await using server = rawServer({ onConnection: (connection) => connection.send("hello") });
  // RFC 6761 §6.4: no name under `invalid` ever resolves.
  const timeouts = { connectMs: 15_000 };
  await using lb = cluster({ mode: "tcp", policy: "first", backends: ["weir.invalid:80", server.port], timeouts });
  await using client = await connectRaw(lb.port);
  await client.untilText("hello");
  expect(lb.backendErrors(0, "BACKEND_NAME")).toBe(1);
});

/** Weir in front of a backend that does not answer, and a client whose time of `connect` is over there: whoever comes next has all of it. */
async function waitedInVain(
  backends: ClusterOptions["backends"],
  early: (client: RawConnection) => void = () => {},
): Promise<AsyncDisposable & { readonly lb: Cluster; readonly client: RawConnection }> {
  const clock = new HandClock();
  const lb = cluster({ mode: "tcp", policy: "first", backends, clock });
  const client = await connectRaw(lb.port);
  early(client);
  await until(() => lb.inFlight() === 2);
  clock.pass(TIMEOUTS.connectMs + LATE_MS);
  return {
    lb,
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await lb[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(!CAN_BE_SILENT)("a backend that does not answer within `connect`", () => {
  test("is left for another, with no byte of the client lost", async () => {
    await using silent = await silentServer();
    await using server = rawServer();
    await using waited = await waitedInVain([silent.port, server.port], (early) => early.send("sent long before"));
    const { lb, client } = waited;
    const backend = await server.connection(0);
    await backend.untilText("sent long before");
    client.send(", and after");
    await backend.untilText("sent long before, and after");
    expect(lb.backendErrors(0, "BACKEND_CONNECT_TIMEOUT")).toBe(1);
    expect(lb.backend(0, "retries")).toBe(1);
  });

  test("is left though much was sent to it: the client waits meanwhile", async () => {
    await using silent = await silentServer();
    await using server = rawServer();
    const length = 20 * 2 ** 20;
    await using waited = await waitedInVain([silent.port, server.port], (early) =>
      early.send(Buffer.alloc(length, "x")),
    );
    const { client } = waited;
    const backend = await server.connection(0);
    backend.countOnly = true;
    await backend.until(({ bytes }) => bytes === length);
    await client.until(({ flushed }) => flushed);
  });

  test("is told of no half-close that its successor is not told", async () => {
    await using silent = await silentServer();
    await using server = rawServer();
    await using _ = await waitedInVain([silent.port, server.port], (early) => {
      early.send("all");
      early.shutdown();
    });
    const backend = await server.connection(0);
    await backend.until(({ ended }) => ended);
    expect(backend.text).toBe("all");
  });

  test("when there is no other, the client is closed, and it is counted and logged", async () => {
    await using silent = await silentServer();
    await using waited = await waitedInVain([silent.port]);
    const { lb, client } = waited;
    await client.until(({ closed }) => closed);
    await until(() => lb.inFlight() === 0);
    expect(lb.listenerErrors("BACKEND_CONNECT_TIMEOUT")).toBe(1);
    expect(lb.log.at(-1)).toMatchObject({
      level: "warn",
      event: "connection failed",
      fields: { code: "BACKEND_CONNECT_TIMEOUT", attempts: 1 },
    });
  });

  test("is given up when the client goes away, and nothing is left in flight", async () => {
    await using silent = await silentServer();
    await using lb = cluster({ mode: "tcp", backends: [silent.port], timeouts: { connectMs: 60_000 } });
    const client = await connectRaw(lb.port);
    await until(() => lb.inFlight() === 2);
    client.reset();
    await until(() => lb.inFlight() === 0);
    expect(lb.engine.connections().clients).toBe(0);
    expect(lb.listenerErrors("CLIENT_GONE")).toBe(1);
    expect(lb.backendErrors(0, "BACKEND_CONNECT_TIMEOUT")).toBe(0);
  });
});

test("all backends are tried, none of them twice", async () => {
  await using lb = cluster({ mode: "tcp", backends: NOBODY });
  await using client = await connectRaw(lb.port);
  await client.until(({ closed }) => closed);
  await until(() => lb.inFlight() === 0);
  const refusals = NOBODY.map((_, i) => lb.backendErrors(i, "BACKEND_REFUSED"));
  expect(refusals).toEqual([1, 1, 1, 1, 1]);
});

test("when none answers, the client is closed, and it is counted and logged", async () => {
  await using lb = cluster({ mode: "tcp", backends: [REFUSES, REFUSES_TOO] });
  await using client = await connectRaw(lb.port);
  client.send("to nobody");
  await client.until(({ closed }) => closed);
  await until(() => lb.inFlight() === 0);
  expect(lb.listenerErrors("BACKEND_REFUSED")).toBe(1);
  const last = lb.log.at(-1);
  expect(last).toMatchObject({
    level: "warn",
    event: "connection failed",
    fields: { listener: "web", pool: "all", code: "BACKEND_REFUSED", attempts: 2 },
  });
  expect(lb.engine.connections().clients).toBe(0);
});

test("every backend that refuses is passed by in every rotation: all clients are served", async () => {
  await using server = rawServer({ onConnection: (connection) => connection.send("hello") });
  await using lb = cluster({ mode: "tcp", backends: [REFUSES, server.port, REFUSES_TOO] });
  const clients = await Promise.all(Array.from({ length: 60 }, () => connectRaw(lb.port)));
  for (const client of clients) await client.untilText("hello");
  for (const client of clients) client.reset();
  await until(() => lb.inFlight() === 0);
});

test("where no backend takes new work, the client is closed, and it is counted and logged", async () => {
  await using server = rawServer();
  await using lb = cluster({ mode: "tcp", backends: [{ ...backendAt(server.port), weight: 0 }] });
  await using client = await connectRaw(lb.port);
  await client.until(({ closed }) => closed);
  await until(() => lb.inFlight() === 0);
  expect(lb.listenerErrors("POOL_NO_BACKEND")).toBe(1);
  expect(lb.log.at(-1)).toMatchObject({ event: "connection failed", fields: { code: "POOL_NO_BACKEND" } });
});

test("a backend that accepts and resets at once is not left for another: bytes may have reached it", async () => {
  await using first = rawServer({ onConnection: (connection) => connection.reset() });
  await using second = rawServer();
  await using lb = cluster({ mode: "tcp", policy: "first", backends: [first.port, second.port] });
  await using client = await connectRaw(lb.port);
  await client.until(({ closed }) => closed);
  expect(second.connections).toHaveLength(0);
});

test("a client that goes away while its backend is being dialled leaves nothing open", async () => {
  await using server = rawServer();
  await using lb = cluster({ mode: "tcp", backends: [server.port] });
  for (let i = 0; i < 50; i++) {
    const client = await connectRaw(lb.port);
    if (i % 2 === 0) client.reset();
    else client.end();
  }
  // When one that came last is there, so are all that will come.
  const last = await connectRaw(lb.port);
  last.send("last");
  await until(() => server.connections.some(({ text }) => text === "last"));
  last.reset();
  await until(() => server.connections.every(({ ended, closed }) => ended || closed));
  for (const backend of server.connections) backend.end();
  await until(() => lb.inFlight() === 0);
  expect(lb.engine.connections()).toEqual({ clients: 0, backends: 0 });
});

function backendAt(port: number): { address: { kind: "tcp"; host: string; port: number } } {
  return { address: { kind: "tcp", host: "127.0.0.1", port } };
}
