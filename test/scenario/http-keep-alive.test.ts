import { expect, test } from "bun:test";
import { until } from "../fixtures/cluster.ts";
import { backend, client, get, ok, post, weir } from "../fixtures/http.ts";

test("a client's connection serves one request after another", async () => {
  await using app = backend(({ start }) => ok(start));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  for (const path of ["/1", "/2", "/3"]) expect((await user.ask(get(path))).body).toBe(`GET ${path} HTTP/1.1`);
  expect(lb.listener("connections")).toBe(1);
});

test("a backend's connection is used again, by any client", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  for (let i = 0; i < 3; i++) {
    await using user = await client(lb);
    expect((await user.ask(get())).status).toBe(200);
  }
  expect(app.server.connections.length).toBe(1);
  expect(lb.engine.connections().backends).toBe(1);
});

test("requests at a time each have a backend connection of their own", async () => {
  await using app = backend(() => {});
  await using lb = weir({ backends: [app] });
  await using one = await client(lb);
  await using two = await client(lb);
  one.send(get("/one"));
  two.send(get("/two"));
  const [first, second] = [await app.request(0), await app.request(1)];
  expect(first.on).not.toBe(second.on);
  second.connection.send(ok(second.start));
  first.connection.send(ok(first.start));
  expect((await one.response()).body).toBe("GET /one HTTP/1.1");
  expect((await two.response()).body).toBe("GET /two HTTP/1.1");
});

test("no more idle connections are kept than the bound", async () => {
  await using app = backend(() => {});
  await using lb = weir({ backends: [app], limits: { idleConnections: 2 }, timeouts: { idleBackendMs: 600_000 } });
  const users = await Promise.all([1, 2, 3, 4].map(() => client(lb)));
  for (const user of users) user.send(get());
  await app.request(3);
  for (const { connection } of app.requests) connection.send(ok());
  for (const user of users) await user.response();
  await until(() => lb.engine.connections().backends === 2);
  await until(() => app.server.connections.filter(({ ended }) => ended).length === 2);
  for (const user of users) await user[Symbol.asyncDispose]();
});

test("an idle connection is closed when its lifetime is over", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app], timeouts: { idleBackendMs: 100 } });
  await using user = await client(lb);
  await user.ask(get());
  await (await app.server.connection(0)).untilEnd();
  await until(() => lb.engine.connections().backends === 0);
  expect((await user.ask(get())).status).toBe(200);
  expect(app.server.connections.length).toBe(2);
});

test("the lifetime that a backend tells in Keep-Alive is learnt", async () => {
  await using app = backend(() => ok("ok", "Keep-Alive: timeout=1\r\n"));
  await using lb = weir({ backends: [app], timeouts: { idleBackendMs: 600_000 } });
  await using user = await client(lb);
  await user.ask(get());
  await (await app.server.connection(0)).untilEnd();
  await until(() => lb.engine.connections().backends === 0);
});

test("a lifetime of 0 that a backend tells means that it keeps none", async () => {
  await using app = backend(() => ok("ok", "Keep-Alive: timeout=0\r\n"));
  await using lb = weir({ backends: [app], timeouts: { idleBackendMs: 600_000 } });
  await using user = await client(lb);
  await user.ask(get());
  await (await app.server.connection(0)).untilEnd();
});

test("a longer lifetime that a backend tells does not lengthen the configured one", async () => {
  await using app = backend(() => ok("ok", "Keep-Alive: timeout=600\r\n"));
  await using lb = weir({ backends: [app], timeouts: { idleBackendMs: 100 } });
  await using user = await client(lb);
  await user.ask(get());
  await (await app.server.connection(0)).untilEnd();
});

test("a backend that says close is not used again", async () => {
  await using app = backend(() => ok("ok", "Connection: close\r\n"));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const response = await user.ask(get());
  expect(response.field("connection")).toBeNull();
  await (await app.server.connection(0)).untilEnd();
  expect((await user.ask(get())).status).toBe(200);
  expect(app.server.connections.length).toBe(2);
});

test("a backend of HTTP/1.0 is asked over a new connection each time, and its client keeps its own", async () => {
  await using app = backend(() => "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  for (let i = 0; i < 2; i++) {
    const { start, body } = await user.ask(get());
    expect([start, body]).toEqual(["HTTP/1.1 200 OK", "ok"]);
  }
  expect(app.server.connections.length).toBe(2);
});

test("an idle backend connection that closes is forgotten", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  await user.ask(get());
  (await app.server.connection(0)).end();
  await until(() => lb.engine.connections().backends === 0);
  expect((await user.ask(get())).status).toBe(200);
});

test("a POST whose length is 0 leaves its backend connection for the next request", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  for (let i = 0; i < 3; i++) expect((await user.ask(post(""))).status).toBe(200);
  expect(app.requests.map(({ field }) => field("content-length"))).toEqual(["0", "0", "0"]);
  expect(app.server.connections.length).toBe(1);
});

test("a client that says close is answered, told so and closed", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const response = await user.ask(get("/", "Connection: close\r\n"));
  expect(response.field("connection")).toBe("close");
  await user.raw.untilEnd();
  expect(app.requests[0]?.field("connection")).toBeNull();
  // It is the client's connection that closes, not the backend's.
  expect(lb.engine.connections().backends).toBe(1);
});

test("a client's idle connection is closed when its time is over", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app], timeouts: { keepAliveMs: 100 } });
  await using user = await client(lb);
  await user.ask(get());
  await user.raw.untilEnd();
  expect([user.rest, user.raw.error]).toEqual(["", null]);
});

test("a connection on which nothing was ever sent is closed without a word", async () => {
  await using lb = weir({ backends: [1], timeouts: { headMs: 100 } });
  await using user = await client(lb);
  await user.raw.untilEnd();
  expect(user.raw.text).toBe("");
});

test("a client of HTTP/1.0 is answered and closed", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const response = await user.ask("GET / HTTP/1.0\r\n\r\n");
  expect([response.start, response.field("connection"), response.body]).toEqual(["HTTP/1.1 200 OK", "close", "ok"]);
  await user.raw.untilEnd();
  expect(app.requests[0]?.start).toBe("GET / HTTP/1.1");
  expect(app.requests[0]?.field("host")).toBe(`127.0.0.1:${app.port}`);
});

test("a client of HTTP/1.0 that asks for it is kept, and told so", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  for (let i = 0; i < 2; i++) {
    const response = await user.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    expect([response.field("connection"), response.body]).toEqual(["keep-alive", "ok"]);
  }
});

test("bytes that nobody asked for close an idle backend connection, and answer no request", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  await user.ask(get());
  const first = await app.server.connection(0);
  first.send(ok("poison"));
  await until(() => lb.engine.connections().backends === 0);
  expect((await user.ask(get())).body).toBe("ok");
});
