import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { WeirError } from "../../src/errors.ts";
import { cluster, until } from "../fixtures/cluster.ts";
import { connectRaw, type RawServer, rawServer } from "../fixtures/raw.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const folder = temporaryFolder();
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/** Longer than any test takes: a drain that ends before it did so by itself. */
const LONG_MS = 60_000;

/** Answers each request when it is told to. */
function held(): RawServer {
  return rawServer();
}

async function refuses(port: number): Promise<boolean> {
  return connectRaw(port).then(
    (connection) => {
      connection.reset();
      return false;
    },
    () => true,
  );
}

describe("drain", () => {
  test("takes no new connection", async () => {
    await using server = held();
    await using lb = cluster({ mode: "tcp", backends: [server.port] });
    await using client = await connectRaw(lb.port);
    await server.connection(0);
    const drained = lb.engine.drain(LONG_MS);
    expect(await refuses(lb.port)).toBe(true);
    client.reset();
    expect(await drained).toBe(0);
  });

  test("closes idle HTTP connections at once, never used and kept alive alike", async () => {
    await using server = rawServer({ onData: (connection) => connection.send(OK) });
    await using lb = cluster({ mode: "http", backends: [server.port] });
    await using fresh = await connectRaw(lb.port);
    await using used = await connectRaw(lb.port);
    used.send(GET);
    await used.untilText("ok");
    await until(() => lb.engine.connections().clients === 2);
    expect(await lb.engine.drain(LONG_MS)).toBe(0);
    await Promise.all([fresh.untilEnd(), used.untilEnd()]);
    expect([fresh.error, used.error]).toEqual([null, null]);
    expect(lb.engine.connections()).toEqual({ clients: 0, backends: 0 });
  });

  test("finishes a request under way and then closes its connection, saying so", async () => {
    await using server = held();
    await using lb = cluster({ mode: "http", backends: [server.port] });
    await using client = await connectRaw(lb.port);
    client.send(GET);
    const backend = await server.connection(0);
    await backend.untilText("\r\n\r\n");
    const drained = lb.engine.drain(LONG_MS);
    backend.send(OK);
    await client.untilEnd();
    expect(client.text).toContain("200 OK");
    expect(client.text.toLowerCase()).toContain("connection: close");
    expect(client.text.endsWith("ok")).toBe(true);
    expect(await drained).toBe(0);
    expect(lb.inFlight()).toBe(0);
  });

  test("lets TCP connections go on until their peers close them", async () => {
    await using server = held();
    await using lb = cluster({ mode: "tcp", backends: [server.port] });
    await using client = await connectRaw(lb.port);
    const backend = await server.connection(0);
    const drained = lb.engine.drain(LONG_MS);
    client.send("still");
    await backend.untilText("still");
    backend.send("here");
    await client.untilText("here");
    client.shutdown();
    await backend.until(({ ended }) => ended);
    backend.end();
    await client.untilEnd();
    expect(await drained).toBe(0);
    expect(lb.inFlight()).toBe(0);
  });

  test("closes and counts what is open after its time: requests, tunnels, half heads, TCP connections", async () => {
    await using server = held();
    await using http = cluster({ mode: "http", backends: [server.port] });
    await using tcp = cluster({ mode: "tcp", backends: [server.port] });
    await using request = await connectRaw(http.port);
    request.send(GET);
    await (await server.connection(0)).untilText("\r\n\r\n");
    await using upgraded = await connectRaw(http.port);
    upgraded.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    const tunnel = await server.connection(1);
    await tunnel.untilText("\r\n\r\n");
    tunnel.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    await upgraded.untilText("101");
    await using half = await connectRaw(http.port);
    half.send("GET / HT");
    await using plain = await connectRaw(tcp.port);
    plain.send("x");
    await (await server.connection(2)).untilText("x");
    await until(() => http.engine.connections().clients === 3);

    expect(await http.engine.drain(50)).toBe(3);
    expect(await tcp.engine.drain(50)).toBe(1);
    await Promise.all([request, upgraded, half, plain].map((client) => client.until(({ closed }) => closed)));
    await until(() => http.inFlight() === 0 && tcp.inFlight() === 0);
    expect(tcp.listenerErrors("WEIR_DRAINED")).toBe(1);
    expect(http.engine.connections()).toEqual({ clients: 0, backends: 0 });
    expect(tcp.engine.connections()).toEqual({ clients: 0, backends: 0 });
    expect([...http.log, ...tcp.log].filter(({ event }) => event === "defect")).toEqual([]);
  });

  test("of nothing is done at once", async () => {
    await using lb = cluster({ backends: [1] });
    expect(await lb.engine.drain(LONG_MS)).toBe(0);
  });

  test("closes idle connections to backends", async () => {
    await using server = rawServer({ onData: (connection) => connection.send(OK) });
    await using lb = cluster({ mode: "http", backends: [server.port] });
    await using client = await connectRaw(lb.port);
    client.send(GET);
    await client.untilText("ok");
    await until(() => lb.engine.connections().backends === 1);
    expect(await lb.engine.drain(LONG_MS)).toBe(0);
    await (await server.connection(0)).untilEnd();
    expect(lb.engine.connections().backends).toBe(0);
  });
});

