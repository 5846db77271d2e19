import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type TemporaryFolder, temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { APP_ONE, type Asked, FakeApi, patch, post } from "./fake-api.ts";

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

describe("bad input changes nothing", () => {
  const big = "x".repeat(1_100_000);
  const cases: readonly (readonly [
    what: string,
    path: string,
    asked: Asked,
    status: number,
    code: string,
    detail: string,
  ])[] = [
    ["an unknown pool", "/v1/pools/ap/backends/x", patch({ weight: 1 }), 404, "ADMIN_NOT_FOUND", 'did you mean "app"'],
    [
      "an unknown backend",
      "/v1/pools/app/backends/1.2.3.4:1",
      patch({ weight: 1 }),
      404,
      "ADMIN_NOT_FOUND",
      "1.2.3.4:1",
    ],
    ["a weight below 0", APP_ONE, patch({ weight: -1 }), 400, "ADMIN_BAD_REQUEST", "weight"],
    ["a weight that is too large", APP_ONE, patch({ weight: 65_536 }), 400, "ADMIN_BAD_REQUEST", "weight"],
    ["a weight that is no number", APP_ONE, patch({ weight: "2" }), 400, "ADMIN_BAD_REQUEST", "weight"],
    ["a weight with a fraction", APP_ONE, patch({ weight: 1.5 }), 400, "ADMIN_BAD_REQUEST", "weight"],
    ["an unknown state", APP_ONE, patch({ state: "gone" }), 400, "ADMIN_BAD_REQUEST", "state"],
    ["a mistyped key", APP_ONE, patch({ wieght: 1 }), 400, "ADMIN_BAD_REQUEST", "wieght"],
    ["nothing to do", APP_ONE, patch({}), 400, "ADMIN_BAD_REQUEST", "state, weight or both"],
    ["a list", APP_ONE, patch([]), 400, "ADMIN_BAD_REQUEST", "object"],
    ["no JSON", APP_ONE, { method: "PATCH", raw: "{weight:1}" }, 400, "ADMIN_BAD_JSON", ""],
    ["an empty body", APP_ONE, { method: "PATCH", raw: "" }, 400, "ADMIN_BAD_JSON", ""],
    [
      "a body that is too large",
      APP_ONE,
      { method: "PATCH", raw: `{"weight":"${big}"}` },
      413,
      "ADMIN_TOO_LARGE",
      "1048576",
    ],
    [
      "a body of a wrong type",
      APP_ONE,
      { ...patch({ weight: 1 }), headers: { "content-type": "text/plain" } },
      415,
      "ADMIN_MEDIA_TYPE",
      "text/plain",
    ],
    [
      "a form",
      APP_ONE,
      { ...patch({ weight: 1 }), headers: { "content-type": "application/x-www-form-urlencoded" } },
      415,
      "ADMIN_MEDIA_TYPE",
      "form",
    ],
    [
      "a backend without a port",
      "/v1/pools/app/backends",
      post({ backend: "127.0.0.1" }),
      422,
      "CONFIG_BAD_ADDRESS",
      "port",
    ],
    [
      "a backend with a mistyped key",
      "/v1/pools/app/backends",
      post({ backend: { address: ":1", wieght: 1 } }),
      422,
      "CONFIG_UNKNOWN_KEY",
      "weight",
    ],
    [
      "a pool without backends",
      "/v1/pools",
      post({ name: "new", pool: { backends: [] } }),
      422,
      "CONFIG_EMPTY_POOL",
      "pools.new",
    ],
    [
      "a pool with a wrong name",
      "/v1/pools",
      post({ name: "a/b", pool: { backends: [":1"] } }),
      422,
      "CONFIG_BAD_VALUE",
      "name",
    ],
    [
      "a route to no pool",
      "/v1/routes",
      post({ listener: "web", route: { pool: "apq" } }),
      422,
      "CONFIG_UNKNOWN_POOL",
      "apq",
    ],
    [
      "a route with a bad host",
      "/v1/routes",
      post({ listener: "web", route: { host: "*", pool: "app" } }),
      422,
      "CONFIG_DEAD_ROUTE",
      "*",
    ],
    [
      "a route of no listener",
      "/v1/routes",
      post({ listener: "wep", route: { pool: "app" } }),
      404,
      "ADMIN_NOT_FOUND",
      "web",
    ],
    ["a pool that is in use", "/v1/pools/app", { method: "DELETE" }, 422, "CONFIG_UNKNOWN_POOL", "app"],
    [
      "the last backend of a pool",
      `/v1/pools/data/backends/${encodeURIComponent("unix:/run/data.sock")}`,
      { method: "DELETE" },
      422,
      "CONFIG_EMPTY_POOL",
      "data",
    ],
    ["a bad query", `${APP_ONE}?persist=yes`, { method: "DELETE" }, 400, "ADMIN_BAD_REQUEST", "persist"],
    ["a limit that is too large", "/v1/connections?limit=100000", {}, 400, "ADMIN_BAD_REQUEST", "limit"],
    ["a connection that cannot be", "/v1/connections/first", { method: "DELETE" }, 404, "ADMIN_NOT_FOUND", "first"],
    ["a file that is no text", "/v1/reload", post({ file: 7 }), 400, "ADMIN_BAD_REQUEST", "file"],
    ["an upgrade where there is none", "/v1/upgrade", post({}), 409, "ADMIN_REFUSED", "upgraded"],
    ["an unknown path", "/v1/pool", {}, 404, "ADMIN_NOT_FOUND", "/v1/openapi.json"],
    ["a method that is not there", "/v1/pools/app", post({}), 405, "ADMIN_METHOD", "POST"],
    ["a path that is no text", "/v1/pools/%ff", {}, 404, "ADMIN_NOT_FOUND", ""],
  ];

  test.each(cases)("%s", async (_what, path, asked, status, code, detail) => {
    const before = { plan: api.running.plan, edits: api.running.config.overlay };
    const document = await api.problem(path, asked);
    expect({ status: document.status, code: document.code }).toEqual({ status, code });
    expect(`${document.detail} ${JSON.stringify(document.problems ?? "")}`).toContain(detail);
    expect(document.type).toBe(`/docs/errors.md#${code.toLowerCase()}`);
    expect(api.running.plan).toBe(before.plan);
    expect(api.running.config.overlay).toBe(before.edits);
  });

  test("a wrong method is told the right ones", async () => {
    expect((await api.ask("/v1/pools/app", post({}))).headers.get("allow")).toBe("GET, PUT, DELETE");
  });
});
