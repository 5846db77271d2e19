import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { z } from "zod";
import { type TemporaryFolder, temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { APP_ONE, type Asked, FakeApi, patch, post } from "./fake-api.ts";
import { LiveFeed } from "./live.ts";
import type { Applied } from "./model-writes.ts";
import type { PoolView } from "./model.ts";
import { openapi } from "./openapi.ts";
import { resources } from "./resources.ts";

type Json = Readonly<Record<string, unknown>>;

let folder: TemporaryFolder;
let api: FakeApi;

beforeEach(async () => {
  folder = temporaryFolder();
  api = await FakeApi.begin(folder.path);
});

afterEach(() => {
  api[Symbol.dispose]();
  folder[Symbol.dispose]();
});

/** The schema of what is sent or answered as JSON. */
function schemaIn(of: Json | undefined): z.core.JSONSchema.JSONSchema {
  const content = of?.["content"] as
    Readonly<Record<string, { readonly schema: z.core.JSONSchema.JSONSchema }>> | undefined;
  const json = content?.["application/json"];
  if (json === undefined) throw new Error("there is no JSON");
  return json.schema;
}

describe("reads", () => {
  test("every JSON answer is what the OpenAPI document says, and it says all that there is", async () => {
    const document = (await api.read("/v1/openapi.json")) as {
      openapi: string;
      paths: Record<string, Record<string, Json>>;
    };
    expect(document.openapi).toBe("3.1.0");
    expect(document as unknown).toEqual(openapi(resources(new LiveFeed(api.running))));
    const values: Record<string, string> = { pool: "app", backend: "127.0.0.1:8001" };
    const asked: string[] = [];
    for (const [path, operations] of Object.entries(document.paths)) {
      const get = operations["get"];
      const content = (get?.["responses"] as Record<string, Json> | undefined)?.["200"]?.["content"] as
        Json | undefined;
      if (content === undefined || !("application/json" in content)) continue;
      const { schema } = content["application/json"] as { schema: z.core.JSONSchema.JSONSchema };
      const answer = await api.read(path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? ""));
      asked.push(path);
      // Strict: what is not in the document is not answered.
      expect(z.fromJSONSchema(schema).parse(answer)).toEqual(answer as never);
    }
    expect(asked.length).toBeGreaterThanOrEqual(8);
    expect(Object.keys(document.paths)).toContain("/v1/live");
  });

  test("every write takes what the document says, and answers what it says", async () => {
    const { paths } = await api.read<{ paths: Record<string, Record<string, Json>> }>("/v1/openapi.json");
    const backend = "127.0.0.1:8002";
    const route = encodeURIComponent("web:*/new");
    const samples: Readonly<Record<string, Asked & { readonly path?: string }>> = {
      "PATCH /v1/pools/{pool}/backends/{backend}": { body: { weight: 2 } },
      "POST /v1/pools/{pool}/backends": { body: { backend: { address: ":8003" }, persist: true } },
      "DELETE /v1/pools/{pool}/backends/{backend}": {},
      "POST /v1/pools": { body: { name: "new", pool: { backends: [":1"] } } },
      "PUT /v1/pools/{pool}": { body: { pool: { backends: [":8001", ":8002"] } } },
      "DELETE /v1/pools/{pool}": { path: "/v1/pools/new" },
      "POST /v1/routes": { body: { listener: "web", route: { path: "/new", pool: "app" } } },
      "DELETE /v1/routes/{route}": {},
      "DELETE /v1/connections/{connection}": { path: "/v1/connections/100-1" },
      "POST /v1/reload": { body: { dryRun: true } },
      "POST /v1/stop": { body: {} },
      "POST /v1/workers/{worker}/renew": { path: "/v1/workers/0/renew", body: {} },
    };
    // Only a worker, or a supervisor, can do these: scenario tests do.
    const elsewhere = new Set(["POST /v1/upgrade", "POST /v1/explain"]);
    api.running.answer = () => true;
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        const name = `${method.toUpperCase()} ${path}`;
        if (method === "get" || elsewhere.has(name)) continue;
        const sample = samples[name];
        if (sample === undefined) throw new Error(`no sample for ${name}`);
        const { requestBody, responses } = operation as { requestBody?: Json; responses: Record<string, Json> };
        if (sample.body !== undefined)
          expect(z.fromJSONSchema(schemaIn(requestBody)).safeParse(sample.body)).toMatchObject({ success: true });
        const schema = schemaIn(responses["200"]);
        const at = path.replace("{pool}", "app").replace("{backend}", backend).replace("{route}", route);
        const answer = await api.read(sample.path ?? at, { ...sample, method: method.toUpperCase() });
        expect(z.fromJSONSchema(schema).parse(answer)).toEqual(answer as never);
      }
    }
  });

  test("secrets are masked", async () => {
    const text = await (await api.ask("/v1/config")).text();
    expect(text).toContain('"secret":"***"');
    expect(text).not.toContain("sixteen");
  });

  test("a backend whose address is a path is found by it", async () => {
    const backend = await api.read<{ id: string }>(
      `/v1/pools/data/backends/${encodeURIComponent("unix:/run/data.sock")}`,
    );
    expect(backend.id).toBe("unix:/run/data.sock");
  });

  test("rates and latencies are of late", async () => {
    const row = api.running.counters.row(0, api.running.placement.backends[0]?.[1] ?? 0);
    api.running.nowMs = 2000;
    api.sampler.turn();
    api.sampler.turn();
    for (let i = 0; i < 100; i++) {
      row.add(1, 1);
      row.observe((await import("../observe/columns.ts")).FIRST_BYTE, 2000);
    }
    api.running.nowMs = 4000;
    const { backends, rates } = await api.read<PoolView>("/v1/pools/app");
    expect(rates.requestsPerSecond).toBe(50);
    expect(backends.map(({ trafficShare }) => trafficShare)).toEqual([0, 1]);
    expect(backends[0]?.rates.latency.p50Ms).toBeNull();
    expect(rates.latency.p99Ms).toBeWithin(1.75, 2.5);
    expect(backends.map(({ share }) => share)).toEqual([0.25, 0.75]);
  });

  test("is alive and ready while workers accept, and not ready while it drains", async () => {
    expect((await api.ask("/healthz")).status).toBe(200);
    expect((await api.ask("/readyz")).status).toBe(200);
    api.running.phase = "draining";
    expect((await api.ask("/healthz")).status).toBe(200);
    expect((await api.ask("/readyz")).status).toBe(503);
    api.running.phase = "running";
    api.running.seats = [];
    expect((await api.ask("/readyz")).status).toBe(503);
  });

  test("metrics are served as text", async () => {
    const response = await api.ask("/metrics");
    expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
    expect(await response.text()).toContain('backend="127.0.0.1:8001"');
  });

  test("metrics are without the families that are not wanted", async () => {
    const whole = await (await api.ask("/metrics")).text();
    const query =
      "exclude[]=weir_backend_request_duration_seconds&exclude%5B%5D=weir_pool_waiting&exclude[]=weir_nothing";
    const rest = await (await api.ask(`/metrics?${query}`)).text();
    const families = (text: string): string[] => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name);
    const excluded = new Set(["weir_backend_request_duration_seconds", "weir_pool_waiting"]);
    expect(families(rest)).toEqual(families(whole).filter((name) => !excluded.has(name)));
  });
});

