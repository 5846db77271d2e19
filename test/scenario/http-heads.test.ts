import { expect, test } from "bun:test";
import { backend, client, get, ok, weir } from "../fixtures/http.ts";
import { connectRaw } from "../fixtures/raw.ts";
import { Client } from "../fixtures/http.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

test("X-Forwarded-For, -Proto and -Host tell the backend who asked for what", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  await user.ask("GET / HTTP/1.1\r\nHost: Shop.example:8080\r\n\r\n");
  const { field } = await app.request(0);
  expect(field("x-forwarded-for")).toBe("127.0.0.1");
  expect(field("x-forwarded-proto")).toBe("http");
  expect(field("x-forwarded-host")).toBe("Shop.example:8080");
  expect(field("host")).toBe("Shop.example:8080");
});

test("a stranger's own X-Forwarded-* are replaced", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app], trustedProxies: ["192.0.2.0/24"] });
  await using user = await client(lb);
  await user.ask(get("/", "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n"));
  const { field } = await app.request(0);
  expect(field("x-forwarded-for")).toBe("127.0.0.1");
  expect(field("x-forwarded-proto")).toBe("http");
  expect(field("x-forwarded-host")).toBe("weir.example");
});

test("a trusted proxy's X-Forwarded-For is appended to, and its -Proto and -Host kept", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app], trustedProxies: ["127.0.0.0/8"] });
  await using user = await client(lb);
  await user.ask(get("/", "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop\r\n"));
  const { field } = await app.request(0);
  expect(field("x-forwarded-for")).toBe("1.1.1.1, 127.0.0.1");
  expect(field("x-forwarded-proto")).toBe("https");
  expect(field("x-forwarded-host")).toBe("shop");
});

test("a client on a unix socket is told as unknown", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/weir.sock`;
  await using app = backend();
  await using lb = weir({ backends: [app], address: `unix:${path}`, trustedProxies: ["127.0.0.1"] });
  expect(lb.port).toBe(0);
  await using user = new Client(await connectRaw(path));
  expect((await user.ask(get())).status).toBe(200);
  expect((await app.request(0)).field("x-forwarded-for")).toBe("unknown");
});

test("Via is added both ways where it is configured, and nowhere else", async () => {
  await using app = backend(() => ok("ok", "Via: 1.0 inner\r\n"));
  {
    await using lb = weir({ backends: [app], via: true });
    await using user = await client(lb);
    const response = await user.ask(get("/", "Via: 1.0 outer\r\n"));
    expect(response.field("via")).toBe("1.0 inner, 1.1 weir");
    expect(app.requests[0]?.field("via")).toBe("1.0 outer, 1.1 weir");
  }
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  expect((await user.ask(get())).field("via")).toBe("1.0 inner");
  expect(app.requests[1]?.field("via")).toBeNull();
});

test("a target in absolute form becomes a path, and its host wins over Host", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  await user.ask("GET http://one.example:81/p?q HTTP/1.1\r\nHost: two.example\r\n\r\n");
  const { start, field } = await app.request(0);
  expect([start, field("host"), field("x-forwarded-host")]).toEqual([
    "GET /p?q HTTP/1.1",
    "one.example:81",
    "one.example:81",
  ]);
});

test("OPTIONS * passes as it is", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  await user.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  await user.ask("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n");
  expect(app.requests.map(({ start }) => start)).toEqual(["OPTIONS * HTTP/1.1", "OPTIONS * HTTP/1.1"]);
});

test("fields that Connection names, and the other hop-by-hop fields, go no further in either direction", async () => {
  const hop =
    "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nX-End: 2\r\n";
  await using app = backend(() => ok("ok", hop));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const response = await user.ask(get("/", `${hop}TE: gzip\r\nUpgrade: foo\r\n`));
  for (const { field } of [response, await app.request(0)]) {
    for (const name of ["connection", "x-hop", "keep-alive", "proxy-connection", "te", "upgrade"])
      expect(field(name)).toBeNull();
    expect(field("x-end")).toBe("2");
  }
});

test("a client cannot take away what frames and routes a request by naming it in Connection", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  await user.ask(
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: content-length, host, x-forwarded-for\r\nContent-Length: 2\r\n\r\nhi",
  );
  const { body, field } = await app.request(0);
  expect([body, field("host"), field("x-forwarded-for")]).toEqual(["hi", "a", "127.0.0.1"]);
});

test("every other field passes both ways in its order, byte for byte", async () => {
  const lines = 'X-B: 1\r\nx-a:two\r\nX-B: 3\r\nCookie: a=b; c="d"\r\nX-\u0023: \u00e4\u00ff\r\n';
  await using app = backend(() => ok("ok", `${lines}Set-Cookie: a\r\nSet-Cookie: b\r\nDate: now\r\n`));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const response = await user.ask(get("/p?a=%20b", lines));
  expect(response.raw).toBe(ok("ok", `${lines}Set-Cookie: a\r\nSet-Cookie: b\r\nDate: now\r\n`));
  expect((await app.request(0)).raw).toStartWith(`GET /p?a=%20b HTTP/1.1\r\nHost: weir.example\r\n${lines}`);
});

test("a response without Date gets one", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  expect(Date.parse((await user.ask(get())).field("date") ?? "")).not.toBeNaN();
});

test("a head of 128 fields passes, and one of the whole size that is allowed", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const fields = Array.from({ length: 127 }, (_, i) => `X-${i}: ${i}\r\n`).join("");
  expect((await user.ask(get("/", fields))).status).toBe(200);
  expect((await app.request(0)).field("x-126")).toBe("126");
  const empty = get("/", "X: \r\n").length;
  expect((await user.ask(get("/", `X: ${"y".repeat(32 * 1024 - empty)}\r\n`))).status).toBe(200);
});

test("a head that comes byte by byte is the same head", async () => {
  await using app = backend(({ start }) => ok(start));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const head = get("/drip", "X: y\r\n");
  for (const byte of head) {
    user.send(byte);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  expect((await user.response()).body).toBe("GET /drip HTTP/1.1");
});
