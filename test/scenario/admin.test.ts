import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { connectionsSchema, type PoolView, type Status } from "../../src/admin/model.ts";
import type { Applied, ProblemDocument } from "../../src/admin/model-writes.ts";
import { liveShapeSchema, liveTickSchema } from "../../src/admin/model-live.ts";
import { EventReader } from "../../src/admin/event-reader.ts";
import { get, type NumberedBackends } from "../fixtures/numbered-backends.ts";
import { connectRaw } from "../fixtures/raw.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { type AdminStage, adminStage, type AdminWeir, adminWeir } from "../fixtures/weir-admin.ts";
import { weir } from "../fixtures/weir-process.ts";

// A busy machine is slow, not wrong.
setDefaultTimeout(60_000);

let stage: AdminStage;
let servers: NumberedBackends;
let lb: AdminWeir;
let web: string;

beforeAll(async () => {
  stage = await adminStage(3, (addresses) => ({
    listeners: { web: { address: "127.0.0.1:0", routes: [{ pool: "app" }] } },
    pools: { app: { backends: addresses.slice(0, 2), health: "/" } },
  }));
  ({ lb, servers } = stage);
  web = await lb.process.address("web");
});

afterAll(() => stage[Symbol.asyncDispose]());

type Json = Readonly<Record<string, unknown>>;

const backendPath = (index: number): string => `/v1/pools/app/backends/${servers.addresses[index]}`;

async function spread(requests: number): Promise<Set<string>> {
  const answers = new Set<string>();
  for (let i = 0; i < requests; i++) answers.add(await get(web));
  return answers;
}

/** The events of a stream until one of them is enough. */
async function readStream(
  response: Response,
  enough: (event: { event: string; data: string; id: string }) => boolean,
): Promise<{ event: string; data: string; id: string }[]> {
  const reader = new EventReader();
  const decoder = new TextDecoder();
  const seen: { event: string; data: string; id: string }[] = [];
  for await (const chunk of response.body ?? []) {
    for (const event of reader.push(decoder.decode(chunk, { stream: true }))) {
      seen.push(event);
      if (enough(event)) return seen;
    }
  }
  return seen;
}

test("every answer of the real program is what its OpenAPI document says", async () => {
  const document = await lb.json<{ paths: Record<string, Record<string, Json>> }>("/v1/openapi.json");
  const values: Record<string, string> = { pool: "app", backend: servers.addresses[0] ?? "" };
  let asked = 0;
  for (const [path, { get: read }] of Object.entries(document.paths)) {
    const content = (read?.["responses"] as Record<string, Json> | undefined)?.["200"]?.["content"] as Json | undefined;
    if (content === undefined || !("application/json" in content)) continue;
    const { schema } = content["application/json"] as { schema: z.core.JSONSchema.JSONSchema };
    const answer = await lb.json(path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? ""));
    expect(z.fromJSONSchema(schema).parse(answer)).toEqual(answer as never);
    asked += 1;
  }
  expect(asked).toBeGreaterThanOrEqual(8);
});

test("is alive and ready, and metrics are there", async () => {
  expect((await lb.ask("/healthz")).status).toBe(200);
  expect((await lb.ask("/readyz")).status).toBe(200);
  expect(await (await lb.ask("/metrics")).text()).toContain("weir_");
});

test("a backend that is drained gets no new work, and gets it again when it is ready", async () => {
  const drained = await lb.json<Applied>(backendPath(0), "PATCH", { state: "drain" });
  expect(drained.changes.map(({ name }) => name)).toEqual([`app/${servers.addresses[0]}`]);
  expect(await spread(6)).toEqual(new Set(["2"]));
  const { backends } = await lb.json<PoolView>("/v1/pools/app");
  expect(backends.map(({ state }) => state)).toEqual(["drain", "up"]);
  await lb.json(backendPath(0), "PATCH", { state: "ready" });
  expect(await spread(60)).toEqual(new Set(["1", "2"]));
});

test("backends, pools and routes come and go while it runs", async () => {
  await lb.json("/v1/pools", "POST", { name: "third", pool: { backends: [servers.addresses[2]] } });
  await lb.json("/v1/routes", "POST", { listener: "web", route: { path: "/third", pool: "third" } });
  expect(await get(web, "/third")).toBe("3");
  await lb.json(`/v1/routes/${encodeURIComponent("web:*/third")}`, "DELETE");
  expect(await get(web, "/third")).not.toBe("3");
  await lb.json("/v1/pools/third", "DELETE");
  await lb.json("/v1/pools/app/backends", "POST", { backend: { address: servers.addresses[2], weight: 4 } });
  expect(await lb.json<PoolView>("/v1/pools/app")).toMatchObject({ backends: [{}, {}, { weight: 4 }] });
  await lb.json(backendPath(2), "DELETE");
  expect(await spread(10)).toEqual(new Set(["1", "2"]));
});

