import { describe, expect, test } from "bun:test";
import { POLICIES } from "../../src/balance/registry.ts";
import { explain } from "../../src/engine/explain.ts";
import type { Explanation, Question } from "../../src/engine/explanation.ts";
import { HEALTH_FLAG } from "../../src/observe/health-words.ts";
import { type Cluster, until } from "../fixtures/cluster.ts";
import { type Backend, backend, client, get, NOBODY, ok, weir } from "../fixtures/http.ts";
import { connectRaw } from "../fixtures/raw.ts";

/** Asks what a request of the fixtures would do. */
function ask(lb: Cluster, question: Partial<Question> = {}): Explanation {
  return explain(lb.engine.live, {
    method: "GET",
    url: "http://weir.example/",
    headers: [],
    from: "127.0.0.1",
    listener: "web",
    ...question,
  });
}

/** Backends that answer with their address. */
function named(count: number): AsyncDisposable & { readonly all: readonly Backend[] } {
  const all = Array.from({ length: count }, () => {
    const made: Backend = backend(() => ok(`127.0.0.1:${made.port}`));
    return made;
  });
  return {
    all,
    async [Symbol.asyncDispose]() {
      for (const each of all) await each[Symbol.asyncDispose]();
    },
  };
}

describe.each([...POLICIES.keys()])("%s", (policy) => {
  test("what is explained is what happens to the next request, and changes nothing", async () => {
    await using backends = named(4);
    await using lb = weir({ backends: backends.all, policy });
    await using user = await client(lb);
    for (let i = 0; i < 24; i++) {
      const told = ask(lb);
      expect(ask(lb)).toEqual(told);
      const { body } = await user.ask(get());
      expect(told.choice).toMatchObject({ outcome: "goes", by: "policy", code: null });
      if (told.choice.backend !== null) expect(told.choice.backend).toBe(body);
      expect(told.choice.possible).toContain(body);
      await until(() => lb.inFlight() === 0);
    }
  });
});

test("one that is in flight counts, and its backend's latency is told where the policy learns it", async () => {
  await using fast = backend(() => ok("fast"));
  await using silent = backend(() => {});
  await using lb = weir({ backends: [silent, fast], policy: "least-connections" });
  await using user = await client(lb);
  user.send(get());
  await silent.request(0);
  const told = ask(lb);
  expect(told.pool?.backends.map(({ inFlight, score, odds }) => [inFlight, score, odds])).toEqual([
    [1, 1, 0],
    [0, 0, 1],
  ]);
  expect(told.choice).toMatchObject({ backend: `127.0.0.1:${fast.port}`, why: "the least loaded" });
  silent.requests[0]?.connection.send(ok());
  await user.response();
  expect(ask(lb).pool?.backends[0]?.latencyMs).not.toBeNull();
});

test("a key, what it hashes to, and the fields that it is read from", async () => {
  await using backends = named(5);
  const key = [{ kind: "header", name: "x-user" } as const, { kind: "source" } as const];
  await using lb = weir({ backends: backends.all, policy: { name: "ring", key } });
  const hashes = new Set<number>();
  for (let i = 0; i < 20; i++) {
    const told = ask(lb, { headers: [["X-User", `u${i}`]], from: "127.0.0.1" });
    expect(told.pool?.key?.parts).toEqual(["header:x-user", "source"]);
    hashes.add(told.pool?.key?.hash ?? 0);
    await using user = await client(lb);
    expect((await user.ask(get("/", `X-User: u${i}\r\n`))).body).toBe(told.choice.backend ?? "?");
  }
  expect(hashes.size).toBe(20);
  const [one, other] = ["10.0.0.1", "10.0.0.2"].map((from) => ask(lb, { from }).pool?.key?.hash);
  expect(one).not.toBe(other);
});

test("a cookie keeps its client, until its backend is gone; what it says is told", async () => {
  await using backends = named(2);
  await using lb = weir({ backends: backends.all, affinity: {} });
  await using user = await client(lb);
  expect(ask(lb).pool?.affinity).toMatchObject({ pinned: null, why: "the request has no such cookie" });
  const response = await user.ask(get());
  const cookie = /Set-Cookie: ([^;]+);/.exec(response.raw)?.[1] ?? "";
  for (let i = 0; i < 3; i++)
    expect(ask(lb, { headers: [["Cookie", cookie]] }).choice).toMatchObject({ backend: response.body, by: "cookie" });
  const forged = ask(lb, { headers: [["Cookie", `${cookie.slice(0, -2)}xx`]] });
  expect(forged.pool?.affinity).toMatchObject({ named: null, pinned: null });
  expect(forged.choice.by).toBe("policy");
});

