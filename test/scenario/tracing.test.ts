import { describe, expect, test } from "bun:test";
import type { Config } from "../../src/config/schema/schema.ts";
import { start } from "../../src/process/embed/embedded.ts";
import { Collector } from "../fixtures/collector.ts";
import { backend, type Backend, Client, get, ok } from "../fixtures/http.ts";
import { connectRaw, refusingPort } from "../fixtures/raw.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";
const NOT_SAMPLED = /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/;

interface Traced extends AsyncDisposable {
  client(): Promise<Client>;
}

/** Weir as a library in front of backends, with traces. */
async function weirOf(
  backends: readonly (Backend | number)[],
  tracing: Config["tracing"],
  more: Partial<Config> = {},
): Promise<Traced> {
  const weir = await start({
    listeners: { web: { address: "127.0.0.1:0", routes: [{ host: "weir.example", path: "/*", pool: "app" }] } },
    pools: {
      app: {
        policy: "first",
        backends: backends.map((each) => `127.0.0.1:${typeof each === "number" ? each : each.port}`),
      },
    },
    shutdown: { timeout: "100ms" },
    ...(tracing === undefined ? {} : { tracing }),
    ...more,
  });
  return {
    client: async () => new Client(await connectRaw(weir.listeners.web.port)),
    [Symbol.asyncDispose]: async () => void (await weir.close()),
  };
}

/** The values of a field of a request, by its name in small letters. */
function valuesOf(raw: string, name: string): string[] {
  return raw
    .split("\r\n")
    .filter((line) => line.toLowerCase().startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).trim());
}