test("connections are listed, filtered and closed", async () => {
  await using one = await connectRaw(Number(web.split(":")[1]));
  one.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await one.untilText("\r\n\r\n");
  // Those of the tests before may be closing yet.
  const list = async (total: number): Promise<ReturnType<typeof connectionsSchema.parse>> => {
    for (;;) {
      const listed = connectionsSchema.parse(await lb.json("/v1/connections"));
      if (listed.total === total) return listed;
    }
  };
  const listed = await list(1);
  expect(listed.connections.filter(({ state }) => state === "idle")).toMatchObject([
    { listener: "web", mode: "http", client: "127.0.0.1" },
  ]);
  expect((await lb.json<{ total: number }>("/v1/connections?listener=nope")).total).toBe(0);
  expect((await lb.json<{ total: number }>("/v1/connections?client=127.0.0.1&state=idle&limit=1")).total).toBe(1);
  const [connection] = listed.connections;
  await lb.json(`/v1/connections/${connection?.id}`, "DELETE");
  await one.untilEnd();
  await list(0);
  expect(await lb.json<{ done: string }>(`/v1/connections/${connection?.id}`, "DELETE")).toEqual({
    done: `connection ${connection?.id} was gone already`,
  });
});

test("events resume where a reader left off, each once", async () => {
  const first = await readStream(await lb.ask("/v1/events?recent=1000"), () => true);
  const from = Number(first[0]?.id);
  await lb.json(backendPath(0), "PATCH", { weight: 2 });
  await lb.json(backendPath(0), "PATCH", { weight: 1 });
  const writes = (events: readonly { data: string }[]): number =>
    events.filter(({ data }) => data.includes('"admin write"') && data.includes("has weight")).length;
  const all: { event: string; data: string; id: string }[] = [];
  const rest = await readStream(
    await lb.ask("/v1/events", "GET", undefined, { "last-event-id": String(from) }),
    (event) => {
      all.push(event);
      return writes(all) === 2;
    },
  );
  expect(rest.map(({ id }) => Number(id))).toEqual(rest.map((_, i) => from + 1 + i));
});

test("the live stream tells shape and ticks, and a new shape when something changes", async () => {
  const response = await lb.ask("/v1/live");
  let ticks = 0;
  let changed: Promise<unknown> = Promise.resolve();
  let asked = false;
  const seen = await readStream(response, ({ event, data }) => {
    if (event === "shape") return asked;
    liveTickSchema.parse(JSON.parse(data));
    ticks += 1;
    if (ticks === 1) {
      changed = lb.json(backendPath(1), "PATCH", { weight: 3 });
      asked = true;
    }
    return false;
  });
  const shapes = seen
    .filter(({ event }) => event === "shape")
    .map(({ data }) => liveShapeSchema.parse(JSON.parse(data)));
  expect(shapes.map(({ pools }) => pools[0]?.backends[1]?.weight)).toEqual([1, 3]);
  await changed;
  await lb.json(backendPath(1), "PATCH", { weight: 1 });
});

test("an address that another name leads to is told so, and no page of another site may write", async () => {
  const rebound = await lb.ask("/v1/status", "GET", undefined, { host: "evil.example" });
  expect([rebound.status, ((await rebound.json()) as ProblemDocument).code]).toEqual([403, "ADMIN_WRONG_HOST"]);
  const forged = await lb.ask(backendPath(0), "PATCH", { weight: 0 }, { origin: "http://evil.example" });
  expect([forged.status, ((await forged.json()) as ProblemDocument).code]).toEqual([403, "ADMIN_CROSS_SITE"]);
});

test("a body that is too large is refused, however it is sent", async () => {
  const big = "x".repeat(2_000_000);
  const whole = await lb.ask(backendPath(0), "PATCH", { weight: big });
  expect(((await whole.json()) as ProblemDocument).code).toBe("ADMIN_TOO_LARGE");
  const chunked = await fetch(`http://${lb.admin}${backendPath(0)}`, {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: new ReadableStream({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode(big.slice(0, 65_536)));
      },
    }),
  });
  expect(chunked.status).toBe(413);
});

test("a broken file is refused with what `weir check` says, and nothing changes", async () => {
  const before = await lb.json<Status>("/v1/status");
  const text = readFileSync(lb.file, "utf8");
  writeFileSync(lb.file, text.replace('"pool":"app"', '"pool":"apq"'));
  const { code, error } = await lb.call(["reload"]);
  const checked = await lb.call(["check", lb.file, "--diff"]);
  writeFileSync(lb.file, text);
  expect([code, checked.code]).toEqual([1, 1]);
  expect(error).toContain("CONFIG_UNKNOWN_POOL");
  expect(error).toMatch(/weir\.config\.json:1:\d+ listeners\.web\.routes\[0\]\.pool/);
  expect(await lb.json<Status>("/v1/status")).toMatchObject({
    generation: before.generation,
    planHash: before.planHash,
  });
});

