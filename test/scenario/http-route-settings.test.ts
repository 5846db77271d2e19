import { expect, test } from "bun:test";
import { systemClock } from "../../src/clock.ts";
import type { Limits, Timeouts } from "../../src/plan.ts";
import { Cluster, planOf } from "../fixtures/cluster.ts";
import { backend, client, get, ok } from "../fixtures/http.ts";

/** Weir with one route of its own settings, `/strict`, before one for everything else. */
function withStrictRoute(port: number, timeouts: Partial<Timeouts>, limits: Partial<Limits>): Cluster {
  const plan = planOf({ backends: [port] });
  const [listener] = plan.listeners;
  const [route] = listener!.routes;
  const strict = {
    ...route!,
    path: "/strict/*",
    timeouts: { ...route!.timeouts, ...timeouts },
    limits: { ...route!.limits, ...limits },
  };
  return new Cluster({ ...plan, listeners: [{ ...listener!, routes: [route!, strict] }] }, systemClock);
}

const TARGET = `/strict/${"x".repeat(100)}`;

for (const [name, limits, request, status] of [
  ["limits.target", { targetBytes: 50 }, get(TARGET), 414],
  ["limits.fields", { fields: 2 }, get("/strict/", "A: 1\r\nB: 2\r\n"), 431],
  ["limits.head", { headBytes: 256 }, get("/strict/", `A: ${"x".repeat(300)}\r\n`), 431],
] as const)
  test(`${name} of a route holds there, and elsewhere that of the listener`, async () => {
    await using app = backend(() => ok());
    await using lb = withStrictRoute(app.server.port, {}, limits);
    await using user = await client(lb);
    expect((await user.ask(request.replaceAll("/strict/", "/other/"))).status).toBe(200);
    expect((await user.ask(request)).status).toBe(status);
    expect(app.requests.length).toBe(1);
  });

test("limits of a route may be wider than those of the listener", async () => {
  await using app = backend(() => ok());
  await using lb = withStrictRoute(app.server.port, {}, { targetBytes: 20_000 });
  await using user = await client(lb);
  const long = "x".repeat(10_000);
  expect((await user.ask(get(`/strict/${long}`))).status).toBe(200);
  expect((await user.ask(get(`/other/${long}`))).status).toBe(414);
});

test("timeouts.keepAlive of a route holds after a request of that route", async () => {
  await using app = backend(() => ok());
  await using lb = withStrictRoute(app.server.port, { keepAliveMs: 50 }, {});
  await using strict = await client(lb);
  await using other = await client(lb);
  await strict.ask(get("/strict/"));
  await other.ask(get("/other/"));
  await strict.raw.untilEnd();
  expect(other.raw.ended).toBe(false);
});

test("a client that waits for a 100 is not blamed for a backend that sends none", async () => {
  await using app = backend(() => undefined);
  await using lb = withStrictRoute(app.server.port, { responseMs: 50, bodyMs: 60_000 }, {});
  await using user = await client(lb);
  const answer = await user.ask(
    "POST /strict/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
  );
  expect(answer.status).toBe(504);
  expect(answer.raw).toContain("BACKEND_RESPONSE_TIMEOUT");
});