describe("traces", () => {
  test("of a client that samples are joined: a span of the exchange, and one of each attempt below it", async () => {
    await using collector = new Collector();
    await using app = backend(() => ok("hello"));
    const refuses = refusingPort();
    await using weir = await weirOf([refuses, app], {
      otlp: collector.url,
      sample: 0,
      service: "edge",
      headers: { "X-Key": "secret" },
    });
    await using client = await weir.client();
    await client.ask(
      get("/v1/a?b=c", `traceparent: 00-${TRACE}-${PARENT}-01\r\ntracestate: vendor=1\r\nUser-Agent: test\r\n`),
    );
    const spans = await collector.span(3);
    const [exchange, failed, answered] = spans;
    expect(collector.problems).toEqual([]);
    expect(spans.map(({ traceId, service }) => [traceId, service])).toEqual(
      Array.from({ length: 3 }, () => [TRACE, "edge"]),
    );
    expect(exchange).toMatchObject({
      parentSpanId: PARENT,
      name: "GET weir.example/*",
      kind: 2,
      attributes: {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "weir.example/*",
        "url.path": "/v1/a",
        "url.query": "b=c",
        "url.scheme": "http",
        "server.address": "weir.example",
        "client.address": "127.0.0.1",
        "user_agent.original": "test",
        "weir.pool": "app",
        "weir.listener": "web",
      },
    });
    expect(exchange!.status).toBeUndefined();
    expect(failed).toMatchObject({
      parentSpanId: exchange!.spanId,
      kind: 3,
      attributes: { "server.port": refuses, "error.type": "BACKEND_REFUSED" },
      status: { code: 2, message: "BACKEND_REFUSED" },
    });
    expect(answered).toMatchObject({
      parentSpanId: exchange!.spanId,
      name: "GET",
      attributes: {
        "server.address": "127.0.0.1",
        "server.port": app.port,
        "http.response.status_code": 200,
        "http.request.resend_count": 1,
      },
    });
    const { raw } = app.requests[0]!;
    expect(valuesOf(raw, "traceparent")).toEqual([`00-${TRACE}-${answered!.spanId}-01`]);
    expect(valuesOf(raw, "tracestate")).toEqual(["vendor=1"]);
    for (const { startTimeUnixNano, endTimeUnixNano } of spans) {
      expect(BigInt(startTimeUnixNano)).toBeLessThanOrEqual(BigInt(endTimeUnixNano));
      expect(BigInt(startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(exchange!.startTimeUnixNano));
      expect(BigInt(endTimeUnixNano)).toBeLessThanOrEqual(BigInt(exchange!.endTimeUnixNano));
    }
    expect(collector.fields[0]?.get("x-key")).toBe("secret");
  });

  test("of a client that does not sample pass as they are, and leave no span", async () => {
    await using collector = new Collector();
    await using app = backend();
    {
      await using weir = await weirOf([app], { otlp: collector.url, sample: 1 });
      await using client = await weir.client();
      await client.ask(get("/", `traceparent: 00-${TRACE}-${PARENT}-00\r\ntracestate: vendor=1\r\n`));
    }
    expect(valuesOf(app.requests[0]!.raw, "traceparent")).toEqual([`00-${TRACE}-${PARENT}-00`]);
    expect(valuesOf(app.requests[0]!.raw, "tracestate")).toEqual(["vendor=1"]);
    expect(collector.spans).toEqual([]);
  });

  test("begin here where there is none, or none that is valid or trusted; its state goes with it", async () => {
    await using collector = new Collector();
    await using app = backend();
    {
      await using weir = await weirOf([app], { otlp: collector.url, sample: 0 });
      await using client = await weir.client();
      await client.ask(get());
      await client.ask(get("/", "traceparent: 00-x-y-01\r\ntracestate: vendor=1\r\n"));
      await client.ask(get("/", `traceparent: 00-${TRACE}-${PARENT}-01\r\ntraceparent: 00-${TRACE}-${PARENT}-01\r\n`));
      await using distrusting = await weirOf([app], { otlp: collector.url, sample: 0, trust: "nobody" });
      await using other = await distrusting.client();
      await other.ask(get("/", `traceparent: 00-${TRACE}-${PARENT}-01\r\ntracestate: vendor=1\r\n`));
    }
    for (const { raw } of app.requests) {
      const [parent = "", ...more] = valuesOf(raw, "traceparent");
      expect([more, NOT_SAMPLED.test(parent), parent.includes(TRACE)]).toEqual([[], true, false]);
      expect(valuesOf(raw, "tracestate")).toEqual([]);
    }
    expect(collector.spans).toEqual([]);
  });

  test("that are off pass untouched", async () => {
    await using app = backend();
    await using weir = await weirOf([app], undefined);
    await using client = await weir.client();
    const lines = "traceparent: whatever\r\ntraceparent: it is\r\ntracestate: x\r\n";
    await client.ask(get("/", lines));
    expect(app.requests[0]!.raw).toContain(lines);
    await client.ask(get());
    expect(valuesOf(app.requests[1]!.raw, "traceparent")).toEqual([]);
  });

  test("are exported when Weir drains, with the exchanges that failed", async () => {
    await using collector = new Collector();
    {
      await using weir = await weirOf([refusingPort()], { otlp: collector.url, sample: 1 }, { requestId: "make" });
      await using client = await weir.client();
      await client.ask(get());
    }
    const exchange = collector.spans.find(({ kind }) => kind === 2);
    expect(exchange).toMatchObject({
      status: { code: 2, message: "BACKEND_REFUSED" },
      attributes: { "error.type": "BACKEND_REFUSED", "http.response.status_code": 502 },
    });
    expect(exchange?.attributes["weir.request_id"]).toMatch(/^[0-9a-f]{32}$/);
  });

  test("harm no request while their collector refuses or is gone", async () => {
    await using collector = new Collector();
    collector.status = 400;
    await using app = backend();
    for (const otlp of [collector.url, `http://127.0.0.1:${refusingPort()}/v1/traces`]) {
      await using weir = await weirOf([app], { otlp, sample: 1 });
      await using client = await weir.client();
      for (let i = 0; i < 300; i++) expect((await client.ask(get())).raw.startsWith("HTTP/1.1 200")).toBe(true);
    }
    expect([collector.spans, collector.problems, collector.fields.length > 0]).toEqual([[], [], true]);
  });
});
