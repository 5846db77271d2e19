import { describe, expect, test } from "bun:test";
import { parseAddress } from "../../src/address.ts";
import { systemClock } from "../../src/clock.ts";
import type { BackendPlan } from "../../src/plan.ts";
import { OVERLOADED_AFTER_MS } from "../../src/pool/wait-queue.ts";
import { until } from "../fixtures/cluster.ts";
import { type Backend, backend, type Client, client, get, NOBODY, ok, post, weir } from "../fixtures/http.ts";

function limited({ port }: Backend, more: Partial<BackendPlan>): Partial<BackendPlan> {
  return { address: parseAddress(`127.0.0.1:${port}`), ...more };
}

/** A backend that answers when the test says so. */
function patient(): Backend {
  return backend(() => undefined);
}

function answer(app: Backend, index: number, body = "ok"): void {
  app.requests[index]!.connection.send(ok(body));
}

const CODE = /details="([A-Z_]+)/;

describe("a full backend", () => {
  test("is waited for, and served oldest first as long as there is no overload", async () => {
    const clock = { now: () => 1000 };
    await using app = patient();
    await using lb = weir({ clock, backends: [limited(app, { maxConnections: 1 })] });
    const users: Client[] = [];
    for (let i = 0; i < 4; i++) {
      users.push(await client(lb));
      users[i]!.send(get(`/${i}`));
      await until(() => app.requests.length + lb.waiting() === i + 1);
    }
    for (let i = 0; i < 4; i++) {
      expect((await app.request(i)).start).toContain(`/${i} `);
      expect(app.requests.length).toBe(i + 1);
      answer(app, i);
      expect((await users[i]!.response()).status).toBe(200);
    }
    expect(lb.waiting()).toBe(0);
    for (const user of users) await user[Symbol.asyncDispose]();
  });

  test("serves the newest first once its queue has not been empty for long", async () => {
    const clock = { ahead: 0, now: () => systemClock.now() + clock.ahead };
    await using app = patient();
    await using lb = weir({ clock, backends: [limited(app, { maxInFlight: 1 })] });
    const users: Client[] = [];
    for (let i = 0; i < 4; i++) {
      users.push(await client(lb));
      users[i]!.send(get(`/${i}`));
      await until(() => app.requests.length + lb.waiting() === i + 1);
    }
    clock.ahead = OVERLOADED_AFTER_MS;
    for (let i = 0; i < 4; i++) {
      await app.request(i);
      answer(app, i);
    }
    for (const user of users) expect((await user.response()).status).toBe(200);
    expect(app.requests.map(({ start }) => start.split(" ")[1])).toEqual(["/0", "/3", "/2", "/1"]);
    for (const user of users) await user[Symbol.asyncDispose]();
  });

  test("sends on a body that came while its request waited, whole", async () => {
    await using app = patient();
    await using lb = weir({ backends: [limited(app, { maxConnections: 1 })] });
    await using first = await client(lb);
    first.send(get());
    await app.request(0);
    await using second = await client(lb);
    const body = "x".repeat(300_000);
    second.send(post(body));
    await until(() => lb.waiting() === 1);
    answer(app, 0);
    expect((await app.request(1)).body).toBe(body);
    answer(app, 1);
    expect((await first.response()).status).toBe(200);
    expect((await second.response()).status).toBe(200);
  });

  test("is not waited for where another has room, and a slot is free again after each answer", async () => {
    await using small = backend();
    await using large = backend();
    await using lb = weir({ backends: [limited(small, { maxConnections: 1 }), limited(large, { maxConnections: 1 })] });
    await using user = await client(lb);
    for (let i = 0; i < 20; i++) expect((await user.ask(get())).status).toBe(200);
    expect([small.requests.length, large.requests.length]).toEqual([10, 10]);
  });
});

describe("503, with Retry-After and Proxy-Status", () => {
  test("at once for who finds the queue full", async () => {
    await using app = patient();
    await using lb = weir({ backends: [app], poolLimits: { maxInFlight: 1, maxQueue: 1, queueTimeoutMs: 7_500 } });
    const users = await Promise.all([client(lb), client(lb), client(lb)]);
    users[0].send(get());
    await app.request(0);
    users[1].send(get());
    await until(() => lb.waiting() === 1);
    const refused = await users[2].ask(get());
    expect(refused.status).toBe(503);
    expect(refused.field("retry-after")).toBe("8");
    expect(refused.field("proxy-status")).toContain("connection_limit_reached");
    expect(CODE.exec(refused.field("proxy-status") ?? "")?.[1]).toBe("POOL_FULL");
    expect(lb.listenerErrors("POOL_FULL")).toBe(1);
    answer(app, 0);
    await app.request(1);
    answer(app, 1);
    for (const user of users.slice(0, 2)) expect((await user.response()).status).toBe(200);
    // Whoever was refused may try again on the same connection.
    users[2].send(get());
    await app.request(2);
    answer(app, 2);
    expect((await users[2].response()).status).toBe(200);
    for (const user of users) await user[Symbol.asyncDispose]();
  });

  test("for who has waited for queueTimeout, and its slot in the queue is free", async () => {
    await using app = patient();
    await using lb = weir({ backends: [app], poolLimits: { maxConnections: 1, queueTimeoutMs: 50 } });
    await using first = await client(lb);
    first.send(get());
    await app.request(0);
    await using second = await client(lb);
    const late = await second.ask(get());
    expect(late.status).toBe(503);
    expect(late.field("retry-after")).toBe("1");
    expect(CODE.exec(late.field("proxy-status") ?? "")?.[1]).toBe("POOL_QUEUE_TIMEOUT");
    expect([lb.listenerErrors("POOL_QUEUE_TIMEOUT"), lb.waiting()]).toEqual([1, 0]);
    answer(app, 0);
    expect((await first.response()).status).toBe(200);
    expect(app.requests.length).toBe(1);
  });
});

