import { describe, expect, test } from "bun:test";
import { parseAddress } from "../../src/address.ts";
import { until } from "../fixtures/cluster.ts";
import { HandClock } from "../fixtures/hand-clock.ts";
import { type Arrived, backend, type Backend, client, chunks, get, NOBODY, ok, post, weir } from "../fixtures/http.ts";
import { type RawConnection, rawServer } from "../fixtures/raw.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

/** A backend that closes each connection on the first byte of its second request, answering nothing. */
function stale(how: "end" | "reset"): Backend & { readonly closed: RawConnection[] } {
  const closed: RawConnection[] = [];
  const answered = new Set<RawConnection>();
  const made = backend(({ connection, body, start }: Arrived) => {
    if (answered.has(connection)) {
      closed.push(connection);
      connection[how]();
      return undefined;
    }
    answered.add(connection);
    return ok(start.startsWith("HEAD") ? "" : `fresh ${body}`);
  });
  return Object.assign(made, { closed });
}

// Time stands still here: what matters is whether a connection was used within the last second, and closed within the next.
describe("a backend that closes an idle connection just when it is used again", () => {
  for (const how of ["end", "reset"] as const) {
    for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"])
      test(`by ${how}: ${method} is repeated on a fresh connection`, async () => {
        await using app = stale(how);
        await using lb = weir({ backends: [app], clock: new HandClock() });
        await using user = await client(lb);
        const head = `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`;
        for (let i = 0; i < 2; i++) expect((await user.ask(head, { toHead: method === "HEAD" })).status).toBe(200);
        expect(app.closed.length).toBe(1);
        expect(app.server.connections.length).toBe(2);
        expect(lb.backend(0, "retries")).toBe(1);
      });

    test(`by ${how}: a PUT is repeated with its body`, async () => {
      await using app = stale(how);
      await using lb = weir({ backends: [app], clock: new HandClock() });
      await using user = await client(lb);
      await user.ask(get());
      const put = post("the body", { method: "PUT" });
      expect((await user.ask(put)).body).toBe("fresh the body");
      expect(app.closed.length).toBe(1);
    });

    test(`by ${how}: a PUT in chunks is repeated with its body and trailers`, async () => {
      await using app = stale(how);
      await using lb = weir({ backends: [app], clock: new HandClock() });
      await using user = await client(lb);
      await user.ask(get());
      const put = `PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(["the ", "body"], ["X-Sum: 1"])}`;
      expect((await user.ask(put)).body).toBe("fresh the body");
      expect(app.requests.at(-1)?.trailers).toEqual(["X-Sum: 1"]);
      expect(app.closed.length).toBe(1);
    });

    for (const body of ["once", ""])
      test(`by ${how}: a POST ${body === "" ? "without a body " : ""}is not repeated, and is a 502`, async () => {
        await using app = stale(how);
        await using lb = weir({ backends: [app], clock: new HandClock() });
        await using user = await client(lb);
        await user.ask(get());
        const response = await user.ask(post(body));
        expect(response.status).toBe(502);
        expect(response.field("proxy-status")).toContain("error=connection_terminated");
        expect(app.requests.filter(({ start }) => start.startsWith("POST")).length).toBe(1);
        expect((await user.ask(get())).status).toBe(200);
      });
  }

  test("a request is not repeated once a byte of a response has come", async () => {
    await using app = backend(({ nth, connection }) => {
      if (nth === 0) return ok();
      connection.send("HTTP/1.1 2");
      connection.end();
      return undefined;
    });
    await using lb = weir({ backends: [app], clock: new HandClock() });
    await using user = await client(lb);
    await user.ask(get());
    const response = await user.ask(get());
    expect(response.status).toBe(502);
    expect(response.field("proxy-status")).toContain("BACKEND_INCOMPLETE");
    expect(app.requests.length).toBe(2);
  });

  test("a request that cannot be repeated is a 502 that says why", async () => {
    for (const [request, why] of [
      [post("x".repeat(100_000), { method: "PUT" }), "its body was too long to be kept"],
      [post("x"), "a POST must not be sent twice"],
    ] as const) {
      await using app = stale("end");
      await using lb = weir({ backends: [app], clock: new HandClock() });
      await using user = await client(lb);
      await user.ask(get());
      expect((await user.ask(request)).field("proxy-status")).toContain(`not retried: ${why}`);
    }
  });

  test("a backend that always does so is a 502, not a loop", async () => {
    await using app = backend(({ connection }) => connection.end());
    await using lb = weir({ backends: [app], clock: new HandClock() });
    await using user = await client(lb);
    expect((await user.ask(get())).status).toBe(502);
    expect(app.requests.length).toBe(1);
  });

  test("a POST does not go over a connection that has waited for a while", async () => {
    let now = 1000;
    await using app = backend();
    await using lb = weir({ backends: [app], timeouts: { idleBackendMs: 600_000 }, clock: { now: () => now } });
    await using user = await client(lb);
    await user.ask(get());
    now += 5_000;
    await user.ask(get());
    expect(app.server.connections.length).toBe(1);
    now += 5_000;
    expect((await user.ask(post("x"))).status).toBe(200);
    expect(app.server.connections.length).toBe(2);
  });
});

