import { describe, expect, test } from "bun:test";
import { parseAddress } from "../../src/address.ts";
import { until } from "../fixtures/cluster.ts";
import { backend, chunks, client, get, ok, post, weir } from "../fixtures/http.ts";

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const PUT_CHUNKED = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n";

describe("a request's body", () => {
  test("of a length passes with its length", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    await user.ask(post("hello"));
    expect([app.requests[0]?.field("content-length"), app.requests[0]?.body]).toEqual(["5", "hello"]);
  });

  test("in chunks passes in chunks, as it comes", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    user.send(`${PUT_CHUNKED}\r\n5\r\nhello\r\n`);
    const connection = await app.server.connection(0);
    await connection.untilText("5\r\nhello\r\n");
    user.send("1\r\n!\r\n0\r\n\r\n");
    expect((await user.response()).status).toBe(200);
    expect([app.requests[0]?.chunked, app.requests[0]?.body]).toEqual([true, "hello!"]);
  });

  test("in chunks may have trailers", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    await user.ask(`${PUT_CHUNKED}\r\n${chunks(["x"], ["X-Sum: 1", "X-More: 2"])}`);
    expect(app.requests[0]?.trailers).toEqual(["X-Sum: 1", "X-More: 2"]);
  });

  test("cannot change in its trailers what its head has said", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    const trailers = [
      "Content-Length: 9",
      "Host: evil",
      "Transfer-Encoding: x",
      "X-Forwarded-For: 1.1.1.1",
      "X-Kept: 1",
    ];
    await user.ask(`${PUT_CHUNKED}\r\n${chunks(["x"], trailers)}`);
    expect(app.requests[0]?.trailers).toEqual(["X-Kept: 1"]);
  });

  test("loses its chunk extensions", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    await user.ask(`${PUT_CHUNKED}\r\n1;ext=1\r\nx\r\n0;last\r\n\r\n`);
    expect(app.requests[0]?.raw).toEndWith("\r\n\r\n1\r\nx\r\n0\r\n\r\n");
  });

  test("longer than announced is no part of the request: what is too much is read as the next one", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    expect((await user.ask(`${post("hello")}\u0001\u0002too much`)).status).toBe(200);
    expect((await user.response()).status).toBe(400);
    await user.raw.untilEnd();
    expect(app.requests.map(({ body }) => body)).toEqual(["hello"]);
  });

  test("shorter than announced never becomes a request: the attempt is cancelled", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    user.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
    const connection = await app.server.connection(0);
    await connection.untilText("hello");
    user.raw.end();
    await connection.until(({ closed }) => closed);
    expect(connection.error).not.toBeNull();
    expect(lb.listenerErrors("CLIENT_GONE")).toBe(1);
  });

  test("broken in its chunks is refused, and the attempt cancelled", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    user.send(`${PUT_CHUNKED}\r\n5\r\nhello\r\n`);
    const connection = await app.server.connection(0);
    await connection.untilText("hello");
    const response = await user.ask("zz\r\n");
    expect([response.status, response.field("connection")]).toEqual([400, "close"]);
    expect(response.body).toContain("CLIENT_BAD_BODY");
    await connection.until(({ closed }) => closed);
    expect(app.requests).toEqual([]);
  });

  test("of GET passes as any other", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    await user.ask(post("query", { method: "GET" }));
    expect([app.requests[0]?.start, app.requests[0]?.body]).toEqual(["GET / HTTP/1.1", "query"]);
  });
});

