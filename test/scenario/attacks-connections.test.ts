import { expect, test } from "bun:test";
import { systemClock } from "../../src/clock.ts";
import { compile } from "../../src/config/compile/compile.ts";
import { configSchema } from "../../src/config/schema/schema.ts";
import { HandClock } from "../fixtures/hand-clock.ts";
import { Calm, Client, backend, get, ok } from "../fixtures/http.ts";
import type { ListenerPlan, OverLimit, Plan } from "../../src/plan.ts";
import { type ClusterOptions, Cluster, planOf, until } from "../fixtures/cluster.ts";
import { connectRaw, type RawConnection } from "../fixtures/raw.ts";

/** Weir that lets in so many connections of one address at its listener, or at all of them. */
function narrow(options: ClusterOptions, atListener: number | null, inAll: number | null): Cluster {
  const plan = planOf(options);
  const own = (most: number | null): { connectionsPerAddress?: number } =>
    most === null ? {} : { connectionsPerAddress: most };
  const listeners = plan.listeners.map((listener) => ({ ...listener, ...own(atListener) }));
  return new Cluster({ ...plan, ...own(inAll), listeners }, systemClock);
}

/** A client from an address of the loopback; one that is reset may be so before it is seen to be open. */
async function from(lb: Cluster, host: string): Promise<Client | null> {
  const raw: RawConnection | null = await connectRaw({ host: "127.0.0.1", port: lb.port, from: host }).catch(
    () => null,
  );
  return raw === null ? null : new Client(raw);
}

/** Opens connections until one is reset, at most so many. @returns those that are served */
async function flood(lb: Cluster, host: string, count: number): Promise<Client[]> {
  const served: Client[] = [];
  for (let i = 0; i < count; i++) {
    const user = await from(lb, host);
    user?.send(get());
    await user?.raw.until(({ text, closed, ended }) => closed || ended || text.endsWith("ok"));
    if (user?.raw.text.endsWith("ok") === true) served.push(user);
  }
  return served;
}

for (const [where, atListener, inAll] of [
  ["at a listener", 3, null],
  ["at all of them", null, 3],
  ["at both, the smaller one", 5, 3],
] as const)
  test(`a flood from one address has as many connections as connectionsPerAddress lets it: ${where}`, async () => {
    await using app = backend();
    const lb = narrow({ backends: [app.port] }, atListener, inAll);
    await using _ = new Calm(lb);
    const served = await flood(lb, "127.0.0.2", 10);
    expect(served.length).toBe(3);
    expect(lb.listenerErrors("CLIENT_TOO_MANY_CONNECTIONS")).toBe(7);
    // Others have their own number.
    const others = await flood(lb, "127.0.0.3", 2);
    expect(others.length).toBe(2);
    // One that goes makes room for one.
    await served.pop()?.[Symbol.asyncDispose]();
    await until(() => lb.engine.connections().clients === 4);
    const again = await flood(lb, "127.0.0.2", 2);
    expect(again.length).toBe(1);
    for (const each of [...served, ...others, ...again]) await each[Symbol.asyncDispose]();
  });

