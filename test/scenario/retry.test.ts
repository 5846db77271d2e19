import { describe, expect, test } from "bun:test";
import { parseStatusSet } from "../../src/pool/status-set.ts";
import { TIMEOUTS, until } from "../fixtures/cluster.ts";
import { HandClock, LATE_MS } from "../fixtures/hand-clock.ts";
import { type Arrived, backend, type Backend, client, get, ok, post, weir } from "../fixtures/http.ts";

/** Nobody is ejected: what is tried next is the retry's own choice. */
const UNWATCHED = { passive: null } as const;
/** As `retry: { on: [503] }`. */
const ON_503 = { on: [], statuses: parseStatusSet("503") };

function answering(status: string, body = "no"): Backend {
  return backend(() => ok(body, "", status));
}

const busy = (): Backend => answering("503 Service Unavailable");
const good = (): Backend => backend(({ body }) => ok(`good ${body}`));

describe("retry on a status", () => {
  test("leaves a response of that status unsent, and sends that of another backend", async () => {
    await using first = busy();
    await using second = good();
    await using lb = weir({ backends: [first, second], policy: "first", health: UNWATCHED, retry: ON_503 });
    await using user = await client(lb);
    const response = await user.ask(post("the body", { method: "PUT" }));
    expect([response.status, response.body]).toEqual([200, "good the body"]);
    expect([first.requests.length, second.requests[0]?.body]).toEqual([1, "the body"]);
    expect([lb.backend(0, "retries"), lb.backend(0, "responses5xx"), lb.listener("responses5xx")]).toEqual([1, 1, 0]);
  });

  test("keeps the connection of the response that it left", async () => {
    await using first = busy();
    await using second = good();
    await using lb = weir({ backends: [first, second], policy: "first", health: UNWATCHED, retry: ON_503 });
    await using user = await client(lb);
    for (let i = 0; i < 3; i++) expect((await user.ask(get())).status).toBe(200);
    expect([first.requests.length, first.server.connections.length]).toEqual([3, 1]);
  });

  test("closes that of a response that is not over when the engine closes", async () => {
    await using first = backend(({ connection }) => {
      connection.send("HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\nhalf");
      return undefined;
    });
    await using second = good();
    // No time passes: it is not closed because it takes long.
    const clock = new HandClock();
    await using lb = weir({ backends: [first, second], policy: "first", health: UNWATCHED, retry: ON_503, clock });
    await using user = await client(lb);
    expect((await user.ask(get())).status).toBe(200);
    expect(first.server.connections[0]?.closed).toBe(false);
    lb.engine.close();
    await first.server.connections[0]?.until(({ closed }) => closed);
    expect(lb.engine.connections().backends).toBe(0);
  });

  test("closes that of a response that does not end", async () => {
    await using first = backend(({ connection }) => {
      connection.send("HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n");
      const more = (): void => {
        if (connection.closed) return;
        connection.send(`10000\r\n${"x".repeat(65_536)}\r\n`);
        setTimeout(more, 1);
      };
      more();
    });
    await using second = good();
    await using lb = weir({ backends: [first, second], policy: "first", health: UNWATCHED, retry: ON_503 });
    await using user = await client(lb);
    expect((await user.ask(get())).status).toBe(200);
    await first.server.connections[0]!.until(({ closed }) => closed);
  });

  test("passes on the last response when all backends give it, and says that it had its attempts", async () => {
    const backends = [busy(), busy(), busy(), busy()];
    await using lb = weir({ backends, policy: "first", health: UNWATCHED, retry: ON_503 });
    await using user = await client(lb);
    const response = await user.ask(get());
    expect([response.status, response.body]).toEqual([503, "no"]);
    expect(response.field("proxy-status")).toBe('weir; details="not retried: it has had its 3 attempts"');
    expect(backends.map(({ requests }) => requests.length)).toEqual([1, 1, 1, 0]);
    for (const each of backends) await each[Symbol.asyncDispose]();
  });

  test("asks the same backend again where there is no other", async () => {
    let asked = 0;
    await using only = backend(() => ((asked += 1) < 3 ? ok("no", "", "503 Busy") : ok("at last")));
    await using lb = weir({ backends: [only], health: UNWATCHED, retry: ON_503 });
    await using user = await client(lb);
    expect((await user.ask(get())).body).toBe("at last");
  });

  test("never sends a POST twice, and says so", async () => {
    await using first = busy();
    await using second = good();
    await using lb = weir({ backends: [first, second], policy: "first", health: UNWATCHED, retry: ON_503 });
    await using user = await client(lb);
    const response = await user.ask(post("order"));
    expect(response.status).toBe(503);
    expect(response.field("proxy-status")).toContain("a POST must not be sent twice");
    expect(second.requests.length).toBe(0);
  });

  test("sends a POST twice where the configuration names it, with its body", async () => {
    await using first = busy();
    await using second = good();
    const retry = { ...ON_503, methods: ["GET", "POST"] };
    await using lb = weir({ backends: [first, second], policy: "first", health: UNWATCHED, retry });
    await using user = await client(lb);
    expect((await user.ask(post("query"))).body).toBe("good query");
  });

  test("replays a body of 64 KiB, and none that is longer", async () => {
    await using first = busy();
    await using second = good();
    await using lb = weir({ backends: [first, second], policy: "first", health: UNWATCHED, retry: ON_503 });
    await using user = await client(lb);
    const most = "x".repeat(65_536);
    expect((await user.ask(post(most, { method: "PUT" }))).body).toBe(`good ${most}`);
    await using other = await client(lb);
    const response = await other.ask(post(`${most}x`, { method: "PUT" }));
    expect(response.status).toBe(503);
    expect(response.field("proxy-status")).toContain("its body was too long to be kept");
    expect(second.requests.length).toBe(1);
  });

  test("is no retry where it does not say so", async () => {
    await using first = busy();
    await using second = good();
    await using lb = weir({ backends: [first, second], policy: "first", health: UNWATCHED });
    await using user = await client(lb);
    const response = await user.ask(get());
    expect([response.status, response.field("proxy-status")]).toEqual([503, null]);
    expect(second.requests.length).toBe(0);
  });
});