describe("a slot is given back", () => {
  test("when the client goes away while it waits, and while it is served", async () => {
    await using app = patient();
    await using lb = weir({ backends: [limited(app, { maxConnections: 1 })] });
    await using served = await client(lb);
    served.send(get());
    await app.request(0);
    await using gone = await client(lb);
    gone.send(get("/gone"));
    await until(() => lb.waiting() === 1);
    gone.raw.reset();
    await until(() => lb.waiting() === 0);
    await using next = await client(lb);
    next.send(get("/next"));
    await until(() => lb.waiting() === 1);
    served.raw.reset();
    expect((await app.request(1)).start).toContain("/next");
    answer(app, 1);
    expect((await next.response()).status).toBe(200);
  });

  test("when the backend refuses: the other is tried, and who waits is let in", async () => {
    await using app = backend();
    const [dead = ""] = NOBODY;
    await using lb = weir({
      policy: "first",
      backends: [{ address: parseAddress(dead), maxConnections: 1 }, limited(app, { maxConnections: 2 })],
    });
    await using user = await client(lb);
    for (let i = 0; i < 4; i++) expect((await user.ask(get())).status).toBe(200);
    expect(app.requests.length).toBe(4);
  });

  test("when a response breaks off", async () => {
    await using app = patient();
    await using lb = weir({ backends: [limited(app, { maxConnections: 1 })] });
    await using first = await client(lb);
    first.send(get());
    await app.request(0);
    await using second = await client(lb);
    second.send(get("/second"));
    await until(() => lb.waiting() === 1);
    const { connection } = app.requests[0]!;
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin");
    await first.raw.untilText("begin");
    connection.reset();
    expect((await app.request(1)).start).toContain("/second");
    answer(app, 1);
    expect((await second.response()).status).toBe(200);
  });

  test("when a tunnel ends, and not before", async () => {
    await using app = patient();
    await using lb = weir({ backends: [limited(app, { maxConnections: 1 })] });
    await using first = await client(lb);
    first.send(get("/chat", "Connection: upgrade\r\nUpgrade: chat\r\n"));
    const { connection } = await app.request(0);
    connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n");
    await first.raw.untilText("101");
    await using second = await client(lb);
    second.send(get("/second"));
    await until(() => lb.waiting() === 1);
    first.raw.reset();
    expect((await app.request(1)).start).toContain("/second");
    answer(app, 1);
    expect((await second.response()).status).toBe(200);
  });
});

test("a burst of many more than there is room for is served in full, and never more than the limit is at the backend", async () => {
  let open = 0;
  let most = 0;
  await using app = backend(({ connection }) => {
    open += 1;
    most = Math.max(most, open);
    // Answered in a later turn of the event loop, so that requests meet.
    setImmediate(() => {
      open -= 1;
      connection.send(ok());
    });
  });
  await using lb = weir({ backends: [app], poolLimits: { maxInFlight: 5, queueTimeoutMs: 0 } });
  const users = await Promise.all(Array.from({ length: 60 }, () => client(lb)));
  const answers = await Promise.all(users.map((user) => user.ask(get())));
  expect(answers.filter(({ status }) => status === 200).length).toBe(60);
  expect(most).toBe(5);
  for (const user of users) await user[Symbol.asyncDispose]();
});

test("maxInFlight: auto lets in what there is, and everyone of a burst is served", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app], poolLimits: { maxInFlight: "auto", queueTimeoutMs: 0 } });
  const users = await Promise.all(Array.from({ length: 60 }, () => client(lb)));
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(users.map((user) => user.ask(get())));
    expect(answers.filter(({ status }) => status === 200).length).toBe(60);
  }
  for (const user of users) await user[Symbol.asyncDispose]();
});

test("a client that goes away by FIN while it waits with its body leaves the queue, and its request is never sent", async () => {
  await using app = backend(() => undefined);
  await using lb = weir({ backends: [app], poolLimits: { maxInFlight: 1, queueTimeoutMs: 0 } });
  await using first = await client(lb);
  first.send(get("/first"));
  const { connection } = await app.request(0);
  for (let i = 0; i < 3; i++) {
    await using gone = await client(lb);
    gone.send(post("order", { path: "/gone" }));
    await until(() => lb.waiting() === 1);
    gone.raw.shutdown();
    await until(() => lb.waiting() === 0);
  }
  await using last = await client(lb);
  last.send(get("/last"));
  await until(() => lb.waiting() === 1);
  connection.send(ok());
  const { start, connection: second } = await app.request(1);
  expect(start).toBe("GET /last HTTP/1.1");
  second.send(ok());
  expect((await last.response()).status).toBe(200);
});
