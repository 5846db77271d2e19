import { expect, test } from "bun:test";
import { cluster, TIMEOUTS, until } from "../fixtures/cluster.ts";
import { HandClock, LATE_MS } from "../fixtures/hand-clock.ts";
import { connectRaw, rawServer } from "../fixtures/raw.ts";

const HOUR_MS = 3_600_000;

test("a connection that passes no byte for an hour is closed, counted, and not before", async () => {
  expect(TIMEOUTS.idleMs).toBe(HOUR_MS);
  const clock = new HandClock();
  await using server = rawServer();
  await using lb = cluster({ mode: "tcp", backends: [server.port], clock });
  await using client = await connectRaw(lb.port);
  client.send("a");
  const backend = await server.connection(0);
  await backend.untilText("a");
  // Its own byte in time: it lives on from then, and so does the other direction.
  clock.pass(HOUR_MS - LATE_MS);
  backend.send("b");
  await client.untilText("b");
  clock.pass(HOUR_MS - LATE_MS);
  client.send("c");
  await backend.untilText("c");
  expect(lb.inFlight()).toBe(2);
  clock.pass(HOUR_MS + LATE_MS);
  await Promise.all([client.untilEnd(), backend.untilEnd()]);
  expect([client.error, backend.error]).toEqual([null, null]);
  await until(() => lb.inFlight() === 0);
  expect(lb.listenerErrors("TUNNEL_IDLE")).toBe(1);
});

test("a half-closed connection that passes no byte is closed too", async () => {
  await using server = rawServer();
  await using lb = cluster({ mode: "tcp", backends: [server.port], timeouts: { idleMs: 100 } });
  await using client = await connectRaw(lb.port);
  client.shutdown();
  await client.untilEnd();
  await until(() => lb.inFlight() === 0);
  expect(lb.listenerErrors("TUNNEL_IDLE")).toBe(1);
});

test("a connection that comes after hours in which there was none has all of its time", async () => {
  const clock = new HandClock();
  await using server = rawServer({ onConnection: (connection) => connection.send("hello") });
  await using lb = cluster({ mode: "tcp", backends: [server.port], clock });
  {
    const client = await connectRaw(lb.port);
    await client.untilText("hello");
    client.reset();
    await until(() => lb.inFlight() === 0);
  }
  // The wheel stands still while nothing is open: this passes unseen.
  await Bun.sleep(150);
  clock.pass(24 * HOUR_MS);
  await using client = await connectRaw(lb.port);
  await client.untilText("hello");
  clock.pass(HOUR_MS - LATE_MS);
  const backend = await server.connection(1);
  backend.send(" again");
  await client.untilText("hello again");
  expect([lb.listenerErrors("BACKEND_CONNECT_TIMEOUT"), lb.listenerErrors("TUNNEL_IDLE")]).toEqual([0, 0]);
});

test("a client that comes while the process has just been stopped for long has all of its time", async () => {
  const clock = new HandClock();
  await using server = rawServer({
    onData: (connection) => connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
  });
  await using lb = cluster({ mode: "http", backends: [server.port], clock });
  // A timer keeps the wheel turning; its time is that of the last turn.
  await using other = await connectRaw(lb.port);
  await until(() => lb.engine.connections().clients === 1);
  const client = connectRaw(lb.port);
  // Nothing else runs before the connection is accepted: to Weir this is one long turn of the event loop.
  clock.pass(TIMEOUTS.headMs - LATE_MS);
  await using late = await client;
  await until(() => lb.engine.connections().clients === 2);
  clock.pass(2 * LATE_MS);
  await other.untilEnd();
  late.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await late.untilText("ok");
});

test("0 as idle timeout keeps a silent connection", async () => {
  const clock = new HandClock();
  await using server = rawServer();
  await using lb = cluster({ mode: "tcp", backends: [server.port], clock, timeouts: { idleMs: 0 } });
  await using client = await connectRaw(lb.port);
  const backend = await server.connection(0);
  clock.pass(1000 * HOUR_MS);
  client.send("still here");
  await backend.untilText("still here");
});