test("a tunnel counts for connectionsPerAddress until it ends", async () => {
  await using app = backend(() => "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
  const lb = narrow({ backends: [app.port] }, 1, null);
  await using _ = new Calm(lb);
  const user = await from(lb, "127.0.0.2");
  user?.send(get("/", "Connection: upgrade\r\nUpgrade: x\r\n"));
  await user?.raw.untilText("101");
  user?.send("ping");
  await app.server.connections[0]!.untilText("ping");
  expect((await flood(lb, "127.0.0.2", 2)).length).toBe(0);
  user?.raw.reset();
  await until(() => lb.engine.connections().clients === 0);
  const next = await from(lb, "127.0.0.2");
  next?.send(get("/", "Connection: upgrade\r\nUpgrade: x\r\n"));
  await next?.raw.untilText("101");
  next?.raw.reset();
});

test("in mode tcp too: what is beyond connectionsPerAddress is reset, and reaches no backend", async () => {
  await using app = backend(() => ok());
  const lb = narrow({ mode: "tcp", backends: [app.port] }, 2, null);
  await using _ = new Calm(lb);
  const served = await flood(lb, "127.0.0.2", 6);
  expect([served.length, app.server.connections.length]).toEqual([2, 2]);
  expect(lb.listenerErrors("CLIENT_TOO_MANY_CONNECTIONS")).toBe(4);
  for (const each of served) await each[Symbol.asyncDispose]();
});

test("connectionsPerAddress stands at the top level and on a listener, each for itself", () => {
  const limits = { connectionsPerAddress: 7 };
  const plan = compile(
    configSchema.parse({
      listeners: {
        web: { address: ":0", pool: "app", limits: { connectionsPerAddress: 3 } },
        api: { address: ":0", pool: "app" },
      },
      pools: { app: { backends: [":8001"] } },
      limits,
    }),
  );
  const [web, api] = plan.listeners;
  expect([plan.connectionsPerAddress, web?.connectionsPerAddress]).toEqual([7, 3]);
  expect(api).not.toHaveProperty("connectionsPerAddress");
});

/** Weir that turns away whom it has no room for. */
function turning(how: OverLimit, own: Partial<ListenerPlan>, whole: Partial<Plan>, options: ClusterOptions): Cluster {
  const plan = planOf(options);
  const listeners = plan.listeners.map((listener) => ({ ...listener, ...own, overLimit: how }));
  return new Cluster({ ...plan, ...whole, listeners }, systemClock);
}

for (const [where, own, whole] of [
  ["at a listener", { connections: 2 }, {}],
  ["at all of them", {}, { connections: 2, overLimit: "503" }],
] as const)
  test(`with overLimit: 503 those beyond limits.connections get 503 and are gone, and one that goes makes room: ${where}`, async () => {
    await using app = backend();
    const lb = turning("503", own, whole, { backends: [app.port] });
    await using _ = new Calm(lb);
    const served = await flood(lb, "127.0.0.1", 2);
    expect(served.length).toBe(2);
    for (let i = 0; i < 5; i++) {
      const user = await from(lb, "127.0.0.1");
      user!.send(get());
      await user!.raw.until(({ closed, ended }) => closed || ended);
      expect(user!.raw.text).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
      expect(user!.raw.text).toContain("Retry-After: 1\r\n");
      expect(user!.raw.text).toContain("Connection: close\r\n");
      expect(user!.raw.text).toContain("WEIR_NO_ROOM");
      await user![Symbol.asyncDispose]();
    }
    expect(lb.listenerErrors("WEIR_NO_ROOM")).toBe(5);
    expect(app.server.connections.length).toBeLessThanOrEqual(2);
    await served.pop()?.[Symbol.asyncDispose]();
    await until(() => lb.engine.connections().clients === 1);
    const again = await flood(lb, "127.0.0.1", 1);
    expect(again.length).toBe(1);
    for (const each of [...served, ...again]) await each[Symbol.asyncDispose]();
  });

test("with overLimit: 503 those beyond connectionsPerAddress get 503 too, and who asks nothing is reset after a while", async () => {
  await using app = backend();
  const clock = new HandClock();
  const plan = planOf({ backends: [app.port] });
  const listeners = plan.listeners.map((listener) => ({
    ...listener,
    connectionsPerAddress: 1,
    overLimit: "503" as const,
  }));
  const lb = new Cluster({ ...plan, listeners }, clock);
  await using _ = new Calm(lb);
  const served = await flood(lb, "127.0.0.2", 1);
  const user = await from(lb, "127.0.0.2");
  user!.send(get());
  await user!.raw.untilText("CLIENT_TOO_MANY_CONNECTIONS");
  expect(user!.raw.text).toStartWith("HTTP/1.1 503 ");
  await user![Symbol.asyncDispose]();
  const mute = await from(lb, "127.0.0.2");
  await until(() => lb.listenerErrors("CLIENT_TOO_MANY_CONNECTIONS") === 2);
  expect(mute!.raw.closed).toBe(false);
  clock.pass(3000);
  await mute!.raw.until(({ closed }) => closed);
  expect(mute!.raw.text).toBe("");
  for (const each of served) await each[Symbol.asyncDispose]();
});

test("with overLimit: reset those beyond limits.connections are reset, and reach no backend, in mode tcp too", async () => {
  for (const mode of ["http", "tcp"] as const) {
    await using app = backend(() => ok());
    const lb = turning("reset", { connections: 2 }, {}, { mode, backends: [app.port] });
    await using _ = new Calm(lb);
    const served = await flood(lb, "127.0.0.1", 6);
    expect(served.length).toBe(2);
    expect(lb.listenerErrors("WEIR_NO_ROOM")).toBe(4);
    for (const each of served) await each[Symbol.asyncDispose]();
  }
});

test("closing Weir closes those who still wait for their 503", async () => {
  await using app = backend();
  const lb = turning("503", { connections: 1 }, {}, { backends: [app.port] });
  await using _ = new Calm(lb);
  const [served] = await flood(lb, "127.0.0.1", 1);
  const mute = await from(lb, "127.0.0.1");
  await until(() => lb.listenerErrors("WEIR_NO_ROOM") === 1);
  lb.engine.close();
  await mute!.raw.until(({ closed }) => closed);
  await served?.[Symbol.asyncDispose]();
});

test("overLimit stands at the top level and on a listener, which has that of the whole otherwise; in mode tcp it is a reset", () => {
  const plan = compile(
    configSchema.parse({
      listeners: {
        web: { address: ":0", pool: "app", limits: { overLimit: "reset" } },
        api: { address: ":0", pool: "app" },
        db: { address: ":0", mode: "tcp", pool: "app" },
      },
      pools: { app: { backends: [":8001"] } },
      limits: { overLimit: "503" },
    }),
  );
  expect([plan.overLimit, ...plan.listeners.map(({ overLimit }) => overLimit)]).toEqual([
    "503",
    "reset",
    "503",
    "reset",
  ]);
});
