import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseAddress } from "../../src/address.ts";
import { POLICIES } from "../../src/balance/registry.ts";
import { accessLine } from "../../src/observe/access-line.ts";
import { HEALTH_FLAG } from "../../src/observe/health-words.ts";
import { start as startWeir } from "../../src/process/embed/embedded.ts";
import { HandClock } from "../fixtures/hand-clock.ts";
import { backend, type Backend, Client, client, get, NOBODY, ok, post, weir } from "../fixtures/http.ts";
import { until } from "../fixtures/cluster.ts";
import { passUntil } from "../fixtures/pass-until.ts";
import { connectRaw, rawServer } from "../fixtures/raw.ts";
import { CAN_BE_SILENT, silentServer } from "../fixtures/silent-server.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

/** Nobody is ejected: what is tried next is the failover's own choice. */
const UNWATCHED = { passive: null } as const;
const BROKE = { ratio: 0, floorPerSecond: 0 };
const ROUNDS = 6;

const CONNECT_MS = 1000;
/** What passes of it at a turn of the event loop: a connection over the loopback takes a few. */
const STEP_MS = 50;

/** More servers that answer no connection than a request has attempts. */
async function silentServers(): Promise<AsyncDisposable & { readonly ports: readonly number[] }> {
  await using opened = new AsyncDisposableStack();
  const ports: number[] = [];
  for (let i = 0; i < 4; i++) ports.push(opened.use(await silentServer()).port);
  const rest = opened.move();
  return { ports, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

const answered = (body: string) => [200, body] as const;

describe("where all backends but one refuse", () => {
  for (const policy of POLICIES.keys())
    for (const [kind, more] of [
      ["", {}],
      [" and a gate", { poolLimits: { maxInFlight: 1 } }],
    ] as const)
      test(`every request is answered, with ${policy}${kind}, and no retry is charged`, async () => {
        await using app = backend(({ body }) => ok(`alive ${body}`));
        const backends = [...NOBODY, app];
        await using lb = weir({ backends, policy, health: UNWATCHED, retryBudget: BROKE, ...more });
        for (let i = 0; i < ROUNDS; i++) {
          await using user = await client(lb);
          const read = await user.ask(get(`/${i}`));
          expect([read.status, read.body]).toEqual([...answered("alive ")]);
          const written = await user.ask(post(`number ${i}`));
          expect([written.status, written.body]).toEqual([...answered(`alive number ${i}`)]);
        }
        expect(app.requests.length).toBe(2 * ROUNDS);
      });

  for (const policy of POLICIES.keys())
    test(`every connection of mode tcp is served, with ${policy}`, async () => {
      await using server = rawServer({ onConnection: (connection) => connection.send("hello") });
      await using lb = weir({ mode: "tcp", backends: [...NOBODY, server.port], policy, health: UNWATCHED });
      for (let i = 0; i < ROUNDS; i++) {
        await using user = await connectRaw(lb.port);
        await user.untilText("hello");
      }
    });

  test("and the last one too, each was asked once, and the client is told", async () => {
    await using lb = weir({ backends: NOBODY, health: UNWATCHED });
    await using user = await client(lb);
    const response = await user.ask(get());
    expect(response.status).toBe(502);
    expect(response.field("proxy-status")).toContain("not retried: no other backend takes work");
    expect(NOBODY.map((_, index) => lb.backendErrors(index, "BACKEND_REFUSED"))).toEqual(NOBODY.map(() => 1));
  });

  test("the access log has each attempt, in order", async () => {
    using folder = temporaryFolder();
    await using app = backend();
    const running = await startWeir({
      admin: "off",
      accessLog: { to: `${folder.path}/access.log` },
      listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
      pools: { app: { backends: [...NOBODY, `127.0.0.1:${app.port}`], policy: "first" } },
      shutdown: { timeout: "20s" },
    });
    const user = new Client(await connectRaw(running.listeners["web"]?.port ?? 0));
    expect((await user.ask(post("x"))).status).toBe(200);
    user.raw.end();
    await running.close();
    const { status, code, attempts } = accessLine.parse(JSON.parse(readFileSync(`${folder.path}/access.log`, "utf8")));
    expect([status, code]).toEqual([200, null]);
    expect(attempts.map((each) => [each.backend, each.status, each.code])).toEqual([
      ...NOBODY.map((id) => [id, null, "BACKEND_REFUSED"]),
      [`127.0.0.1:${app.port}`, 200, null],
    ]);
  });

  test("a second attempt beside a slow one leaves out the dead as well", async () => {
    await using app = backend(({ connection }) => void setTimeout(() => connection.send(ok("late")), 150));
    const hedge = { after: { kind: "time" as const, milliseconds: 20 }, budget: 1 };
    await using lb = weir({ backends: [...NOBODY, app], policy: "first", health: UNWATCHED, hedge });
    await using user = await client(lb);
    expect((await user.ask(get())).body).toBe("late");
  });

  test("a client that belongs to one that is dead comes to the one that lives, and belongs to it", async () => {
    const apps = Array.from({ length: 5 }, (_, i) => backend(() => ok(`from ${i}`)));
    await using lb = weir({ backends: apps, policy: "first", health: UNWATCHED, affinity: {} });
    await using user = await client(lb);
    const first = await user.ask(get());
    expect(first.body).toBe("from 0");
    const cookie = (of: typeof first): string => of.field("set-cookie")!.split(";")[0]!;
    for (const { server } of apps.slice(0, 4)) die(server);
    const second = await user.ask(get("/", `Cookie: ${cookie(first)}\r\n`));
    expect(second.body).toBe("from 4");
    const third = await user.ask(get("/", `Cookie: ${cookie(second)}\r\n`));
    expect([third.body, third.field("set-cookie")]).toEqual(["from 4", null]);
    for (const each of apps) await each[Symbol.asyncDispose]();
  });

  test("all that the traffic has ejected are asked in the end", async () => {
    await using app = backend(() => ok("alive"));
    await using lb = weir({ backends: [...NOBODY, app], health: UNWATCHED });
    const { ejected } = HEALTH_FLAG;
    const flags = [0, 0, ejected, ejected, ejected, ejected];
    lb.words.publish(0, [0, 1, 2, 3, 4, 5], {
      weights: flags.map((f) => (f === 0 ? 1 : 0)),
      flags,
      panic: false,
      scale: 1,
    });
    await using user = await client(lb);
    expect((await user.ask(get())).body).toBe("alive");
  });

  test("the one that lives is waited for where it is full", async () => {
    await using app = backend(() => undefined);
    const bounded = [...NOBODY, `127.0.0.1:${app.port}`].map((text) => ({
      address: parseAddress(text),
      maxConnections: 1,
    }));
    await using lb = weir({ backends: bounded, health: UNWATCHED });
    const users = await Promise.all(Array.from({ length: 8 }, () => client(lb)));
    for (const [i, user] of users.entries()) user.send(i % 2 === 0 ? get() : post("x"));
    for (let i = 0; i < users.length; i++) (await app.request(i)).connection.send(ok("in turn"));
    for (const user of users) expect((await user.response()).body).toBe("in turn");
    for (const user of users) await user[Symbol.asyncDispose]();
  });

  test("in mode tcp the one that lives is waited for where it is full", async () => {
    await using server = rawServer({ onConnection: (connection) => connection.send("hello") });
    const bounded = [...NOBODY, `127.0.0.1:${server.port}`].map((text) => ({
      address: parseAddress(text),
      maxConnections: 1,
    }));
    await using lb = weir({ mode: "tcp", backends: bounded, health: UNWATCHED });
    const users = await Promise.all(Array.from({ length: 6 }, () => connectRaw(lb.port)));
    // Each makes room for the next one when it has been served.
    await Promise.all(users.map(async (user) => (await user.untilText("hello")).reset()));
    expect(server.connections.length).toBe(users.length);
  });

  test("one attempt is one attempt: nothing goes on", async () => {
    await using app = backend();
    await using lb = weir({ backends: [...NOBODY, app], policy: "first", health: UNWATCHED, retry: { attempts: 1 } });
    await using user = await client(lb);
    const response = await user.ask(get());
    expect([response.status, lb.backendErrors(1, "BACKEND_REFUSED")]).toEqual([502, 0]);
    expect(response.field("proxy-status")).toContain("one attempt is all it may have");
    await using tcp = weir({
      mode: "tcp",
      backends: NOBODY,
      policy: "first",
      health: UNWATCHED,
      retry: { attempts: 1 },
    });
    await using other = await connectRaw(tcp.port);
    await other.until(({ closed }) => closed);
    expect(tcp.backendErrors(1, "BACKEND_REFUSED")).toBe(0);
  });
});

describe.skipIf(!CAN_BE_SILENT)("where all backends but one do not answer a connection", () => {
  test("each is waited for once, and the one that lives answers, whatever the method", async () => {
    await using silent = await silentServers();
    await using app = backend(({ body }) => ok(`alive ${body}`));
    const backends = [...silent.ports, app];
    const timeouts = { connectMs: CONNECT_MS };
    const clock = new HandClock();
    await using lb = weir({ backends, policy: "first", health: UNWATCHED, retryBudget: BROKE, timeouts, clock });
    await using user = await client(lb);
    expect((await passUntil(clock, user.ask(get()), STEP_MS)).body).toBe("alive ");
    expect((await passUntil(clock, user.ask(post("x")), STEP_MS)).body).toBe("alive x");
    expect(silent.ports.map((_, index) => lb.backendErrors(index, "BACKEND_CONNECT_TIMEOUT"))).toEqual([2, 2, 2, 2]);
  });

  test("in mode tcp too", async () => {
    await using silent = await silentServers();
    await using server = rawServer({ onConnection: (connection) => connection.send("hello") });
    const backends = [...silent.ports, server.port];
    const timeouts = { connectMs: CONNECT_MS };
    const clock = new HandClock();
    await using lb = weir({ mode: "tcp", backends, policy: "first", health: UNWATCHED, timeouts, clock });
    await using user = await connectRaw(lb.port);
    await passUntil(clock, user.untilText("hello"), STEP_MS);
  });

  test("no longer than `timeouts.total`", async () => {
    await using silent = await silentServers();
    const timeouts = { connectMs: 60_000, totalMs: 300 };
    await using lb = weir({ backends: silent.ports, policy: "first", health: UNWATCHED, timeouts });
    await using user = await client(lb);
    const response = await user.ask(get());
    expect([response.status, response.field("proxy-status")]).toEqual([504, expect.stringContaining("ROUTE_TIMEOUT")]);
  });
});

/** Dies as a process does that is killed: nothing is accepted any more, and what is open is reset. */
function die(server: Backend["server"]): void {
  server.stopAccepting();
  for (const connection of server.connections) connection.reset();
}

describe("where all backends but one die in one moment", () => {
  /** Requests that wait for an answer, or go over connections that have been used and are idle. */
  const HELD = 40;

  for (const policy of POLICIES.keys())
    test(`all that they held is answered by the one that lives, with ${policy}`, async () => {
      let dead = false;
      const last = 4;
      const apps = Array.from({ length: last + 1 }, (_, i) =>
        backend(({ start }) => (start.includes("/held") && !dead ? undefined : ok(`from ${i}`))),
      );
      const key = [{ kind: "header", name: "x-key" }] as const;
      const retryBudget = BROKE;
      await using lb = weir({
        backends: apps,
        policy: { name: policy, key: [...key] },
        health: UNWATCHED,
        retryBudget,
      });
      const users = await Promise.all(Array.from({ length: HELD }, () => client(lb)));
      // All of it over connections that have been used before, and some that then wait.
      for (const [i, user] of users.entries()) user.send(get("/", `X-Key: ${i}\r\n`));
      for (const user of users) expect((await user.response()).status).toBe(200);
      for (const [i, user] of users.entries()) if (i % 4 !== 0) user.send(get("/held", `X-Key: ${i}\r\n`));
      const held = (): number =>
        apps.flatMap(({ requests }) => requests).filter(({ start }) => start.includes("/held")).length;
      await until(() => held() === (HELD * 3) / 4);
      dead = true;
      for (const { server } of apps.slice(0, last)) die(server);
      for (const { connection, start } of apps[last]!.requests)
        if (start.includes("/held")) connection.send(ok(`from ${last}`));
      for (const [i, user] of users.entries()) if (i % 4 === 0) user.send(get("/", `X-Key: ${i}\r\n`));
      for (const user of users) expect((await user.response()).body).toBe(`from ${last}`);
      for (const user of users) await user[Symbol.asyncDispose]();
      for (const each of apps) await each[Symbol.asyncDispose]();
    });

  test("a request that kills whoever reads it stops after its attempts, over used connections as over new ones", async () => {
    const apps: Backend[] = Array.from({ length: 6 }, (_, i) =>
      backend(({ start }) => (start.includes("/deadly") ? die(apps[i]!.server) : ok())),
    );
    await using lb = weir({ backends: apps, policy: "round-robin", health: UNWATCHED });
    await using user = await client(lb);
    for (let i = 0; i < apps.length; i++) expect((await user.ask(get())).status).toBe(200);
    expect((await user.ask(get("/deadly"))).status).toBe(502);
    const deaths = apps.filter(({ requests }) => requests.some(({ start }) => start.includes("/deadly"))).length;
    expect(deaths).toBe(3);
    expect((await user.ask(get())).status).toBe(200);
    for (const each of apps) await each[Symbol.asyncDispose]();
  });
});
