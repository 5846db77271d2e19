import { describe, expect, test } from "bun:test";
import { backend, chunks, client, get, ok, post, weir } from "../fixtures/http.ts";
import { rawServer } from "../fixtures/raw.ts";

// What one client or one backend may try. Crowds are in `attacks-crowds.test.ts`, floods of connections in `attacks-connections.test.ts`.

describe("a client", () => {
  test("that sends requests without end, and waits for no answer, is not read any further; others are served", async () => {
    let free = false;
    await using app = backend(({ start }) => (start.includes("/held") && !free ? undefined : ok()));
    await using lb = weir({ backends: [app] });
    await using flooder = await client(lb);
    flooder.raw.countOnly = true;
    const line = get("/held");
    // Far more than the buffers of the system hold between the two.
    flooder.send(Buffer.from(line.repeat(Math.ceil(64_000_000 / line.length)), "latin1"));
    await app.request(0);
    await using user = await client(lb);
    for (let i = 0; i < 50; i++) expect((await user.ask(get("/other"))).status).toBe(200);
    expect(flooder.raw.flushed).toBe(false);
    expect(app.requests.filter(({ start }) => start.includes("/held")).length).toBe(1);
    free = true;
    flooder.raw.reset();
    await app.requests[0]!.connection.until(({ closed }) => closed);
  });

  test("that sends a body in chunks of one byte has it passed whole; others are served", async () => {
    const body = "0123456789".repeat(2_000);
    await using app = backend();
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    user.send(`PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks([...body])}`);
    await using other = await client(lb);
    expect((await other.ask(get())).status).toBe(200);
    expect((await user.response()).status).toBe(200);
    expect(app.requests.find(({ start }) => start.startsWith("PUT"))?.body).toBe(body);
  });

  test("whose fields have equal names, or names that collide in a hash, has them passed as they came", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    const equal = Array.from({ length: 120 }, (_, i) => `X-Same: ${i}\r\n`).join("");
    // All of these have one value under the hash of 31 that many tables of fields use: "Aa" and "BB" do.
    const colliding = Array.from({ length: 64 }, (_, i) =>
      [...i.toString(2).padStart(6, "0")].map((bit) => (bit === "0" ? "Aa" : "BB")).join(""),
    );
    const lines = colliding.map((name) => `${name}: v\r\n`).join("");
    for (const each of [equal, lines]) {
      expect((await user.ask(get("/", each))).status).toBe(200);
      expect(app.requests.at(-1)?.raw).toContain(`\r\n${each}`);
    }
    await using next = await client(lb);
    expect((await next.ask(get("/", `${equal}${equal}`))).status).toBe(431);
  });

  test("that sends trailers without end is answered 400, and no backend gets a whole request", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    user.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n");
    for (let i = 0; i < 100; i++) user.send(`X-${i}: ${"y".repeat(1000)}\r\n`);
    const response = await user.response();
    expect([response.status, response.field("connection")]).toEqual([400, "close"]);
    expect(app.requests).toEqual([]);
  });
});

describe("a backend", () => {
  /** A server that begins as it is told, and then goes on without end. */
  function endless(first: string, again: string): ReturnType<typeof rawServer> {
    return rawServer({
      onData(connection) {
        if (!connection.text.endsWith("\r\n\r\n")) return;
        connection.send(first);
        // As long as it is taken.
        const go = setInterval(() => {
          if (connection.closed) clearInterval(go);
          else if (connection.flushed) connection.send(again.repeat(20));
        }, 1);
      },
    });
  }

  for (const [what, again] of [
    ["fields", "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n"],
    ["one field", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"],
  ] as const)
    test(`whose head has no end is cut off and answered for with 502: ${what}`, async () => {
      await using app = endless("HTTP/1.1 200 OK\r\nX: ", again);
      await using lb = weir({ backends: [app.port] });
      await using user = await client(lb);
      const response = await user.ask(get());
      expect(response.status).toBe(502);
      expect(response.field("proxy-status")).toContain("BACKEND_HEAD_TOO_LARGE");
      await app.connections[0]!.until(({ closed }) => closed);
      expect((await user.ask(get())).status).toBe(502);
    });

  test("that sends interim responses without end is cut off after a hundred", async () => {
    await using app = endless("", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    await using lb = weir({ backends: [app.port] });
    await using user = await client(lb);
    user.send(get());
    let interims = 0;
    let response = await user.response();
    for (; response.status === 103; response = await user.response()) interims += 1;
    expect([interims, response.status]).toEqual([100, 502]);
    await app.connections[0]!.until(({ closed }) => closed);
  });

  test("whose trailers have no end is cut off, and its response is visibly broken", async () => {
    await using app = endless(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: ",
      "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
    );
    await using lb = weir({ backends: [app.port] });
    await using user = await client(lb);
    user.send(get());
    await user.raw.untilEnd();
    expect(user.raw.text).toContain("\r\n1\r\nx\r\n");
    expect(user.raw.text).not.toContain("\r\n0\r\n");
    expect(lb.backendErrors(0, "BACKEND_BAD_RESPONSE")).toBe(1);
    await app.connections[0]!.until(({ closed }) => closed);
  });
});

test("what is refused harms nobody else: one after another, with a good client between them", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app] });
  await using good = await client(lb);
  for (let i = 0; i < 50; i++) {
    await using bad = await client(lb);
    bad.send(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(40_000)}`);
    expect((await good.ask(post(`${i}`))).status).toBe(200);
    expect((await bad.response()).status).toBe(431);
  }
});
