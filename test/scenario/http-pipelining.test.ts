import { expect, test } from "bun:test";
import { backend, chunks, client, get, ok, post, weir } from "../fixtures/http.ts";

test("requests sent at once are answered in their order, though the first is slow", async () => {
  await using app = backend(({ start }) => (start.includes("/slow") ? undefined : ok(start)));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  user.send(get("/slow") + get("/fast"));
  const slow = await app.request(0);
  // The second waits for its turn: a response out of order could not be told apart.
  expect(app.requests.length).toBe(1);
  slow.connection.send(ok("slow"));
  expect((await user.response()).body).toBe("slow");
  expect((await user.response()).body).toBe("GET /fast HTTP/1.1");
});

test("a thousand requests sent at once get a thousand responses in order", async () => {
  await using app = backend(({ start }) => ok(start));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  user.send(Array.from({ length: 1000 }, (_, i) => get(`/${i}`)).join(""));
  for (let i = 0; i < 1000; i++) expect((await user.response()).body).toBe(`GET /${i} HTTP/1.1`);
  expect(app.server.connections.length).toBe(1);
});

test("more requests than Weir keeps ahead are answered all the same", async () => {
  await using app = backend(({ start }) => ok(start));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const padding = `X: ${"p".repeat(2000)}\r\n`;
  user.send(Array.from({ length: 200 }, (_, i) => get(`/${i}`, padding)).join(""));
  for (let i = 0; i < 200; i++) expect((await user.response()).body).toBe(`GET /${i} HTTP/1.1`);
});

test("requests with and without bodies may follow each other at once", async () => {
  await using app = backend(({ start, body }) => ok(`${start} ${body}`));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  const chunked = `PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(["ab", "c"])}`;
  user.send(post("one") + chunked + get("/g") + post("") + post("two"));
  const bodies = [
    "POST / HTTP/1.1 one",
    "PUT /c HTTP/1.1 abc",
    "GET /g HTTP/1.1 ",
    "POST / HTTP/1.1 ",
    "POST / HTTP/1.1 two",
  ];
  for (const body of bodies) expect((await user.response()).body).toBe(body);
});

test("nothing is answered behind a request that closes the connection", async () => {
  await using app = backend(({ start }) => ok(start));
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  user.send(get("/1", "Connection: close\r\n") + get("/2"));
  expect((await user.response()).body).toBe("GET /1 HTTP/1.1");
  await user.raw.untilEnd();
  expect(user.rest).toBe("");
  expect(app.requests.length).toBe(1);
});

test("an error of one request does not disturb those behind it", async () => {
  await using app = backend(({ start }) => ok(start));
  await using lb = weir({ backends: [app], routes: [{ path: "/a/*", backend: 0 }] });
  await using user = await client(lb);
  user.send(get("/a/1") + get("/nowhere") + post("body", { path: "/nowhere" }) + get("/a/2"));
  expect((await user.response()).body).toBe("GET /a/1 HTTP/1.1");
  expect((await user.response()).status).toBe(404);
  expect((await user.response()).status).toBe(404);
  expect((await user.response()).body).toBe("GET /a/2 HTTP/1.1");
});