describe("retry on a failure", () => {
  const resets = (): Backend => backend(({ connection }) => connection.reset());
  const half = (): Backend =>
    backend(({ connection }) => {
      connection.send("HTTP/1.1 200 OK\r\nContent-Le");
      connection.end();
    });
  const silent = (): Backend => backend(() => undefined);

  for (const [what, made] of [
    ["reset", resets],
    ["cut in its head", half],
  ] as const)
    test(`a request that was ${what} goes to another backend`, async () => {
      await using first = made();
      await using second = good();
      const retry = { on: ["reset" as const] };
      await using lb = weir({ backends: [first, second], policy: "first", health: UNWATCHED, retry });
      await using user = await client(lb);
      expect((await user.ask(get())).status).toBe(200);
      expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
    });

  test("a request without an answer goes to another backend", async () => {
    await using first = silent();
    await using second = good();
    const retry = { on: ["timeout" as const] };
    const clock = new HandClock();
    await using lb = weir({ backends: [first, second], policy: "first", health: UNWATCHED, retry, clock });
    await using user = await client(lb);
    user.send(get());
    await first.request(0);
    clock.pass(TIMEOUTS.responseMs + LATE_MS);
    expect((await user.response()).status).toBe(200);
    expect(lb.backendErrors(0, "BACKEND_RESPONSE_TIMEOUT")).toBe(1);
    await first.server.connections[0]!.until(({ closed }) => closed);
  });

  test("perAttemptTimeout ends an attempt, and names itself where there is no other", async () => {
    await using first = silent();
    await using second = silent();
    const retry = { on: ["timeout" as const], attemptMs: 100 };
    const clock = new HandClock();
    await using lb = weir({ backends: [first, second], policy: "first", health: UNWATCHED, retry, clock });
    await using user = await client(lb);
    user.send(get());
    const arrived = (): number => first.requests.length + second.requests.length;
    for (let attempt = 1; attempt <= 3; attempt++) {
      await until(() => arrived() >= attempt);
      clock.pass(retry.attemptMs + LATE_MS);
    }
    const response = await user.response();
    expect(response.status).toBe(504);
    expect(response.field("proxy-status")).toContain("BACKEND_ATTEMPT_TIMEOUT");
    expect(arrived()).toBe(3);
  });

  test("by default a GET that was reset goes to another backend, a POST does not, and none goes to the same", async () => {
    await using first = resets();
    await using second = good();
    await using lb = weir({ backends: [first, second], policy: "first", health: UNWATCHED });
    await using user = await client(lb);
    expect((await user.ask(get())).status).toBe(200);
    expect((await user.ask(post("x"))).status).toBe(502);
    await using alone = weir({ backends: [first], health: UNWATCHED });
    await using other = await client(alone);
    expect((await other.ask(get())).status).toBe(502);
    expect(first.requests.length).toBe(3);
  });

  test("none goes to another backend once a byte of the response has gone to the client", async () => {
    await using first = backend(({ connection }) => {
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    });
    await using second = good();
    const retry = { on: ["reset" as const] };
    await using lb = weir({ backends: [first, second], policy: "first", health: UNWATCHED, retry });
    await using user = await client(lb);
    user.send(get());
    await user.raw.untilText("half");
    first.requests[0]!.connection.reset();
    await user.raw.untilEnd();
    expect(user.raw.text).toEndWith("half");
    expect(second.requests.length).toBe(0);
  });

  test("without connect-failure in `on` a backend that refuses is not left for another", async () => {
    await using second = good();
    const backends = ["127.0.0.1:1", second];
    await using lb = weir({ backends, policy: "first", health: UNWATCHED, retry: { on: ["reset"] } });
    await using user = await client(lb);
    expect((await user.ask(get())).status).toBe(502);
  });
});

