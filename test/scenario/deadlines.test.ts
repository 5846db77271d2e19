import { describe, expect, test } from "bun:test";
import { HandClock } from "../fixtures/hand-clock.ts";
import { backend, client, get, ok, post, weir } from "../fixtures/http.ts";
import { CAN_BE_SILENT, silentServer } from "../fixtures/silent-server.ts";

/** Proxy-Status names the deadline that ended an exchange. */
describe("a deadline", () => {
  test("total: ends what waits for its response, and cancels the attempt", async () => {
    const clock = new HandClock();
    await using app = backend(() => undefined);
    await using lb = weir({ backends: [app], timeouts: { totalMs: 100 }, clock });
    await using user = await client(lb);
    user.send(get());
    await app.request(0);
    clock.pass(200);
    const response = await user.response();
    expect(response.status).toBe(504);
    expect(response.field("proxy-status")).toContain('ROUTE_TIMEOUT: not done within 100 ms in all"');
    await app.server.connections[0]!.until(({ closed }) => closed);
    expect(lb.backendErrors(0, "BACKEND_RESPONSE_TIMEOUT")).toBe(0);
  });

  test("total: covers all attempts together", async () => {
    const silent = [1, 2, 3].map(() => backend(() => undefined));
    const retry = { on: ["timeout" as const], attemptMs: 100, attempts: 3 };
    await using lb = weir({ backends: silent, retry, timeouts: { totalMs: 150 }, health: { passive: null } });
    await using user = await client(lb);
    const response = await user.ask(get());
    expect(response.field("proxy-status")).toContain("ROUTE_TIMEOUT");
    expect(silent.reduce((sum, { requests }) => sum + requests.length, 0)).toBeLessThan(3);
    for (const each of silent) await each[Symbol.asyncDispose]();
  });

  test("total: breaks a response that is on its way, visibly", async () => {
    await using app = backend(({ connection }) => {
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nso far");
    });
    const clock = new HandClock();
    await using lb = weir({ backends: [app], timeouts: { totalMs: 100 }, clock });
    await using user = await client(lb);
    user.send(get());
    await user.raw.untilText("so far");
    clock.pass(200);
    await user.raw.untilEnd();
    expect(user.raw.text).toEndWith("so far");
    expect(lb.listenerErrors("ROUTE_TIMEOUT")).toBe(1);
  });

  test("total: plays no part for what is done in time", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app], timeouts: { totalMs: 60_000 } });
    await using user = await client(lb);
    for (let i = 0; i < 3; i++) expect((await user.ask(post("x"))).status).toBe(200);
  });

  test.skipIf(!CAN_BE_SILENT)("per attempt, connecting, response and idle each name themselves", async () => {
    await using silent = backend(() => undefined);
    await using deaf = await silentServer();
    await using stuck = backend(() => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    for (const [options, code] of [
      [{ backends: [silent], retry: { attemptMs: 100 } }, "BACKEND_ATTEMPT_TIMEOUT"],
      [{ backends: [silent], timeouts: { responseMs: 100 } }, "BACKEND_RESPONSE_TIMEOUT"],
      [{ backends: [deaf.port], timeouts: { connectMs: 100 } }, "BACKEND_CONNECT_TIMEOUT"],
    ] as const) {
      await using lb = weir({ ...options, health: { passive: null } });
      await using user = await client(lb);
      const response = await user.ask(get());
      expect(response.status).toBe(504);
      expect(response.field("proxy-status")).toContain(code);
    }
    await using lb = weir({ backends: [stuck], timeouts: { bodyMs: 100 } });
    await using user = await client(lb);
    user.send(get());
    await user.raw.untilEnd();
    expect(lb.backendErrors(0, "BACKEND_BODY_TIMEOUT")).toBe(1);
  });

  test("total: an upload that never ends is answered", async () => {
    await using app = backend(() => ok());
    await using lb = weir({ backends: [app], timeouts: { totalMs: 100 } });
    await using user = await client(lb);
    user.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nonly this");
    expect((await user.response()).field("proxy-status")).toContain("ROUTE_TIMEOUT");
  });
});
