import { describe, expect, test } from "bun:test";
import { until } from "../fixtures/cluster.ts";
import { HandClock } from "../fixtures/hand-clock.ts";
import { backend, client, get, ok, post, weir } from "../fixtures/http.ts";
import { passUntil } from "../fixtures/pass-until.ts";

for (const how of ["end", "reset"] as const)
  describe(`a client that goes away by ${how}`, () => {
    test("while its response is awaited cancels the attempt", async () => {
      await using app = backend(() => {});
      await using lb = weir({ backends: [app] });
      await using user = await client(lb);
      user.send(get());
      const { connection } = await app.request(0);
      user.raw[how]();
      await connection.until(({ closed }) => closed);
      expect(connection.error).not.toBeNull();
      await until(() => lb.listenerErrors("CLIENT_GONE") === 1);
      expect(lb.backend(0, "retries")).toBe(0);
    });

    test("in the middle of its response cancels the attempt", async () => {
      await using app = backend(() => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
      await using lb = weir({ backends: [app] });
      await using user = await client(lb);
      user.send(get());
      await user.raw.untilText("hello");
      user.raw[how]();
      await (await app.request(0)).connection.until(({ closed }) => closed);
    });

    test("in the middle of its upload cancels the attempt", async () => {
      await using app = backend();
      await using lb = weir({ backends: [app] });
      await using user = await client(lb);
      user.send(post("hello").slice(0, -2));
      const connection = await app.server.connection(0);
      await connection.untilText("hel");
      user.raw[how]();
      await connection.until(({ closed }) => closed);
      expect(app.requests.length).toBe(0);
    });

    test("while Weir does not read it, because the backend is slow, cancels the attempt", async () => {
      const clock = new HandClock();
      await using app = backend();
      await using lb = weir({ backends: [app], timeouts: { bodyMs: 500 }, clock });
      await using user = await client(lb);
      user.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000000\r\n\r\n");
      const connection = await app.server.connection(0);
      connection.pause();
      user.send(new Uint8Array(30_000_000));
      await until(() => lb.listener("bytesIn") > 1_000_000);
      user.raw[how]();
      await passUntil(
        clock,
        until(() => lb.inFlight() === 0 && lb.engine.connections().clients === 0),
        20,
      );
      connection.resume();
      await connection.until(({ closed }) => closed);
    });

    test("with requests ahead leaves them unasked", async () => {
      await using app = backend(() => {});
      await using lb = weir({ backends: [app] });
      await using user = await client(lb);
      user.send(get("/1") + get("/2"));
      const { connection } = await app.request(0);
      user.raw[how]();
      await connection.until(({ closed }) => closed);
      await until(() => lb.engine.connections().clients === 0);
      expect(app.requests.length).toBe(1);
    });

    test("while idle leaves the backend's connection to others", async () => {
      await using app = backend();
      await using lb = weir({ backends: [app] });
      {
        await using user = await client(lb);
        await user.ask(get());
        user.raw[how]();
        await until(() => lb.engine.connections().clients === 0);
      }
      expect(lb.engine.connections().backends).toBe(1);
    });
  });

describe("a backend that answers before it has read all", () => {
  test("reaches the client with its refusal, and the upload ends", async () => {
    await using app = backend();
    // The client is heard for two seconds yet, which are not over before it has sent all.
    await using lb = weir({ backends: [app], clock: new HandClock() });
    await using user = await client(lb);
    user.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbeginning");
    const connection = await app.server.connection(0);
    await connection.untilText("beginning");
    connection.send(ok("too much", "", "413 Content Too Large"));
    const response = await user.response();
    expect([response.status, response.body, response.field("connection")]).toEqual([413, "too much", "close"]);
    await connection.untilEnd();
    // What the client still sends does not cost it the response.
    user.send(new Uint8Array(900_000));
    await user.raw.untilEnd();
    expect(user.raw.error).toBeNull();
  });

  test("and closes at once, with bytes unread, still reaches the client", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    user.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\nbeginning");
    const connection = await app.server.connection(0);
    await connection.untilText("beginning");
    connection.pause();
    user.send(new Uint8Array(20_000_000));
    await until(() => lb.listener("bytesIn") > 2_000_000);
    connection.send(ok("too much", "Connection: close\r\n", "413 Content Too Large"));
    connection.end();
    expect((await user.response()).status).toBe(413);
  });

  test("and goes on reading gets the rest, while the client gets its response", async () => {
    await using app = backend(() => {});
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    user.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234");
    const connection = await app.server.connection(0);
    await connection.untilText("01234");
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabcde");
    await user.raw.untilText("abcde");
    user.send("56789");
    expect((await app.request(0)).body).toBe("0123456789");
    connection.send("fghij");
    expect((await user.response()).body).toBe("abcdefghij");
  });
});