describe("a backend that cannot be connected to", () => {
  test("is left for another one, with the whole request", async () => {
    await using app = backend(({ body }) => ok(body));
    await using lb = weir({ backends: [NOBODY[0]!, app], policy: "first" });
    await using user = await client(lb);
    expect((await user.ask(get())).status).toBe(200);
    expect((await user.ask(post("a body"))).body).toBe("a body");
    const chunked = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(["ch", "unks"])}`;
    expect((await user.ask(chunked)).body).toBe("chunks");
    expect(lb.backendErrors(0, "BACKEND_REFUSED")).toBe(3);
    expect(lb.log.filter(({ event }) => event === "backend failed over").length).toBe(1);
  });

  test("is left for another one though much of the body has come meanwhile", async () => {
    await using app = backend(({ body }) => ok(String(body.length)));
    await using lb = weir({ backends: [NOBODY[0]!, app], policy: "first" });
    await using user = await client(lb);
    expect((await user.ask(post("x".repeat(1_000_000)))).body).toBe("1000000");
  });

  test("is left for another one when it is a unix socket without its file", async () => {
    using folder = temporaryFolder();
    await using app = backend();
    await using lb = weir({ backends: [`unix:${folder.path}/none.sock`, app], policy: "first" });
    await using user = await client(lb);
    expect((await user.ask(get())).status).toBe(200);
    expect((await user.ask(post("x"))).status).toBe(200);
    expect(lb.backendErrors(0, "BACKEND_REFUSED")).toBe(2);
  });

  test("and is the only one: 502, also when it is a unix socket without its file", async () => {
    using folder = temporaryFolder();
    await using lb = weir({ backends: [`unix:${folder.path}/none.sock`] });
    await using user = await client(lb);
    const response = await user.ask(get());
    expect([response.status, response.field("proxy-status")]).toEqual([
      502,
      'weir; error=connection_refused; details="BACKEND_REFUSED: ENOENT; not retried: no other backend takes work"',
    ]);
    expect((await user.ask(get())).status).toBe(502);
  });

  for (const [attempts, most] of [
    [3, NOBODY.length],
    [2, NOBODY.length],
    [1, 1],
  ] as const)
    test(`is left for each other one, once, with ${attempts} attempts: ${most} tried in all`, async () => {
      await using lb = weir({ backends: NOBODY, retry: { attempts } });
      await using user = await client(lb);
      expect((await user.ask(get())).status).toBe(502);
      const tried = NOBODY.map((_, index) => lb.backendErrors(index, "BACKEND_REFUSED"));
      expect(Math.max(...tried)).toBe(1);
      expect(tried.filter((times) => times === 1).length).toBe(most);
    });

  test("is never tried twice for one request", async () => {
    const dead = NOBODY.slice(0, 2);
    await using lb = weir({ backends: dead });
    await using user = await client(lb);
    expect((await user.ask(get())).status).toBe(502);
    expect(dead.map((_, index) => lb.backendErrors(index, "BACKEND_REFUSED"))).toEqual([1, 1]);
  });

  test("and whose name does not resolve is left for another one", async () => {
    await using app = backend();
    await using lb = weir({
      backends: ["nowhere.invalid:80", app],
      policy: "first",
      timeouts: { connectMs: 20_000 }, // to say that there is no such name may take long
    });
    await using user = await client(lb);
    expect((await user.ask(get())).status).toBe(200);
    expect(lb.backendErrors(0, "BACKEND_NAME")).toBe(1);
  });

  test("a client that leaves while a backend is dialled leaves nothing behind", async () => {
    await using app = backend();
    await using lb = weir({ backends: [{ address: parseAddress(`localhost:${app.port}`) }] });
    await using user = await client(lb);
    user.send(get());
    user.raw.reset();
    await until(() => lb.listener("connections") === 1 && lb.engine.connections().clients === 0);
  });
});

test("a backend that accepts and closes before any byte is a 502 for what must not be sent twice", async () => {
  await using app = rawServer({ onConnection: (connection) => connection.end() });
  await using lb = weir({ backends: [app.port] });
  await using user = await client(lb);
  expect((await user.ask(post("x"))).status).toBe(502);
});

test("after a backend has closed an idle connection early, what must not be sent twice goes over new ones", async () => {
  // Closes each connection as soon as it has answered on it, without saying so.
  await using app = backend(({ connection, body }) => {
    connection.send(ok(body));
    connection.shutdown();
  });
  await using lb = weir({ backends: [app], clock: new HandClock() });
  await using user = await client(lb);
  await user.ask(get());
  // The close is known when nothing idle is left; from then on there is nothing to race with.
  await until(() => lb.engine.connections().backends === 0);
  for (let i = 0; i < 50; i++) expect((await user.ask(post(`number ${i}`))).status).toBe(200);
  expect(app.requests.length).toBe(51);
});

test("`first` goes down its list when backends do not answer", async () => {
  await using app = backend(() => ok("alive"));
  const [one = "", two = "", three = ""] = NOBODY;
  await using lb = weir({ backends: [one, two, app, three], policy: "first" });
  await using user = await client(lb);
  for (let i = 0; i < 3; i++) expect((await user.ask(get())).status).toBe(200);
});

for (const policy of ["round-robin", "random", "least-connections", "two-choices", "first"])
  test(`maxConnections bounds what is in flight on a backend with ${policy}; who finds all full is told 503`, async () => {
    await using app = backend(() => undefined);
    await using other = backend(() => undefined);
    const bounded = ({ port }: Backend) => ({ address: parseAddress(`127.0.0.1:${port}`), maxConnections: 2 });
    await using lb = weir({ backends: [bounded(app), bounded(other)], policy, poolLimits: { maxQueue: 0 } });
    const users = await Promise.all(Array.from({ length: 5 }, () => client(lb)));
    for (const [i, user] of users.slice(0, 4).entries()) {
      user.send(get());
      await until(() => app.requests.length + other.requests.length === i + 1);
    }
    expect([app.requests.length, other.requests.length]).toEqual([2, 2]);
    expect((await users[4]!.ask(get())).status).toBe(503);
    for (const { connection } of [...app.requests, ...other.requests]) connection.send(ok());
    for (const user of users.slice(0, 4)) expect((await user.response()).status).toBe(200);
    for (const user of users) await user[Symbol.asyncDispose]();
  });
