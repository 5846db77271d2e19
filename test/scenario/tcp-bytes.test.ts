import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { seededRandom } from "../../src/random.ts";
import { cluster, until } from "../fixtures/cluster.ts";
import { connectRaw, type RawConnection, rawServer } from "../fixtures/raw.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const folder = temporaryFolder();
const MiB = 2 ** 20;

/** Bytes that nobody would guess, and a hash of them. */
function randomBytes(seed: number, length: number): Buffer {
  const random = seededRandom(seed);
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(random.below(2 ** 32), at);
  return bytes;
}

const hash = (bytes: Uint8Array): string => Bun.hash(bytes).toString(16);
const received = (connection: RawConnection): Buffer => Buffer.from(connection.text, "latin1");

/** Sends in pieces of random sizes, some of them in one turn of the event loop, some in the next; then FIN. */
async function sendInPieces(connection: RawConnection, bytes: Buffer, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const sizes = [1, 100, 10_000, 1_000_000];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + 1 + random.below(sizes[random.below(sizes.length)] ?? 1));
    connection.send(bytes.subarray(at, end));
    at = end;
    if (random.below(4) === 0) await connection.until(({ flushed }) => flushed);
  }
  await connection.until(({ flushed }) => flushed);
  connection.shutdown();
}

describe("bytes pass unchanged and in order, both ways at once", () => {
  for (const seed of [1, 2, 3, 4]) {
    test(`in random pieces, seed ${seed}`, async () => {
      await using server = rawServer();
      await using lb = cluster({ mode: "tcp", backends: [server.port] });
      await using client = await connectRaw(lb.port);
      const [there, back] = [randomBytes(seed, 3 * MiB + seed), randomBytes(-seed, 2 * MiB + 3 * seed)];
      const backend = await server.connection(0);
      await Promise.all([sendInPieces(client, there, seed), sendInPieces(backend, back, seed + 100)]);
      await Promise.all([client.untilEnd(), backend.untilEnd()]);
      expect([backend.bytes, client.bytes]).toEqual([there.length, back.length]);
      expect(hash(received(backend))).toBe(hash(there));
      expect(hash(received(client))).toBe(hash(back));
      expect([lb.listener("bytesIn"), lb.listener("bytesOut")]).toEqual([there.length, back.length]);
      expect([lb.backend(0, "bytesIn"), lb.backend(0, "bytesOut")]).toEqual([there.length, back.length]);
    });
  }

  test("on many connections at once, none mixed with another", async () => {
    await using server = rawServer({ onData: (connection) => void connection.wake() });
    await using lb = cluster({ mode: "tcp", backends: [server.port] });
    const count = 40;
    const clients = await Promise.all(Array.from({ length: count }, () => connectRaw(lb.port)));
    await Promise.all(clients.map((client, i) => sendInPieces(client, randomBytes(i, 100_000), i)));
    await until(() => server.connections.length === count);
    await Promise.all(server.connections.map((backend) => backend.untilEnd()));
    const arrived = server.connections.map((backend) => hash(received(backend))).sort();
    expect(arrived).toEqual(clients.map((_, i) => hash(randomBytes(i, 100_000))).sort());
    for (const client of clients) client.reset();
  });
});

test("a backend that speaks first is heard", async () => {
  await using server = rawServer({ onConnection: (connection) => connection.send("220 ready\r\n") });
  await using lb = cluster({ mode: "tcp", backends: [server.port] });
  await using client = await connectRaw(lb.port);
  await client.untilText("220 ready\r\n");
  client.send("EHLO\r\n");
  const backend = await server.connection(0);
  await backend.untilText("EHLO\r\n");
});

test("what the client sends at once, before a backend is chosen, arrives", async () => {
  await using server = rawServer();
  await using lb = cluster({ mode: "tcp", backends: [server.port] });
  await using client = await connectRaw(lb.port);
  client.send("first");
  const backend = await server.connection(0);
  await backend.untilText("first");
});

