import { expect, test } from "bun:test";
import { backend, chunks, client, get, ok, post, weir } from "../fixtures/http.ts";

// Clauses that bind an intermediary and that no other test holds; `docs/http-conformance.md` has all of them.

test("cache directives and the fields of caches pass both ways as they came", async () => {
  const asked = 'Cache-Control: no-cache, max-age=0\r\nPragma: no-cache\r\nIf-None-Match: "x"\r\n';
  const told =
    'Cache-Control: max-age=60, private="a", must-understand\r\nAge: 5\r\nExpires: 0\r\nVary: *\r\nWarning: 110\r\n';
  await using app = backend(() => ok("ok", told));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const response = await user.ask(get("/", asked));
  expect(response.raw).toContain(`\r\n${told}`);
  expect((await app.request(0)).raw).toContain(`\r\n${asked}`);
  // Nothing is kept: the next one asks again.
  await user.ask(get("/", asked));
  expect(app.requests.length).toBe(2);
});

test("Max-Forwards is counted down for OPTIONS and TRACE, and answered at 0", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  for (const method of ["OPTIONS", "TRACE"]) {
    await user.ask(get("/", "Max-Forwards: 5\r\n").replace("GET", method));
    expect(app.requests.at(-1)?.field("max-forwards")).toBe("4");
    await user.ask(get().replace("GET", method));
    expect(app.requests.at(-1)?.field("max-forwards")).toBeNull();
  }
  await user.ask(get("/", "Max-Forwards: 0\r\n"));
  expect(app.requests.at(-1)?.field("max-forwards")).toBe("0");
  const before = app.requests.length;
  expect((await user.ask(get("/", "Max-Forwards: 0\r\n").replace("GET", "OPTIONS"))).status).toBe(400);
  expect(app.requests.length).toBe(before);
});

test("Expect of HTTP/1.0 is ignored and goes no further", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  await user.ask("POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi");
  expect([app.requests[0]?.field("expect"), app.requests[0]?.body]).toEqual([null, "hi"]);
});

test("an expectation that Weir does not know is the backend's to answer", async () => {
  await using app = backend(() => ok("no", "", "417 Expectation Failed"));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  expect((await user.ask(post("hi", { lines: "Expect: 200-ok\r\n" }))).status).toBe(417);
  expect(app.requests[0]?.field("expect")).toBe("200-ok");
});

test("Via tells the version with which a message came", async () => {
  await using app = backend(() => `HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok`);
  await using lb = weir({ backends: [app], via: true });
  await using user = await client(lb);
  expect((await user.ask(get())).field("via")).toBe("1.0 weir");
  expect(app.requests[0]?.field("via")).toBe("1.1 weir");
  await user.ask("GET / HTTP/1.0\r\n\r\n");
  expect(app.requests[1]?.field("via")).toBe("1.0 weir");
});

test("TE goes no further than this hop but for trailers, which Connection then names", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const te = async (value: string): Promise<(string | null | undefined)[]> => {
    await user.ask(get("/", `TE: ${value}\r\nConnection: TE\r\n`));
    return ["te", "connection"].map((name) => app.requests.at(-1)?.field(name));
  };
  expect(await te("trailers")).toEqual(["trailers", "TE"]);
  for (const value of ["gzip", "deflate;q=0.5, gzip", "chunked", ""]) expect(await te(value)).toEqual([null, null]);
});

test("Trailer, which announces fields behind the body, passes with them", async () => {
  const lines = "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n";
  await using app = backend(() => `HTTP/1.1 200 OK\r\n${lines}\r\n${chunks(["x"], ["X-Sum: 2"])}`);
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const asked = `POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n${lines}\r\n${chunks(["x"], ["X-Sum: 1"])}`;
  const response = await user.ask(asked);
  expect([app.requests[0]?.field("trailer"), app.requests[0]?.trailers]).toEqual(["X-Sum", ["X-Sum: 1"]]);
  expect([response.field("trailer"), response.trailers]).toEqual(["X-Sum", ["X-Sum: 2"]]);
});

