import { expect, test } from "bun:test";
import { backend, client, ok, weir } from "../fixtures/http.ts";

const ROUTES = [
  { host: "*.example.com", backend: 0 },
  { host: "a.example.com", backend: 1 },
  { host: "a.example.com", path: "/v1/*", backend: 2 },
  { host: "a.example.com", path: "/v1/users", backend: 3 },
  { path: "/v1/*", backend: 4 },
] as const;

const CASES: readonly (readonly [string, string, string])[] = [
  ["b.example.com", "/", "0"],
  ["B.EXAMPLE.com:8080", "/", "0"],
  ["x.y.example.com", "/", "0"],
  ["a.example.com", "/", "1"],
  ["A.Example.COM.", "/other", "1"],
  ["a.example.com", "/v1/x?y=/", "2"],
  ["a.example.com", "/v1/users?x", "3"],
  ["a.example.com", "/x/../v1/users", "3"],
  ["a.example.com", "/%76%31/users", "3"],
  ["a.example.com", "/v1/users/1", "2"],
  ["a.example.com", "/v1", "1"],
  ["a.example.com", "/V1/users", "1"],
  ["example.com", "/v1/x", "4"],
  ["other.org", "/v1/x", "4"],
  ["example.com", "/", "404"],
  ["other.org", "/v2", "404"],
];

for (const [order, routes] of [
  ["as they stand", ROUTES],
  ["the other way round", [...ROUTES].reverse()],
] as const)
  test(`the most specific route wins, with the routes ${order}`, async () => {
    await using zero = backend(() => ok("0"));
    await using one = backend(() => ok("1"));
    await using two = backend(() => ok("2"));
    await using three = backend(() => ok("3"));
    await using four = backend(() => ok("4"));
    await using lb = weir({ backends: [zero, one, two, three, four], routes });
    await using user = await client(lb);
    for (const [host, path, to] of CASES) {
      const { status, body } = await user.ask(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect(`${host}${path} → ${status === 200 ? body : status}`).toBe(`${host}${path} → ${to}`);
    }
  });

test("a request goes to the route of the path that its backend will read", async () => {
  await using site = backend(() => ok("site"));
  await using admin = backend(() => ok("admin"));
  await using lb = weir({
    backends: [site, admin],
    routes: [
      { path: "/public/*", backend: 0 },
      { path: "/admin/*", backend: 1 },
    ],
  });
  await using user = await client(lb);
  const sneaking = await user.ask("GET /public/%2e%2e/admin/ HTTP/1.1\r\nHost: a\r\n\r\n");
  expect(sneaking.body).toBe("admin");
  expect(admin.requests[0]?.start).toBe("GET /public/%2e%2e/admin/ HTTP/1.1");
});

test("the host of an absolute target is the one that counts", async () => {
  await using one = backend(() => ok("one"));
  await using two = backend(() => ok("two"));
  await using lb = weir({
    backends: [one, two],
    routes: [
      { host: "one", backend: 0 },
      { host: "two", backend: 1 },
    ],
  });
  await using user = await client(lb);
  expect((await user.ask("GET http://two/ HTTP/1.1\r\nHost: one\r\n\r\n")).body).toBe("two");
});

test("a target without a path is that of /", async () => {
  await using app = backend(({ start }) => ok(start));
  await using lb = weir({ backends: [app], routes: [{ path: "/", backend: 0 }] });
  await using user = await client(lb);
  expect((await user.ask("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n")).body).toBe("GET / HTTP/1.1");
});

test("where nothing matches it is a 404 that names the cause, and the connection lives on", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app], routes: [{ host: "a", backend: 0 }] });
  await using user = await client(lb);
  const response = await user.ask("GET / HTTP/1.1\r\nHost: b\r\n\r\n");
  expect(response.status).toBe(404);
  expect(response.field("proxy-status")).toBe('weir; error=destination_not_found; details="ROUTE_NOT_FOUND"');
  expect((await user.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n")).status).toBe(200);
});

test("a request of HTTP/1.0 without Host goes to a route without host", async () => {
  await using one = backend(() => ok("one"));
  await using rest = backend(() => ok("rest"));
  await using lb = weir({ backends: [one, rest], routes: [{ host: "one", backend: 0 }, { backend: 1 }] });
  await using user = await client(lb);
  expect((await user.ask("GET / HTTP/1.0\r\n\r\n")).body).toBe("rest");
});