test("every state says why; a panic, a tier and a draining one too", async () => {
  await using backends = named(3);
  const [a, b, c] = backends.all.map(({ port }) => port);
  const at = (port: number | undefined): { kind: "tcp"; host: string; port: number } => ({
    kind: "tcp",
    host: "127.0.0.1",
    port: port ?? 0,
  });
  await using lb = weir({
    backends: [
      { address: at(a) },
      { address: at(b), state: "drain" },
      { address: at(c), tier: 1 },
      { address: at(1), weight: 0 },
    ],
  });
  const told = ask(lb);
  expect(told.pool?.backends.map(({ states, effectiveWeight }) => [states, effectiveWeight])).toEqual([
    [[], 1],
    [["drain"], 0],
    [["tier"], 0],
    [["weight-0"], 0],
  ]);
  expect(told.pool?.backends[2]?.why).toBe("a tier before it takes all work");
  expect(told.choice.backend).toBe(`127.0.0.1:${a}`);
});

test("another zone, a panic, a slow start and one that asks for no work", async () => {
  await using backends = named(5);
  const [a, b, c, d, e] = backends.all.map(({ port }) => ({ kind: "tcp", host: "127.0.0.1", port }) as const);
  await using lb = weir({
    zone: "here",
    backends: [
      { address: a!, zone: "here" },
      { address: b!, zone: "there" },
      { address: c!, zone: "here" },
      { address: d!, zone: "here" },
      { address: e!, zone: "here" },
    ],
  });
  const states = (): unknown => ask(lb).pool?.backends.map((each) => [each.states, each.effectiveWeight]);
  expect(states()).toEqual([
    [[], 1],
    [["zone"], 0],
    [[], 1],
    [[], 1],
    [[], 1],
  ]);
  const rows = lb.engine.live.placement.backends[0]!;
  const { ejected, ramp, down } = HEALTH_FLAG;
  lb.words.publish(0, rows, {
    weights: [10, 10, 1, 0, 10],
    flags: [ejected, 0, ramp, 0, down],
    panic: true,
    scale: 10,
  });
  expect(states()).toEqual([
    [["ejected"], 1],
    [[], 1],
    [["slow-start"], 0.1],
    [["advised-0"], 0],
    [["down"], 1],
  ]);
  expect(ask(lb).pool).toMatchObject({ panic: true });
  expect(ask(lb).pool?.backends[0]?.why).toBe(
    "the traffic shows that it fails; it gets work all the same, since the pool panics",
  );
});

test("a request that is refused is told with the code that its client gets", async () => {
  await using only = backend(() => ok());
  await using lb = weir({
    backends: [only],
    routes: [{ host: "known.test", path: "/v1/*", backend: 0 }],
    limits: { bodyBytes: 10, targetBytes: 100 },
  });
  const cases: readonly (readonly [Partial<Question>, string])[] = [
    [{ url: "http://known.test/v2" }, "ROUTE_NOT_FOUND"],
    [{ url: "http://other.test/v1/x" }, "ROUTE_NOT_FOUND"],
    [{ url: `http://known.test/v1/${"x".repeat(200)}` }, "CLIENT_TARGET_TOO_LONG"],
    [{ url: "http://known.test/v1/x", method: "POST", headers: [["Content-Length", "11"]] }, "CLIENT_BODY_TOO_LARGE"],
    [{ url: "http://known.test/v1/x", headers: [["Content-Length", "x"]] }, "CLIENT_AMBIGUOUS_FRAMING"],
  ];
  for (const [question, code] of cases) {
    const { choice } = ask(lb, question);
    expect([choice.outcome, choice.code, choice.backend]).toEqual(["refused", code as typeof choice.code, null]);
    await using user = await client(lb);
    const path = (question.url ?? "").replace(/^http:\/\/[^/]+/, "");
    const host = /^http:\/\/([^/]+)/.exec(question.url ?? "")?.[1] ?? "";
    const lines = (question.headers ?? []).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const answer = await user.ask(`${question.method ?? "GET"} ${path} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`);
    expect(answer.raw).toContain(code);
  }
  expect(ask(lb, { url: "http://known.test/v1/../v2" }).routes?.considered[0]?.verdict).toBe("path");
  expect(() => ask(lb, { listener: "nobody" })).toThrow('no listener is named "nobody"');
  expect(ask(lb, { listener: null, url: "tcp://known.test:1" })).toMatchObject({
    listener: null,
    choice: { outcome: "refused", by: "listener" },
  });
});