describe("close", () => {
  test("ends everything at once: both sides of a tunnel are reset, nothing is in flight", async () => {
    await using server = held();
    await using lb = cluster({ mode: "tcp", backends: [server.port] });
    await using client = await connectRaw(lb.port);
    client.send("x");
    const backend = await server.connection(0);
    await backend.untilText("x");
    lb.engine.close();
    await Promise.all([client, backend].map((peer) => peer.until(({ closed }) => closed)));
    expect([client.error, backend.error].map((error) => error !== null)).toEqual([true, true]);
    expect(lb.inFlight()).toBe(0);
    expect(await refuses(lb.port)).toBe(true);
  });

  test("ends requests at once, and their attempts", async () => {
    await using server = held();
    await using lb = cluster({ mode: "http", backends: [server.port] });
    await using client = await connectRaw(lb.port);
    client.send(GET);
    const backend = await server.connection(0);
    await backend.untilText("\r\n\r\n");
    lb.engine.close();
    await Promise.all([client, backend].map((peer) => peer.until(({ closed }) => closed)));
    await until(() => lb.inFlight() === 0);
    expect(lb.engine.connections()).toEqual({ clients: 0, backends: 0 });
  });

  test("may be called again", async () => {
    await using lb = cluster({ backends: [1] });
    lb.engine.close();
    lb.engine.close();
    expect(lb.engine.connections()).toEqual({ clients: 0, backends: 0 });
  });
});

/** What starting throws. */
function startError(address: string): WeirError {
  try {
    cluster({ address, backends: [1] });
  } catch (error) {
    if (error instanceof WeirError) return error;
    throw error;
  }
  throw new Error("it started");
}

describe("listen", () => {
  test("on port 0 tells the port that the system chose", async () => {
    await using lb = cluster({ backends: [1] });
    expect(lb.port).toBeGreaterThan(0);
  });

  test("on a taken port is LISTEN_IN_USE and names it", async () => {
    await using server = rawServer();
    const error = startError(`127.0.0.1:${server.port}`);
    expect(error.code).toBe("LISTEN_IN_USE");
    expect(error.detail).toContain(String(server.port));
  });

  test("on the path of a unix socket in use is LISTEN_IN_USE", async () => {
    const path = join(folder.path, "used");
    await using server = rawServer({ unix: path });
    expect(server.connections).toEqual([]);
    expect(startError(`unix:${path}`).code).toBe("LISTEN_IN_USE");
    expect(existsSync(path)).toBe(true);
  });

  test("on an address of another machine is LISTEN_FAILED", () => {
    // TEST-NET-1 (RFC 5737): nobody's.
    expect(startError("192.0.2.1:0").code).toBe("LISTEN_FAILED");
  });

  test("in a folder that does not exist is LISTEN_FAILED", () => {
    expect(startError(`unix:${join(folder.path, "no", "such", "folder")}`).code).toBe("LISTEN_FAILED");
  });
});
