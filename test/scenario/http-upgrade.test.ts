import { expect, test } from "bun:test";
import { until } from "../fixtures/cluster.ts";
import { backend, client, get, ok, weir } from "../fixtures/http.ts";

const UPGRADE = "Connection: Upgrade\r\nUpgrade: chat\r\n";
const SWITCH = `HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\n`;

test("a WebSocket passes, messages both ways and its close", async () => {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("no upgrade", { status: 400 })),
    websocket: {
      message(socket, message) {
        socket.send(`echo ${String(message)}`);
      },
    },
  });
  await using lb = weir({ backends: [server.port ?? 0] });
  const socket = new WebSocket(`ws://127.0.0.1:${lb.port}/chat`);
  const received: string[] = [];
  const closed = Promise.withResolvers<number>();
  socket.addEventListener("open", () => socket.send("one"));
  socket.addEventListener("message", ({ data }) => {
    received.push(String(data));
    if (received.length === 1) socket.send("x".repeat(100_000));
    else socket.close(4001, "done");
  });
  socket.addEventListener("close", ({ code }) => closed.resolve(code));
  expect(await closed.promise).toBe(4001);
  expect(received).toEqual(["echo one", `echo ${"x".repeat(100_000)}`]);
  await server.stop(true);
});

test("after 101 it is bytes both ways, whatever they are, with half-close", async () => {
  await using app = backend(() => SWITCH);
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const response = await user.ask(get("/chat", UPGRADE));
  expect([response.status, response.field("upgrade"), response.field("connection")]).toEqual([101, "chat", "Upgrade"]);
  expect(app.requests[0]?.field("upgrade")).toBe("chat");
  const peer = app.requests[0]!.connection;
  user.send("\0\u0001 not HTTP\r\n\r\n");
  await peer.untilText("\0\u0001 not HTTP\r\n\r\n");
  peer.send("HTTP/1.1 neither\n");
  await user.raw.untilText("HTTP/1.1 neither\n");
  user.raw.shutdown();
  await peer.untilEnd();
  peer.send("last words");
  peer.end();
  await user.raw.untilEnd();
  expect(user.rest).toEndWith("last words");
});

test("bytes behind the 101 in the same piece belong to the tunnel", async () => {
  await using app = backend(() => `${SWITCH}early`);
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  expect((await user.ask(get("/chat", UPGRADE))).status).toBe(101);
  await user.raw.until(() => user.rest === "early");
});

test("bytes that the client sent before the 101 belong to the tunnel", async () => {
  await using app = backend(() => {});
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  user.send(`${get("/chat", UPGRADE)}early`);
  const { connection } = await app.request(0);
  connection.send(SWITCH);
  await connection.until(({ text }) => text.endsWith("\r\n\r\nearly"));
  expect((await user.response()).status).toBe(101);
});

test("a tunnel is in flight until it ends, and then no more", async () => {
  await using app = backend(() => SWITCH);
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  await user.ask(get("/chat", UPGRADE));
  expect(lb.inFlight()).toBe(2);
  expect(lb.engine.connections().clients).toBe(1);
  user.raw.end();
  app.requests[0]?.connection.end();
  await until(() => lb.inFlight() === 0 && lb.engine.connections().clients === 0);
});

test("a tunnel over which nothing passes is closed when its time is over", async () => {
  await using app = backend(() => SWITCH);
  await using lb = weir({ backends: [app], timeouts: { idleMs: 100 } });
  await using user = await client(lb);
  await user.ask(get("/chat", UPGRADE));
  await user.raw.untilEnd();
  await until(() => lb.listenerErrors("TUNNEL_IDLE") === 1);
});

test("an upgrade that the backend refuses leaves both connections to the next request", async () => {
  await using app = backend(({ field, start }) => ok(`${start} ${field("upgrade")}`));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const refused = await user.ask(get("/1", UPGRADE));
  expect([refused.status, refused.body, refused.field("upgrade")]).toEqual([200, "GET /1 HTTP/1.1 chat", null]);
  expect((await user.ask(get("/2"))).body).toBe("GET /2 HTTP/1.1 null");
  expect(app.server.connections.length).toBe(1);
});

test("h2c is not passed on: requests could hide in it", async () => {
  await using app = backend(({ field }) => ok(`${field("upgrade")} ${field("connection")} ${field("http2-settings")}`));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  for (const protocol of ["h2c", "H2C", "foo, h2c", "h2c,websocket"]) {
    const lines = `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n`;
    expect((await user.ask(get("/", lines))).body).toBe("null null null");
  }
});

test("Upgrade is not passed on with a body, from HTTP/1.0, or unless Connection names it", async () => {
  await using app = backend(({ field }) => ok(`${field("upgrade")} ${field("connection")}`));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const upgrade = `${UPGRADE}\r\n`;
  expect((await user.ask(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n${upgrade}x`)).body).toBe("null null");
  expect((await user.ask(get("/", "Upgrade: chat\r\n"))).body).toBe("null null");
  expect((await user.ask(get("/", "Connection: Upgrade\r\n"))).body).toBe("null null");
  expect((await user.ask(`GET / HTTP/1.0\r\n${upgrade}`)).body).toBe("null null");
});

test("a 101 that nobody asked for is a 502", async () => {
  await using app = backend(() => SWITCH);
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  expect((await user.ask(get())).status).toBe(502);
});

test("a client that goes away before the 101 takes its attempt with it", async () => {
  await using app = backend(() => {});
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  user.send(get("/chat", UPGRADE));
  const { connection } = await app.request(0);
  user.raw.reset();
  await connection.until(({ closed }) => closed);
});