describe("a response's body", () => {
  test("of a length passes with its length", async () => {
    await using app = backend(() => ok("hello"));
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    const { field, body, chunked } = await user.ask(get());
    expect([field("content-length"), body, chunked]).toEqual(["5", "hello", false]);
  });

  test("of nothing is a response at once", async () => {
    await using app = backend(() => ok(""));
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    for (let i = 0; i < 2; i++) expect((await user.ask(get())).body).toBe("");
    expect(app.server.connections.length).toBe(1);
  });

  test("in chunks passes in chunks, as it comes", async () => {
    await using app = backend(() => `${CHUNKED}5\r\nhello\r\n`);
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    user.send(get());
    await user.raw.untilText("5\r\nhello\r\n");
    (await app.request(0)).connection.send("0\r\n\r\n");
    const { body, chunked } = await user.response();
    expect([body, chunked]).toEqual(["hello", true]);
  });

  test("in chunks may have trailers", async () => {
    await using app = backend(() => CHUNKED + chunks(["a", "b"], ["X-Sum: 1"]));
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    expect((await user.ask(get("/", "TE: trailers\r\n"))).trailers).toEqual(["X-Sum: 1"]);
    expect(app.requests[0]?.field("te")).toBe("trailers");
  });

  test("in chunks reaches a client of HTTP/1.0 without them, until the connection ends", async () => {
    await using app = backend(() => CHUNKED + chunks(["a", "b"], ["X-Sum: 1"]));
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    const response = await user.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    expect([response.chunked, response.body, response.field("connection")]).toEqual([false, "ab", "close"]);
    expect(response.field("transfer-encoding")).toBeNull();
    expect(user.raw.error).toBeNull();
  });

  test("until the backend closes reaches a client of HTTP/1.1 in chunks, and its connection lives on", async () => {
    await using app = backend(({ connection }) => {
      connection.send("HTTP/1.1 200 OK\r\n\r\nhello");
      connection.end();
    });
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    for (let i = 0; i < 2; i++) {
      const { chunked, body } = await user.ask(get());
      expect([chunked, body]).toEqual([true, "hello"]);
    }
  });

  test("until the backend closes reaches a client of HTTP/1.0 until Weir closes", async () => {
    await using app = backend(({ connection }) => {
      connection.send("HTTP/1.1 200 OK\r\n\r\nhello");
      connection.end();
    });
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    const { chunked, body, field } = await user.ask("GET / HTTP/1.0\r\n\r\n");
    expect([chunked, body, field("connection")]).toEqual([false, "hello", "close"]);
    expect(user.raw.error).toBeNull();
  });

  test("until the backend closes may be empty", async () => {
    await using app = backend(({ connection }) => {
      connection.send("HTTP/1.1 200 OK\r\n\r\n");
      connection.end();
    });
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    const { chunked, body } = await user.ask(get());
    expect([chunked, body]).toEqual([true, ""]);
  });

  test("is not there in answer to HEAD, whatever its fields say", async () => {
    await using app = backend(({ start }) => {
      const length = start.endsWith("/length HTTP/1.1") || start.startsWith("GET");
      return `HTTP/1.1 200 OK\r\n${length ? "Content-Length: 5" : "Transfer-Encoding: chunked"}\r\n\r\n${start.startsWith("GET") ? "hello" : ""}`;
    });
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    const head = "HEAD /length HTTP/1.1\r\nHost: a\r\n\r\n";
    expect((await user.ask(head, { toHead: true })).field("content-length")).toBe("5");
    await user.ask(head.replace("/length", "/chunked"), { toHead: true });
    expect((await user.ask(get())).body).toBe("hello");
    expect(app.server.connections.length).toBe(1);
  });

  test("is not there in answer to HEAD, even of Weir's own errors", async () => {
    await using lb = weir({ backends: [{ address: parseAddress(":1"), weight: 0 }] });
    await using user = await client(lb);
    const head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (let i = 0; i < 2; i++) expect((await user.ask(head, { toHead: true })).status).toBe(503);
    expect(user.rest).toBe("");
  });

  for (const status of ["204 No Content", "304 Not Modified"])
    test(`is not there with ${status}`, async () => {
      await using app = backend(({ nth }) => (nth === 0 ? `HTTP/1.1 ${status}\r\n\r\n` : ok()));
      await using lb = weir({ backends: [app] });
      await using user = await client(lb);
      const response = await user.ask(get());
      expect([response.status, response.field("transfer-encoding")]).toEqual([Number(status.slice(0, 3)), null]);
      expect((await user.ask(get())).body).toBe("ok");
      expect(app.server.connections.length).toBe(1);
    });

  test("that came with 204 all the same never answers the next request", async () => {
    await using app = backend(({ on }) =>
      on === 0 ? `HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n` : ok(),
    );
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    const response = await user.ask(get());
    expect([response.status, response.field("transfer-encoding"), user.rest]).toEqual([204, null, ""]);
    app.requests[0]?.connection.send("0\r\n\r\n");
    expect((await user.ask(get())).body).toBe("ok");
  });

  test("longer than announced is cut there, and the rest never answers the next request", async () => {
    await using app = backend(({ on }) => (on === 0 ? ok("hello") + ok("poison") : ok("clean")));
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    user.send(get() + get());
    expect((await user.response()).body).toBe("hello");
    expect((await user.response()).body).toBe("clean");
    expect(app.server.connections.length).toBe(2);
  });

  test("with something behind its last chunk is cut there too", async () => {
    await using app = backend(({ on }) => (on === 0 ? CHUNKED + chunks(["hello"]) + ok("poison") : ok("clean")));
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    user.send(get() + get());
    expect((await user.response()).body).toBe("hello");
    expect((await user.response()).body).toBe("clean");
  });

  test("behind a HEAD never answers the next request", async () => {
    await using app = backend(({ on }) => (on === 0 ? ok("poison") : ok("clean")));
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    expect((await user.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", { toHead: true })).status).toBe(200);
    expect((await user.ask(get())).body).toBe("clean");
  });
});

describe("a backend that dies in the middle of a response", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["of a length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"],
    ["in chunks", `${CHUNKED}5\r\nhello\r\n`],
    ["in chunks, within one", `${CHUNKED}8\r\nhello`],
    ["in chunks, within the trailers", `${CHUNKED}5\r\nhello\r\n0\r\nX-Sum: 1\r\n`],
  ];
  for (const [name, response] of cases)
    for (const how of ["end", "reset"] as const)
      test(`${name}, by ${how}, leaves it visibly broken`, async () => {
        await using app = backend(() => response);
        await using lb = weir({ backends: [app] });
        await using user = await client(lb);
        user.send(get());
        await user.raw.untilText("hello");
        (await app.request(0)).connection[how]();
        await user.raw.untilEnd();
        expect(user.response()).rejects.toThrow("the connection ended");
        expect(lb.backendErrors(0, "BACKEND_INCOMPLETE")).toBe(1);
        expect(lb.listenerErrors("BACKEND_INCOMPLETE")).toBe(1);
      });

  test("until the connection ends, by reset, leaves it visibly broken for a client of HTTP/1.1", async () => {
    await using app = backend(() => "HTTP/1.1 200 OK\r\n\r\nhello");
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    user.send(get());
    await user.raw.untilText("hello");
    (await app.request(0)).connection.reset();
    await user.raw.untilEnd();
    expect(user.raw.text).not.toContain("\r\n0\r\n");
  });

  test("until the connection ends, by reset, is a reset for a client of HTTP/1.0", async () => {
    await using app = backend(() => "HTTP/1.1 200 OK\r\n\r\nhello");
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    user.send("GET / HTTP/1.0\r\n\r\n");
    await user.raw.untilText("hello");
    (await app.request(0)).connection.reset();
    await user.raw.until(({ closed }) => closed);
    expect(user.raw.ended).toBe(false);
    expect(user.raw.error).not.toBeNull();
  });

  test("in chunks is a reset for a client of HTTP/1.0, to whom an end would look whole", async () => {
    await using app = backend(() => `${CHUNKED}5\r\nhello\r\n`);
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    user.send("GET / HTTP/1.0\r\n\r\n");
    await user.raw.untilText("hello");
    (await app.request(0)).connection.end();
    await user.raw.until(({ closed }) => closed);
    expect(user.raw.error).not.toBeNull();
  });

  test("whose chunks break leaves the response visibly broken", async () => {
    await using app = backend(() => `${CHUNKED}5\r\nhello\r\nzz\r\n`);
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    user.send(get());
    await user.raw.untilEnd();
    expect(user.raw.text).toContain("hello");
    expect(user.raw.text).not.toContain("\r\n0\r\n");
    await until(() => lb.backendErrors(0, "BACKEND_BAD_RESPONSE") === 1);
  });
});
