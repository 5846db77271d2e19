import { describe, expect, test } from "bun:test";
import type { Config } from "../../src/config/schema/schema.ts";
import { start } from "../../src/process/embed/embedded.ts";
import { backend, type Backend, Client, get, ok } from "../fixtures/http.ts";
import { connectRaw, refusingPort } from "../fixtures/raw.ts";

const MADE = /^[0-9a-f]{32}$/;

/** Weir as a library in front of a backend. */
async function weirOf(
  app: Backend | number,
  config: Partial<Config>,
): Promise<AsyncDisposable & { client(): Promise<Client> }> {
  const port = typeof app === "number" ? app : app.port;
  const weir = await start({
    listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: [`127.0.0.1:${port}`] } },
    shutdown: { timeout: "100ms" },
    ...config,
  });
  return {
    client: async () => new Client(await connectRaw(weir.listeners.web.port)),
    [Symbol.asyncDispose]: async () => void (await weir.close()),
  };
}

/** The values of a field of a message, by its name in small letters. */
function valuesOf(raw: string, name: string): string[] {
  const [head = ""] = raw.split("\r\n\r\n");
  return head
    .split("\r\n")
    .slice(1)
    .filter((line) => line.toLowerCase().startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).trim());
}

describe("request ids", () => {
  test("are made where there is none: the backend, the client and a retry are told the same", async () => {
    await using app = backend();
    await using weir = await weirOf(app, { requestId: "keep" });
    await using client = await weir.client();
    const answers = [await client.ask(get()), await client.ask(get())];
    const ids = app.requests.map(({ raw }) => valuesOf(raw, "x-request-id"));
    expect(ids.every(([id = ""]) => MADE.test(id))).toBe(true);
    expect(new Set(ids.flat()).size).toBe(2);
    expect(answers.map(({ raw }) => valuesOf(raw, "x-request-id"))).toEqual(ids);
  });

  test.each([
    ["keep", "mine-1", true],
    ["make", "mine-1", false],
    [{ trust: "nobody" }, "mine-1", false],
    [{ trust: "anyone" }, "mine-1", true],
    [{ trust: "trusted-proxies" }, "mine-1", false],
    ["keep", "x".repeat(129), false],
    ["keep", "two words", false],
  ] as const)("%j: a client's %p is kept: %p", async (requestId, id, kept) => {
    await using app = backend(() => ok("ok", "X-Request-Id: of-the-backend\r\n"));
    await using weir = await weirOf(app, { requestId });
    await using client = await weir.client();
    const answer = await client.ask(get("/", `x-request-id: ${id}\r\nX-Other: a\r\n`));
    const [passed = "", ...more] = valuesOf(app.requests[0]!.raw, "x-request-id");
    expect([more, passed === id, kept || MADE.test(passed)]).toEqual([[], kept, true]);
    expect(valuesOf(answer.raw, "x-request-id")).toEqual([passed]);
    expect(valuesOf(app.requests[0]!.raw, "x-other")).toEqual(["a"]);
  });

  test("of a trusted proxy are kept", async () => {
    await using app = backend();
    await using weir = await weirOf(app, {
      requestId: { trust: "trusted-proxies", header: "X-Correlation-Id" },
      trustedProxies: ["127.0.0.0/8"],
    });
    await using client = await weir.client();
    const answer = await client.ask(get("/", "X-Correlation-Id: mine\r\n"));
    expect(valuesOf(app.requests[0]!.raw, "x-correlation-id")).toEqual(["mine"]);
    expect(valuesOf(answer.raw, "x-correlation-id")).toEqual(["mine"]);
  });

  test("that stand twice are replaced by one", async () => {
    await using app = backend();
    await using weir = await weirOf(app, { requestId: "keep" });
    await using client = await weir.client();
    await client.ask(get("/", "X-Request-Id: a\r\nX-Request-Id: b\r\n"));
    const ids = valuesOf(app.requests[0]!.raw, "x-request-id");
    expect([ids.length, MADE.test(ids[0] ?? "")]).toEqual([1, true]);
  });

  test("are in Weir's own error responses", async () => {
    await using weir = await weirOf(refusingPort(), { requestId: "keep" });
    await using client = await weir.client();
    const answer = await client.ask(get("/", "X-Request-Id: mine\r\n"));
    expect([answer.raw.startsWith("HTTP/1.1 502"), valuesOf(answer.raw, "x-request-id")]).toEqual([true, ["mine"]]);
  });

  test("pass untouched where they are off", async () => {
    await using app = backend();
    await using weir = await weirOf(app, {});
    await using client = await weir.client();
    const answer = await client.ask(get("/", "X-Request-Id: a\r\nX-Request-Id: two words\r\n"));
    expect(valuesOf(app.requests[0]!.raw, "x-request-id")).toEqual(["a", "two words"]);
    expect(valuesOf(answer.raw, "x-request-id")).toEqual([]);
    await client.ask(get());
    expect(valuesOf(app.requests[1]!.raw, "x-request-id")).toEqual([]);
  });
});
