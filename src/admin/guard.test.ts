import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type TemporaryFolder, temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { APP_ONE, FakeApi, patch } from "./fake-api.ts";

let folder: TemporaryFolder;
let api: FakeApi;

async function begin(token: string | null = null): Promise<void> {
  api = await FakeApi.begin(folder.path, token);
}

beforeEach(async () => {
  folder = temporaryFolder();
  await begin();
});

afterEach(() => {
  api[Symbol.dispose]();
  folder[Symbol.dispose]();
});

describe("who is listened to", () => {
  test.each(["evil.example", "evil.example:9900", "127.0.0.1.evil.example", "localhost.evil.example:9900", "", "[::1"])(
    "not a page that gave %p this machine's address",
    async (host) => {
      expect(await api.problem("/v1/status", { headers: { host } })).toMatchObject({
        status: 403,
        code: "ADMIN_WRONG_HOST",
      });
    },
  );

  test.each(["127.0.0.1:9900", "localhost:9900", "LOCALHOST", "[::1]:9900", "10.0.0.1:80", "weir.localhost:9900"])(
    "whoever says %p",
    async (host) => {
      expect((await api.ask("/v1/status", { headers: { host } })).status).toBe(200);
    },
  );

  test.each<Record<string, string>>([
    { origin: "http://evil.example" },
    { origin: "null" },
    { origin: "http://127.0.0.1:8080" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
  ])("no write from a page of another site: %p", async (headers) => {
    const asked = { ...patch({ weight: 1 }), headers };
    expect(await api.problem(APP_ONE, asked)).toMatchObject({ status: 403, code: "ADMIN_CROSS_SITE" });
    expect(api.running.generation).toBe(1);
  });

  test("a write from the page that Weir itself serves", async () => {
    const headers = { origin: "http://127.0.0.1:9900", "sec-fetch-site": "same-origin" };
    expect((await api.ask(APP_ONE, { ...patch({ weight: 2 }), headers })).status).toBe(200);
  });
});

describe("a token", () => {
  const token = "0123456789abcdef";
  const right = { authorization: `Bearer ${token}` };

  test("has to be shown, and then any name will do", async () => {
    await begin(token);
    const response = await api.ask("/v1/status");
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect((await api.ask("/metrics")).status).toBe(401);
    expect((await api.ask("/v1/nothing")).status).toBe(401);
    expect((await api.ask("/v1/status", { headers: { ...right, host: "weir.example" } })).status).toBe(200);
    for (const wrong of ["Bearer", "Bearer ", `Basic ${token}`, `Bearer ${token}0`, `Bearer ${token.slice(1)}`])
      expect((await api.ask("/v1/status", { headers: { authorization: wrong } })).status).toBe(401);
  });

  test("is not needed where nothing is told", async () => {
    await begin(token);
    for (const path of ["/healthz", "/readyz", "/", "/docs/errors.md"]) expect((await api.ask(path)).status).toBe(200);
  });

  test("may not be guessed: after ten wrong ones an address waits, and the log is told twice", async () => {
    await begin(token);
    for (let i = 0; i < 10; i++) expect((await api.ask("/v1/status")).status).toBe(401);
    const response = await api.ask("/v1/status", { headers: right });
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("10");
    const refused = api.running.events.recent().filter(({ event }) => event === "admin refused");
    expect(refused.map(({ fields }) => fields["tries"])).toEqual([1, 10]);
    api.running.nowMs = 10_000;
    expect((await api.ask("/v1/status", { headers: right })).status).toBe(200);
  });
});
