import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAddress } from "../../src/address.ts";
import { systemClock } from "../../src/clock.ts";
import { createEngine } from "../../src/engine/create.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { placementOf } from "../../src/engine/placement.ts";
import { sharedStateBytes, sharedStateOver } from "../../src/engine/shared-state.ts";
import { silentLog } from "../../src/observe/log.ts";
import type { BackendPlan } from "../../src/plan.ts";
import { seededRandom } from "../../src/random.ts";
import { OVERLOADED_AFTER_MS } from "../../src/pool/wait-queue.ts";
import { type ClusterOptions, cluster, planOf, until } from "../fixtures/cluster.ts";
import { connectRaw, type RawConnection, type RawServer, rawServer, refusingPort } from "../fixtures/raw.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { weir, type WeirProcess } from "../fixtures/weir-process.ts";

function at(port: number, more: Partial<BackendPlan> = {}): Partial<BackendPlan> {
  return { address: parseAddress(`127.0.0.1:${port}`), ...more };
}

/** A server that greets, and closes whoever says something: so it knows how many it had open at the most before Weir does. */
class Counting implements AsyncDisposable {
  readonly server: RawServer = rawServer({
    onConnection: (connection) => {
      this.#open += 1;
      this.most = Math.max(this.most, this.#open);
      connection.send("hello");
    },
    onData: (connection) => {
      this.#open -= 1;
      connection.end();
    },
  });
  most = 0;
  #open = 0;

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

/** Clients that come all at once; each leaves when it was served. @returns how many were */
async function burst(ports: readonly number[], count: number): Promise<number> {
  const clients = Array.from({ length: count }, async (_, i) => {
    const client = await connectRaw(ports[i % ports.length]!);
    const served = await isServed(client);
    client.send("bye");
    await client.untilEnd();
    client.reset();
    return served;
  });
  return (await Promise.all(clients)).filter(Boolean).length;
}

/** Whether a client was served: a closed one was not. */
async function isServed(client: RawConnection): Promise<boolean> {
  await client.until(({ text, closed, ended }) => text !== "" || closed || ended);
  return client.text !== "";
}

describe("a full TCP backend", () => {
  test("is waited for, with no byte of the client lost, and served in order", async () => {
    // The clock stands still: however slow the machine, no queue is old enough to be overloaded.
    const clock = { now: () => 1000 };
    await using server = rawServer({ onData: (connection) => connection.send("ok") });
    await using lb = cluster({ mode: "tcp", clock, backends: [at(server.port, { maxConnections: 1 })] });
    const first = await connectRaw(lb.port);
    await server.connection(0);
    const waiting: RawConnection[] = [];
    for (let i = 0; i < 3; i++) {
      const client = await connectRaw(lb.port);
      client.send(`client ${i}`);
      await until(() => lb.waiting() === i + 1);
      waiting.push(client);
    }
    let previous = first;
    for (const [i, client] of waiting.entries()) {
      expect(server.connections.length).toBe(i + 1);
      previous.reset();
      await client.untilText("ok");
      const connection = await server.connection(i + 1);
      await connection.untilText(`client ${i}`);
      previous = client;
    }
    expect(lb.waiting()).toBe(0);
    previous.reset();
    await until(() => lb.inFlight() === 0);
  });

  test("is not waited for where another has room", async () => {
    await using small = new Counting();
    await using large = new Counting();
    await using lb = cluster({
      mode: "tcp",
      backends: [at(small.server.port, { maxInFlight: 1 }), at(large.server.port)],
    });
    const clients = await Promise.all(Array.from({ length: 9 }, () => connectRaw(lb.port)));
    for (const client of clients) expect(await isServed(client)).toBe(true);
    expect([small.most, large.most]).toEqual([1, 8]);
    for (const client of clients) client.reset();
    await until(() => lb.inFlight() === 0);
  });

  test("closes with a reset who has waited for queueTimeout", async () => {
    await using server = new Counting();
    await using lb = cluster({
      mode: "tcp",
      backends: [at(server.server.port)],
      poolLimits: { maxConnections: 1, queueTimeoutMs: 50 },
    });
    const served = await connectRaw(lb.port);
    expect(await isServed(served)).toBe(true);
    const late = await connectRaw(lb.port);
    late.send("early bytes");
    await late.until(({ closed }) => closed);
    expect(late.error).toMatchObject({ code: "ECONNRESET" });
    expect(lb.listenerErrors("POOL_QUEUE_TIMEOUT")).toBe(1);
    expect(lb.log.filter(({ fields }) => fields["code"] === "POOL_QUEUE_TIMEOUT").length).toBe(1);
    expect(lb.waiting()).toBe(0);
    served.reset();
    await until(() => lb.inFlight() === 0);
  });

  test("closes at once who finds the queue full; all are counted, and few lines say so", async () => {
    await using server = new Counting();
    await using lb = cluster({
      mode: "tcp",
      backends: [at(server.server.port)],
      poolLimits: { maxConnections: 1, maxQueue: 2 },
    });
    const served = await connectRaw(lb.port);
    expect(await isServed(served)).toBe(true);
    const waiting = await Promise.all([connectRaw(lb.port), connectRaw(lb.port)]);
    await until(() => lb.waiting() === 2);
    for (let i = 0; i < 20; i++) {
      const refused = await connectRaw(lb.port);
      await refused.until(({ closed }) => closed);
    }
    expect(lb.listenerErrors("POOL_FULL")).toBe(20);
    expect(lb.log.filter(({ fields }) => fields["code"] === "POOL_FULL").length).toBe(1);
    expect(lb.waiting()).toBe(2);
    for (const client of [served, ...waiting]) client.reset();
    await until(() => lb.inFlight() === 0 && lb.waiting() === 0);
  });

  test("serves the newest first once the queue has not been empty for long", async () => {
    const clock = { ahead: 0, now: () => systemClock.now() + clock.ahead };
    await using server = new Counting();
    await using lb = cluster({ mode: "tcp", clock, backends: [at(server.server.port, { maxConnections: 1 })] });
    const served = await connectRaw(lb.port);
    expect(await isServed(served)).toBe(true);
    const waiting: RawConnection[] = [];
    for (let i = 0; i < 3; i++) {
      waiting.push(await connectRaw(lb.port));
      await until(() => lb.waiting() === i + 1);
    }
    clock.ahead = OVERLOADED_AFTER_MS;
    const order: number[] = [];
    let open = served;
    while (order.length < 3) {
      open.reset();
      await until(() => waiting.some(({ text }, i) => text !== "" && !order.includes(i)));
      const next = waiting.findIndex(({ text }, i) => text !== "" && !order.includes(i));
      order.push(next);
      open = waiting[next]!;
    }
    expect(order).toEqual([2, 1, 0]);
    open.reset();
    await until(() => lb.inFlight() === 0);
  });

  test("forgets a client that goes away while it waits", async () => {
    await using server = new Counting();
    await using lb = cluster({ mode: "tcp", backends: [at(server.server.port, { maxConnections: 1 })] });
    const served = await connectRaw(lb.port);
    expect(await isServed(served)).toBe(true);
    const gone = await connectRaw(lb.port);
    await until(() => lb.waiting() === 1);
    gone.reset();
    await until(() => lb.waiting() === 0);
    expect(lb.listenerErrors("CLIENT_GONE")).toBe(1);
    const next = await connectRaw(lb.port);
    await until(() => lb.waiting() === 1);
    served.reset();
    expect(await isServed(next)).toBe(true);
    expect(server.server.connections.length).toBe(2);
    next.reset();
    await until(() => lb.inFlight() === 0);
  });

  test("gives its slot back when it refuses, and the retry needs a slot of its own", async () => {
    await using server = new Counting();
    const dead = refusingPort();
    await using lb = cluster({
      mode: "tcp",
      policy: "first",
      backends: [at(dead, { maxConnections: 1 }), at(server.server.port, { maxConnections: 2 })],
      poolLimits: { queueTimeoutMs: 50 },
    });
    const clients: RawConnection[] = [];
    for (let i = 0; i < 2; i++) {
      const client = await connectRaw(lb.port);
      expect(await isServed(client)).toBe(true);
      clients.push(client);
    }
    expect([lb.backendErrors(0, "BACKEND_REFUSED"), server.most]).toEqual([2, 2]);
    // The other has no room: nobody is left to ask.
    const third = await connectRaw(lb.port);
    expect(await isServed(third)).toBe(false);
    for (const client of clients) client.reset();
    await until(() => lb.inFlight() === 0);
  });

  test("turns its clients away at the end of a drain, and nothing is left", async () => {
    await using server = new Counting();
    const lb = cluster({ mode: "tcp", backends: [at(server.server.port, { maxConnections: 1 })] });
    expect(await isServed(await connectRaw(lb.port))).toBe(true);
    const waiting = await connectRaw(lb.port);
    await until(() => lb.waiting() === 1);
    expect(await lb.engine.drain(1)).toBe(2);
    await waiting.until(({ closed }) => closed);
    expect([lb.inFlight(), lb.waiting()]).toEqual([0, 0]);
    await lb[Symbol.asyncDispose]();
  });
});

/** Several workers of one plan in this process, each with a port of its own. */
class Workers implements AsyncDisposable {
  readonly engines: readonly Engine[];
  readonly ports: readonly number[];
  readonly waiting: () => number;
  readonly inFlight: () => number;

  constructor(count: number, options: ClusterOptions) {
    const plan = { ...planOf(options), workers: count };
    const placement = placementOf(plan, count);
    const { shape } = placement;
    const shared = sharedStateOver(new ArrayBuffer(sharedStateBytes(shape)), shape);
    const row = placement.pools[0]!;
    this.engines = Array.from({ length: count }, (_, worker) =>
      createEngine({
        plan,
        placement,
        worker,
        ...shared,
        log: silentLog,
        clock: systemClock,
        random: seededRandom(worker),
      }),
    );
    this.ports = this.engines.map((engine) => engine.listen(0));
    this.waiting = () => shared.counters.waiting(row);
    this.inFlight = () => shared.counters.inFlight(row);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const engine of this.engines) engine.close();
    await until(() => this.engines.every((engine) => engine.connections().clients === 0));
  }
}

describe("over two workers", () => {
  test("never more than the limit is open at a backend, and everyone of a burst is served", async () => {
    await using server = new Counting();
    await using lb = new Workers(2, {
      mode: "tcp",
      backends: [at(server.server.port, { maxConnections: 3 })],
      poolLimits: { queueTimeoutMs: 0 },
    });
    expect(await burst(lb.ports, 60)).toBe(60);
    expect(server.most).toBe(3);
    await until(() => lb.inFlight() === 0 && lb.waiting() === 0);
  });

  test("a slot that one gives back reaches who waits in the other", async () => {
    await using server = new Counting();
    await using lb = new Workers(2, {
      mode: "tcp",
      backends: [at(server.server.port)],
      poolLimits: { maxConnections: 1 },
    });
    const one = await connectRaw(lb.ports[0]!);
    expect(await isServed(one)).toBe(true);
    const other = await connectRaw(lb.ports[1]!);
    await until(() => lb.waiting() === 1);
    one.reset();
    expect(await isServed(other)).toBe(true);
    other.reset();
    await until(() => lb.inFlight() === 0);
  });

  test("the queue is bounded for both together", async () => {
    await using server = new Counting();
    await using lb = new Workers(2, {
      mode: "tcp",
      backends: [at(server.server.port)],
      poolLimits: { maxConnections: 1, maxQueue: 3 },
    });
    const one = await connectRaw(lb.ports[0]!);
    expect(await isServed(one)).toBe(true);
    const waiting = [];
    for (let i = 0; i < 3; i++) {
      waiting.push(await connectRaw(lb.ports[i % 2]!));
      await until(() => lb.waiting() === i + 1);
    }
    for (const port of lb.ports) expect(await isServed(await connectRaw(port))).toBe(false);
    expect(lb.waiting()).toBe(3);
    for (const client of [one, ...waiting]) client.reset();
    await until(() => lb.inFlight() === 0 && lb.waiting() === 0);
  });
});

/** Weir with two worker processes in front of a server that takes so many connections. */
async function twoProcesses(
  folder: string,
  server: RawServer,
  maxConnections: number,
): Promise<{ lb: WeirProcess; port: number }> {
  const config = {
    listeners: { main: { address: "127.0.0.1:0", mode: "tcp", pool: "app" } },
    pools: { app: { backends: [`127.0.0.1:${server.port}`], limits: { maxConnections, queueTimeout: "1h" } } },
    workers: 2,
    admin: "off",
  };
  writeFileSync(join(folder, "weir.config.json"), JSON.stringify(config));
  const lb = weir(["serve"], { cwd: folder });
  return { lb, port: Number((await lb.address()).split(":").at(-1)) };
}

test("two worker processes never have more than the limit open at a backend, and serve a burst", async () => {
  using folder = temporaryFolder();
  await using server = new Counting();
  const { lb, port } = await twoProcesses(folder.path, server.server, 2);
  await using _ = lb;
  expect(await burst([port], 60)).toBe(60);
  expect(server.most).toBeLessThanOrEqual(2);
});

test("what a worker held that is killed is free again", async () => {
  using folder = temporaryFolder();
  await using server = new Counting();
  const { lb, port } = await twoProcesses(folder.path, server.server, 1);
  await using _ = lb;
  const held = await connectRaw(port);
  expect(await isServed(held)).toBe(true);
  for (const worker of [0, 1]) {
    const { pid } = await lb.event("worker started", { worker });
    process.kill(Number(pid), "SIGKILL");
    await lb.event("worker replaced", { worker });
  }
  expect(await burst([port], 4)).toBe(4);
});