describe("the retry budget", () => {
  test("keeps retries below a part of the requests in an outage, and says when it is spent", async () => {
    await using first = busy();
    await using second = busy();
    const retryBudget = { ratio: 0.2, floorPerSecond: 1 };
    const retry = { ...ON_503, attempts: 2 };
    await using lb = weir({
      backends: [first, second],
      health: UNWATCHED,
      retry,
      retryBudget,
      clock: { now: () => 1 },
    });
    await using user = await client(lb);
    const said = new Map<string, number>();
    for (let i = 0; i < 200; i++) {
      const response = await user.ask(get());
      const why = /not retried: ([^"]*)/.exec(response.field("proxy-status") ?? "")?.[1] ?? "";
      said.set(why, (said.get(why) ?? 0) + 1);
    }
    // 20 % of 200, and ten seconds of the floor.
    expect(first.requests.length + second.requests.length).toBe(250);
    expect(said.get("the retry budget of its pool is spent")).toBe(150);
    expect(said.get("it has had its 2 attempts")).toBe(50);
  });

  test("is not drawn on for a backend that cannot even be connected to", async () => {
    await using second = good();
    const backends = ["127.0.0.1:1", second];
    const retryBudget = { ratio: 0, floorPerSecond: 0 };
    await using lb = weir({ backends, policy: "first", health: UNWATCHED, retryBudget });
    await using user = await client(lb);
    for (let i = 0; i < 20; i++) expect((await user.ask(get())).status).toBe(200);
  });
});

test("a backend that goes down under a keep-alive connection costs an idempotent request nothing", async () => {
  const down = new Set<number>();
  const dying = ({ on, nth, connection }: Arrived): string | void => {
    if (nth === 0 && down.size === 0) return ok();
    down.add(on);
    connection.reset();
  };
  await using first = backend(dying);
  await using second = good();
  await using lb = weir({ backends: [first, second], policy: "first", health: UNWATCHED });
  await using user = await client(lb);
  expect((await user.ask(get())).status).toBe(200);
  // The used connection is closed under it, then the fresh one too.
  expect((await user.ask(get())).body).toBe("good ");
  expect(down.size).toBe(2);
});