test("Connection: close with X-Forwarded-For named takes away nothing that tells who asks", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app], via: true });
  await using user = await client(lb);
  const named =
    "close, X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, Forwarded, Host, Via, Content-Length, Date";
  await user.ask(post("hi", { lines: `Connection: ${named}\r\nX-Forwarded-For: 10.0.0.1\r\n` }));
  const { field, body } = await app.request(0);
  expect(
    ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "host", "via"].map((name) => field(name)),
  ).toEqual(["127.0.0.1", "http", "weir.example", "weir.example", "1.1 weir"]);
  expect([body, field("connection")]).toEqual(["hi", null]);
});

test("a field with an underscore in its name does not pass, whatever it would be with a hyphen", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app], trustedProxies: ["127.0.0.0/8"] });
  await using user = await client(lb);
  await user.ask(get("/", "X_Forwarded_For: 10.0.0.1\r\nX-User_Id: 1\r\nX-Kept: 1\r\n_: 1\r\n"));
  const names = (await app.request(0)).fields.map(([name]) => name);
  expect(names.filter((name) => name.includes("_"))).toEqual([]);
  expect(names).toContain("x-kept");
});

test("path and query pass as they came, whatever they hold", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  for (const target of [
    "/",
    "//a//b",
    "/a/../b/./c",
    "/%2e%2E/%2F",
    "/a%00b",
    "/?",
    "/a?b?c=/d&&e=%zz",
    "/;p=1",
    '/"<>|',
  ]) {
    await user.ask(get(target));
    expect(app.requests.at(-1)?.start).toBe(`GET ${target} HTTP/1.1`);
  }
});

test("a request for a port past the last is a 400", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  for (const host of ["a:99999", "a:65536", "[::1]:70000"]) {
    await using user = await client(lb);
    const response = await user.ask(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect([response.status, response.field("connection")]).toEqual([400, "close"]);
  }
  expect(app.requests.length).toBe(0);
});

test("a connection over which a GET or HEAD went with a body is not used again", async () => {
  await using app = backend(({ start }) => ok(start.startsWith("HEAD") ? "" : "ok"));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  for (const [method, connections] of [
    ["PUT", 1],
    ["GET", 1],
    ["HEAD", 2],
    ["PUT", 3],
    ["PUT", 3],
  ] as const) {
    await user.ask(post("GET /admin HTTP/1.1\r\nHost: a\r\n\r\n", { method }), { toHead: method === "HEAD" });
    expect([method, app.server.connections.length]).toEqual([method, connections]);
  }
});

test("a backend that sends interim responses without end is a 502", async () => {
  await using app = backend(({ connection }) => connection.send("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000)));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  user.send(get());
  let response = await user.response();
  let interims = 0;
  for (; response.status === 103; interims += 1) response = await user.response();
  expect([response.status, interims]).toEqual([502, 100]);
  expect(response.field("proxy-status")).toContain("more than 100 interim responses");
});

test("trailers of a message whose Connection names fields go no further", async () => {
  const trailers = ["X-Sum: 1", "X-Hop: 2"];
  await using app = backend(({ nth }) => {
    const connection = nth === 0 ? "" : "Connection: x-hop\r\n";
    return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${connection}\r\n${chunks(["a"], trailers)}`;
  });
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const head = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n";
  const plain = await user.ask(`${head}Connection: TE\r\n\r\n${chunks(["a"], trailers)}`);
  expect([plain.trailers, app.requests[0]!.trailers]).toEqual([trailers, trailers]);
  const named = await user.ask(`${head}Connection: TE, x-hop\r\n\r\n${chunks(["a"], trailers)}`);
  expect([named.trailers, app.requests[1]!.trailers]).toEqual([[], []]);
});