test("what the client sends at once with its FIN arrives, and the answer comes back", async () => {
  await using server = rawServer();
  await using lb = cluster({ mode: "tcp", backends: [server.port] });
  await using client = await connectRaw(lb.port);
  client.send("question");
  client.shutdown();
  const backend = await server.connection(0);
  await backend.until(({ ended }) => ended);
  expect(backend.text).toBe("question");
  backend.send("answer");
  backend.end();
  await client.untilEnd();
  expect([client.text, client.error]).toEqual(["answer", null]);
  await until(() => lb.inFlight() === 0);
});

describe("half-close", () => {
  test("of the client reaches the backend, which may send for long yet", async () => {
    await using server = rawServer();
    await using lb = cluster({ mode: "tcp", backends: [server.port] });
    await using client = await connectRaw(lb.port);
    client.send("upload");
    const backend = await server.connection(0);
    await backend.untilText("upload");
    client.shutdown();
    await backend.until(({ ended }) => ended);
    client.countOnly = true;
    backend.send(randomBytes(1, 8 * MiB));
    await client.until(({ bytes }) => bytes === 8 * MiB);
    expect([client.ended, client.closed, backend.closed]).toEqual([false, false, false]);
    backend.shutdown();
    await client.untilEnd();
    expect(client.error).toBeNull();
    await until(() => lb.inFlight() === 0);
  });

  test("of the backend reaches the client, which may send for long yet", async () => {
    await using server = rawServer();
    await using lb = cluster({ mode: "tcp", backends: [server.port] });
    await using client = await connectRaw(lb.port);
    const backend = await server.connection(0);
    backend.shutdown();
    await client.until(({ ended }) => ended);
    backend.countOnly = true;
    client.send(randomBytes(1, 8 * MiB));
    await backend.until(({ bytes }) => bytes === 8 * MiB);
    expect([backend.ended, backend.closed, client.closed]).toEqual([false, false, false]);
    client.shutdown();
    await backend.untilEnd();
    expect(backend.error).toBeNull();
    await until(() => lb.inFlight() === 0);
  });

  test("behind many bytes that are read slowly comes after the last of them", async () => {
    await using server = rawServer();
    await using lb = cluster({ mode: "tcp", backends: [server.port] });
    await using client = await connectRaw(lb.port);
    client.pause();
    client.countOnly = true;
    const backend = await server.connection(0);
    client.shutdown();
    await backend.until(({ ended }) => ended);
    const length = 32 * MiB;
    backend.send(Buffer.alloc(length));
    // Weir holds the backend's bytes back now; its FIN comes while both directions of that connection are closed.
    await until(() => lb.listener("bytesOut") > 0);
    client.resume();
    await backend.until(({ flushed }) => flushed);
    client.pause();
    backend.end();
    client.resume();
    await client.untilEnd();
    expect([client.bytes, client.error]).toEqual([length, null]);
    await until(() => lb.inFlight() === 0);
  });
});