describe("writes", () => {
  test("state and weight of a backend, with what changed and a line of the log", async () => {
    const done = await api.read<Applied>(APP_ONE, patch({ state: "drain", weight: 5 }));
    expect(done.generation).toBe(2);
    expect(done.changes.map(({ what, name }) => `${what} ${name}`)).toEqual(["backend app/127.0.0.1:8001"]);
    const [one] = (await api.read<PoolView>("/v1/pools/app")).backends;
    expect(one).toMatchObject({
      state: "drain",
      wantedState: "drain",
      weight: 5,
      effectiveWeight: 0,
      takesWork: false,
    });
    const [line] = api.running.events.recent().slice(-1);
    expect(line).toMatchObject({ event: "admin write", level: "info", fields: { who: "127.0.0.1", done: true } });
  });

  test("twice is once", async () => {
    await api.read(APP_ONE, patch({ weight: 9 }));
    expect(await api.read<Applied>(APP_ONE, patch({ weight: 9 }))).toMatchObject({ generation: 2, changes: [] });
    await api.read(APP_ONE, { method: "DELETE" });
    expect(await api.read<Applied>(APP_ONE, { method: "DELETE" })).toMatchObject({ generation: 3, changes: [] });
  });

  test("backends, pools and routes come and go", async () => {
    await api.read("/v1/pools/app/backends", post({ backend: "127.0.0.1:8003,weight=2" }));
    await api.read("/v1/pools", post({ name: "new", pool: { backends: [":9001"] } }));
    await api.read("/v1/routes", post({ listener: "web", route: { path: "/new/*", pool: "new" } }));
    expect(api.running.plan.pools.map(({ name, backends }) => `${name} ${backends.length}`)).toEqual([
      "app 3",
      "data 1",
      "new 1",
    ]);
    const { routes } = await api.read<{ routes: { id: string }[] }>("/v1/routes");
    expect(routes.map(({ id }) => id)).toEqual(["web:a.example/v1/*", "web:*/*", "web:*/new/*", "db:*/*"]);
    await api.read("/v1/pools/new", { method: "PUT", body: { pool: { backends: [":9001", ":9002"] } } });
    expect(api.running.plan.pools[2]?.backends).toHaveLength(2);
    expect((await api.problem("/v1/pools/new", { method: "DELETE" })).code).toBe("CONFIG_UNKNOWN_POOL");
    await api.read(`/v1/routes/${encodeURIComponent("web:*/new/*")}`, { method: "DELETE" });
    await api.read("/v1/pools/new", { method: "DELETE" });
    await api.read("/v1/pools/app/backends/127.0.0.1:8003", { method: "DELETE" });
    expect(api.running.plan.pools.map(({ name, backends }) => `${name} ${backends.length}`)).toEqual([
      "app 2",
      "data 1",
    ]);
  });

  test("what is to persist is read at the next start, what is for now is not", async () => {
    await api.read(APP_ONE, patch({ weight: 9, persist: true }));
    await api.read(APP_ONE, patch({ state: "drain" }));
    const { LiveConfig } = await import("../process/load/live-config.ts");
    const next = new LiveConfig({ kind: "object", config: api.running.config.raw as object });
    const first = await next.begin();
    if ("problems" in first) throw new Error("refused");
    expect(first.plan.pools[0]?.backends[0]).toMatchObject({ weight: 9, state: "ready" });
  });

  test("stop is asked for", async () => {
    const asked: boolean[] = [];
    const both = new Promise<void>((resolve) => {
      api.running.stop = (now) => {
        if (asked.push(now) === 2) resolve();
      };
    });
    await api.read("/v1/stop", post({}));
    await api.read("/v1/stop", post({ now: true }));
    await both;
    expect(asked).toEqual([false, true]);
  });

  test("nothing is changed while Weir drains", async () => {
    api.running.phase = "draining";
    expect(await api.problem(APP_ONE, patch({ weight: 1 }))).toMatchObject({ status: 409, code: "ADMIN_REFUSED" });
  });
});