describe("a token", () => {
  const token = "a token of sixteen bytes".replaceAll(" ", "-");

  test("is asked for, in commands too, and a wrong one is logged", async () => {
    using own = temporaryFolder();
    const tokenFile = join(own.path, "token");
    writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
    const guarded = await adminWeir(own.path, {
      listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
      pools: { app: { backends: [servers.addresses[0] ?? ""] } },
      admin: { address: "0.0.0.0:0", tokenFile },
    });
    await using running = guarded.process;
    const address = guarded.admin.replace("0.0.0.0", "127.0.0.1");
    const ask = async (authorization: string): Promise<number> =>
      (await fetch(`http://${address}/v1/status`, { headers: { authorization, host: "weir.example" } })).status;
    expect(await ask(`Bearer ${token}`)).toBe(200);
    expect(await ask(`Bearer ${token}x`)).toBe(401);
    await running.event("admin refused", { code: "ADMIN_UNAUTHORIZED" });
    expect((await fetch(`http://${address}/readyz`)).status).toBe(200);
    expect((await guarded.call(["status"])).error).toContain("ADMIN_UNAUTHORIZED");
    expect((await guarded.call(["status", "--token-file", tokenFile])).code).toBe(0);
    expect((await guarded.call(["status"], { env: { WEIR_TOKEN_FILE: tokenFile } })).code).toBe(0);
    // Another one, without a restart: asked with the old one, answered by the new one alone.
    writeFileSync(tokenFile, `another-${token}`);
    const post = {
      method: "POST",
      body: "{}",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    };
    expect((await fetch(`http://${address}/v1/reload`, post)).status).toBe(200);
    for (;;) if ((await ask(`Bearer another-${token}`)) === 200) break;
    expect(await ask(`Bearer ${token}`)).toBe(401);
  });

  test("in a file that is open to others keeps Weir from starting", async () => {
    using own = temporaryFolder();
    const tokenFile = join(own.path, "token");
    writeFileSync(tokenFile, token);
    chmodSync(tokenFile, 0o644);
    const file = join(own.path, "weir.json");
    const listeners = { web: { address: "127.0.0.1:0", pool: "app" } };
    const pools = { app: { backends: ["127.0.0.1:1"] } };
    writeFileSync(file, JSON.stringify({ listeners, pools, admin: { address: "127.0.0.1:0", tokenFile } }));
    await using refused = weir(["serve", file], { admin: true });
    expect((await refused.exited).code).toBe(1);
    expect(refused.stderr).toContain("ADMIN_TOKEN_UNSAFE");
  });
});

test("an address that is in use keeps Weir from starting, and says what to do", async () => {
  await using second = weir(["serve", "--listen", "127.0.0.1:0", "--to", ":1", "--admin", lb.admin]);
  expect((await second.exited).code).toBe(1);
  expect(second.stderr).toContain("ADMIN_ADDRESS_IN_USE");
  expect(second.stderr).toContain("--admin");
});

test("the demo has it too", async () => {
  const path = join(stage.folder.path, "demo.sock");
  await using demo = weir([
    "demo",
    "--listen",
    "127.0.0.1:0",
    "--backends",
    "0,0",
    "--workers",
    "1",
    "--admin",
    `unix:${path}`,
  ]);
  await demo.event("admin bound", { address: `unix:${path}` });
  const status = (await (await fetch("http://localhost/v1/status", { unix: path })).json()) as Status;
  expect(status.backends).toEqual({ total: 2, up: 2 });
});

test("a unix socket serves too, for its owner alone", async () => {
  using own = temporaryFolder();
  const path = join(own.path, "admin.sock");
  const unix = await adminWeir(own.path, {
    listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: [servers.addresses[0] ?? ""] } },
    admin: `unix:${path}`,
  });
  await using _running = unix.process;
  expect(await unix.json<Status>("/v1/status")).toMatchObject({ phase: "running" });
  expect((await unix.call(["backends", "--names"])).out).toBe(`app/${servers.addresses[0]}`);
});

test("the address follows the configuration", async () => {
  using own = temporaryFolder();
  const config = {
    listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: [servers.addresses[0] ?? ""] } },
  };
  const moved = await adminWeir(own.path, config);
  await using running = moved.process;
  const path = join(own.path, "a.sock");
  const text = readFileSync(moved.file, "utf8");
  writeFileSync(moved.file, text.replace('"127.0.0.1:0"', JSON.stringify(`unix:${path}`)));
  expect((await moved.call(["reload"])).code).toBe(0);
  await running.event("admin bound", { address: `unix:${path}` });
  expect((await fetch("http://localhost/healthz", { unix: path })).status).toBe(200);
});