describe("reset", () => {
  test("of the client reaches the backend as one", async () => {
    await using server = rawServer();
    await using lb = cluster({ mode: "tcp", backends: [server.port] });
    await using client = await connectRaw(lb.port);
    const backend = await server.connection(0);
    client.reset();
    await backend.until(({ closed }) => closed);
    expect(backend.error).toMatchObject({ code: "ECONNRESET" });
    await until(() => lb.inFlight() === 0);
  });

  test("of the backend reaches the client as one", async () => {
    await using server = rawServer();
    await using lb = cluster({ mode: "tcp", backends: [server.port] });
    await using client = await connectRaw(lb.port);
    const backend = await server.connection(0);
    backend.reset();
    await client.until(({ closed }) => closed);
    expect(client.error).toMatchObject({ code: "ECONNRESET" });
    await until(() => lb.inFlight() === 0);
  });

  test("of the client reaches a backend whose bytes it has stopped reading", async () => {
    await using server = rawServer();
    await using lb = cluster({ mode: "tcp", backends: [server.port] });
    await using client = await connectRaw(lb.port);
    client.pause();
    const backend = await server.connection(0);
    backend.send(Buffer.alloc(32 * MiB));
    await until(() => lb.listener("bytesOut") > 0);
    client.reset();
    await backend.until(({ closed }) => closed);
    expect(backend.error).not.toBeNull();
    await until(() => lb.inFlight() === 0);
  });

  test("of the backend after its half-close reaches the client", async () => {
    await using server = rawServer();
    await using lb = cluster({ mode: "tcp", backends: [server.port] });
    await using client = await connectRaw(lb.port);
    const backend = await server.connection(0);
    backend.shutdown();
    await client.until(({ ended }) => ended);
    backend.reset();
    await client.until(({ closed }) => closed);
    // Linux calls a reset after a FIN a broken pipe.
    expect(client.error).not.toBeNull();
    await until(() => lb.inFlight() === 0);
  });
});

describe("IPv4, IPv6 and unix sockets, on either side", () => {
  const addresses = {
    IPv4: { listen: "127.0.0.1:0", host: "127.0.0.1", unix: null },
    IPv6: { listen: "[::1]:0", host: "::1", unix: null },
    unix: { listen: `unix:${join(folder.path, "front")}`, host: "", unix: join(folder.path, "back") },
  } as const;
  for (const [front, { listen, host }] of Object.entries(addresses))
    for (const [back, { host: backHost, unix }] of Object.entries(addresses))
      test(`${front} to ${back}`, async () => {
        const backendPath = unix === null ? null : `${unix}-${front}`;
        await using server = rawServer(backendPath === null ? { host: backHost } : { unix: backendPath });
        const backendAddress =
          backendPath !== null ? `unix:${backendPath}` : `${back === "IPv6" ? "[::1]" : backHost}:${server.port}`;
        const address = listen.startsWith("unix:") ? `${listen}-${back}` : listen;
        await using lb = cluster({ mode: "tcp", address, backends: [backendAddress] });
        await using client = await connectRaw(
          address.startsWith("unix:") ? address.slice("unix:".length) : { host, port: lb.port },
        );
        client.send("ping");
        const backend = await server.connection(0);
        await backend.untilText("ping");
        backend.send("pong");
        await client.untilText("pong");
        client.shutdown();
        await backend.until(({ ended }) => ended);
        backend.end();
        await client.untilEnd();
        expect([client.text, client.error]).toEqual(["pong", null]);
        await until(() => lb.inFlight() === 0);
      });

  test("a listener on every interface takes both IPv4 and IPv6", async () => {
    await using server = rawServer({ onConnection: (connection) => connection.send("hello") });
    await using lb = cluster({ mode: "tcp", address: ":0", backends: [server.port] });
    for (const host of ["127.0.0.1", "::1"]) {
      await using client = await connectRaw({ host, port: lb.port });
      await client.untilText("hello");
    }
  });

  test("a backend given by name is reached at whichever of its addresses listens", async () => {
    await using server = rawServer({ onConnection: (connection) => connection.send("hello") });
    await using lb = cluster({ mode: "tcp", backends: [`localhost:${server.port}`] });
    await using client = await connectRaw(lb.port);
    await client.untilText("hello");
  });

  test("a client that closes a unix socket while the backend still sends: the backend is reset", async () => {
    const path = join(folder.path, "gone");
    await using server = rawServer();
    await using lb = cluster({ mode: "tcp", address: `unix:${path}`, backends: [server.port] });
    const client = await connectRaw(path);
    client.send("never mind");
    const backend = await server.connection(0);
    client.end();
    await backend.until(({ ended }) => ended);
    expect(backend.text).toBe("never mind");
    backend.send("to nobody");
    await backend.until(({ closed }) => closed);
    await until(() => lb.inFlight() === 0);
  });
});