test("a full pool: who would wait, and who would be refused", async () => {
  await using silent = backend(() => {});
  await using lb = weir({ backends: [silent], poolLimits: { maxConnections: 1, maxQueue: 1 } });
  expect(ask(lb).pool?.limits).toMatchObject({ outcome: "enters", most: 1, taken: 0, waiting: 0 });
  await using first = await client(lb);
  first.send(get());
  await silent.request(0);
  expect(ask(lb).choice).toMatchObject({ outcome: "waits", by: "gate", why: "the pool is full: it waits" });
  await using second = await client(lb);
  second.send(get());
  await until(() => lb.waiting() === 1);
  expect(ask(lb).choice).toMatchObject({ outcome: "refused", code: "POOL_FULL" });
  expect(ask(lb).pool?.limits).toMatchObject({ taken: 1, waiting: 1 });
  silent.requests[0]?.connection.send(ok());
  await first.response();
  (await silent.request(1)).connection.send(ok());
  await second.response();
});

test("a TCP connection", async () => {
  await using backends = named(2);
  await using lb = weir({ backends: backends.all, mode: "tcp", policy: "rendezvous" });
  for (const from of ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"]) {
    const told = ask(lb, { from, url: "tcp://127.0.0.1:1" });
    await using raw = await connectRaw({ host: "127.0.0.1", port: lb.port, from });
    raw.send(get());
    await raw.until(({ text }) => text.includes("\r\n\r\n127."));
    expect(raw.text).toEndWith(told.choice.backend ?? "?");
  }
});

const TOKEN = "a token of the tests, 0123456789".replaceAll(/[ ,]/g, "-");

describe("weir-explain", () => {
  test("answers in a field of the response, with what really happened; no backend sees the token", async () => {
    await using backends = named(3);
    await using lb = weir({ backends: backends.all, explainToken: TOKEN });
    await using user = await client(lb);
    for (let i = 0; i < 6; i++) {
      const response = await user.ask(get("/x", `Weir-Explain: ${TOKEN}\r\nX-After: 1\r\n`));
      const line = /^weir-explain: (.*)$/m.exec(response.raw)?.[1] ?? "";
      expect(line).toContain('listener="web", route="*/*", pool="all", policy="round-robin"');
      expect(line).toContain(`outcome=goes, backend="${response.body}"`);
      expect(line).toContain(`answered="${response.body}"`);
      expect(line).not.toContain(TOKEN);
    }
    for (const { requests } of backends.all)
      for (const { raw } of requests) {
        expect(raw.toLowerCase()).not.toContain("weir-explain");
        expect(raw).toContain("X-After: 1");
      }
  });

  test("says nothing without the right token, or where it is off, and no backend sees it then either", async () => {
    await using one = backend(() => ok());
    await using off = weir({ backends: [one] });
    await using on = weir({ backends: [one], explainToken: TOKEN });
    for (const [lb, lines] of [
      [off, `weir-explain: ${TOKEN}\r\n`],
      [on, "weir-explain: wrong\r\n"],
      [on, `weir-explain: ${TOKEN}x\r\n`],
      [on, "weir-explain:\r\n"],
      [on, ""],
    ] as const) {
      await using user = await client(lb);
      const response = await user.ask(get("/", lines));
      expect(response.raw).toStartWith("HTTP/1.1 200");
      expect(response.raw.toLowerCase()).not.toContain("weir-explain");
    }
    for (const { raw } of one.requests) expect(raw.toLowerCase()).not.toContain("weir-explain");
  });

  test("explains an error too, and a backend that was asked in another's place", async () => {
    await using good = backend(() => ok("good"));
    await using lb = weir({ backends: [NOBODY[0]!, good], explainToken: TOKEN });
    await using user = await client(lb);
    const response = await user.ask(get("/", `weir-explain: ${TOKEN}\r\n`));
    expect(response.raw).toContain(`backend="${NOBODY[0]}"`);
    expect(response.raw).toContain(`answered="127.0.0.1:${good.port}"`);
    await using none = weir({ backends: [{ state: "drain" }], explainToken: TOKEN });
    await using other = await client(none);
    const refused = await other.ask(get("/", `weir-explain: ${TOKEN}\r\n`));
    expect(refused.raw).toStartWith("HTTP/1.1 503");
    expect(refused.raw).toContain('weir-explain: worker=0, listener="web"');
    expect(refused.raw).toContain('outcome=refused, code="POOL_NO_BACKEND"');
  });
});
