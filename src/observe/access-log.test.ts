import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { accessLine } from "./access-line.ts";
import { MOST, MOST_LINE, writeJson } from "./access-json.ts";
import { COMBINED, MOST_TEMPLATE, TEMPLATE_FIELDS, templateWriter, type WriteLine } from "./access-template.ts";
import { ExchangeRecord } from "./exchange-record.ts";
import { LineWriter } from "./line-writer.ts";
import { Ids } from "./request-id.ts";
import { Trace } from "./trace-context.ts";

const NOON = Date.UTC(2026, 0, 2, 12, 3, 4, 56);

/** A record of a request whose parts are the given bytes. */
function recordOf(
  parts: Partial<Record<"method" | "target" | "host" | "agent" | "referer", Uint8Array>>,
): ExchangeRecord {
  const record = new ExchangeRecord({ finished() {} }, "http", "web", "127.0.0.1", NOON, 1000);
  const { method, target, host, agent, referer } = parts;
  const all = [method, target, host, agent, referer].map((part) => part ?? new Uint8Array());
  const ends = all.map((_, i) => all.slice(0, i + 1).reduce((sum, { length }) => sum + length, 0));
  record.bytes = Buffer.concat(all);
  record.methodEnd = record.targetStart = ends[0]!;
  record.targetEnd = record.hostStart = ends[1]!;
  record.hostEnd = record.agentStart = ends[2]!;
  record.agentEnd = record.refererStart = ends[3]!;
  record.refererEnd = ends[4]!;
  return record;
}

function text(value: string): Uint8Array {
  return Buffer.from(value, "latin1");
}

function lineOf(record: ExchangeRecord, write: WriteLine): string {
  const out = new LineWriter(MOST_LINE);
  write(out, record);
  return out.bytes.toString("latin1", 0, out.at);
}

describe("a line in JSON", () => {
  test("tells all of an exchange", () => {
    const record = recordOf({
      method: text("GET"),
      target: text("/v1/x?a=b"),
      host: text("api.example.com:8080"),
      agent: text('curl "8"'),
      referer: text("http://here/"),
    });
    record.goesTo("app", "api.example.com/v1/*");
    record.bytesIn = 120;
    const first = record.begin("127.0.0.1:8001", 1000.1);
    first.failed(1001, "BACKEND_REFUSED");
    const second = record.begin("127.0.0.1:8002", 1001.25);
    second.connected(1001.5, true);
    second.answered(1003, 200);
    record.responds(200, 80, 1003);
    record.bytesOut += 2;
    record.requestId = "abc";
    record.trace = new Trace(null, new Ids(), 0);
    record.end(1005.1234);
    const line: unknown = JSON.parse(lineOf(record, writeJson));
    expect(line).toEqual({
      time: "2026-01-02T12:03:04.056Z",
      kind: "http",
      listener: "web",
      route: "api.example.com/v1/*",
      pool: "app",
      client: "127.0.0.1",
      method: "GET",
      host: "api.example.com:8080",
      target: "/v1/x?a=b",
      status: 200,
      code: null,
      bytesIn: 120,
      bytesOut: 82,
      durationMs: 5.123,
      firstByteMs: 3,
      attempts: [
        {
          backend: "127.0.0.1:8001",
          reused: false,
          hedge: false,
          connectMs: null,
          responseMs: null,
          status: null,
          code: "BACKEND_REFUSED",
        },
        {
          backend: "127.0.0.1:8002",
          reused: true,
          hedge: false,
          connectMs: 0.25,
          responseMs: 1.5,
          status: 200,
          code: null,
        },
      ],
      requestId: "abc",
      traceId: record.trace.traceId,
      userAgent: 'curl "8"',
      referer: "http://here/",
    });
    accessLine.parse(line);
  });

  test("parses back as the bytes that the client sent, whatever they are, and is one line of visible ASCII", () => {
    const bytes = fc.uint8Array({ maxLength: 60 });
    fc.assert(
      fc.property(bytes, bytes, bytes, bytes, bytes, (method, target, host, agent, referer) => {
        const record = recordOf({ method, target, host, agent, referer });
        record.end(1001);
        const line = lineOf(record, writeJson);
        expect(line).toMatch(/^[\x20-\x7e]+$/);
        const read = accessLine.parse(JSON.parse(line));
        const back = (value: string | null): string => value ?? "";
        const sent = (value: Uint8Array): string => Buffer.from(value).toString("latin1");
        expect([read.method, read.target, read.host, read.userAgent, read.referer].map(back)).toEqual(
          [method, target, host, agent, referer].map(sent),
        );
      }),
    );
  });

  test("numbers are told exactly", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31), fc.integer({ min: 0, max: 2 ** 46 }), fc.nat(10_000_000), (a, b, microseconds) => {
        const record = recordOf({});
        record.bytesIn = a;
        record.bytesOut = b;
        record.end(1000 + microseconds / 1000);
        const { bytesIn, bytesOut, durationMs } = accessLine.parse(JSON.parse(lineOf(record, writeJson)));
        expect([bytesIn, bytesOut]).toEqual([a, b]);
        expect(Math.abs(durationMs - microseconds / 1000)).toBeLessThan(0.0011);
      }),
    );
  });

  test("is never longer than its bound, whatever is in it", () => {
    const worst = (length: number): Uint8Array => new Uint8Array(length).fill(0x22 + 0x80);
    const record = recordOf({
      method: worst(MOST.method * 2),
      target: worst(70_000),
      host: worst(70_000),
      agent: worst(70_000),
      referer: worst(70_000),
    });
    record.goesTo("\n".repeat(1000), "\n".repeat(1000));
    record.requestId = "\n".repeat(1000);
    record.bytesIn = record.bytesOut = Number.MAX_SAFE_INTEGER;
    for (let i = 0; i < 100; i++) record.begin("\n".repeat(400), 1000).failed(1001, "BACKEND_CONNECT_TIMEOUT");
    record.end(Number.MAX_SAFE_INTEGER / 1e6);
    expect(lineOf(record, writeJson).length).toBeLessThan(MOST_LINE);
    const all = TEMPLATE_FIELDS.map((name) => `{${name}}`).join("");
    expect(lineOf(record, templateWriter(all)).length).toBeLessThan(MOST_LINE);
    const twice = "{target}".repeat(MOST_TEMPLATE / 8);
    expect(() => templateWriter(twice)).toThrow("stands twice");
  });
});

describe("a line by a template", () => {
  const record = recordOf({ method: text("GET"), target: text("/a"), agent: text('x" 200 1 "\n\\') });
  record.responds(200, 80, 1003);
  record.bytesOut += 7;
  record.end(1005);

  test("combined is that of Apache and nginx, and a client cannot end its own quotes", () => {
    expect(lineOf(record, templateWriter(COMBINED))).toBe(
      '127.0.0.1 - - [02/Jan/2026:12:03:04 +0000] "GET /a HTTP/1.1" 200 7 "-" "x\\x22 200 1 \\x22\\x0a\\x5c"',
    );
  });

  test("double braces stand for braces", () => {
    expect(lineOf(record, templateWriter("{{{status}}} {durationMs}"))).toBe("{200} 5.000");
  });

  test("whatever a client sends becomes visible ASCII without quotes, and is told apart", () => {
    const unescape = (line: string): string =>
      line.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (agent) => {
        const line = lineOf(recordOf({ agent }), templateWriter("{userAgent}"));
        expect(line).toMatch(/^[\x20-\x21\x23-\x7e]+$/);
        expect(unescape(line)).toBe(Buffer.from(agent).toString("latin1"));
      }),
    );
  });

  test.each([
    ["{nothing}", "there is no field {nothing}"],
    ["{status", "has no other"],
    ["plain", "tells nothing of a request"],
    ["{{status}}", "tells nothing of a request"],
    ["{status}\n", "one line of visible ASCII"],
  ])("%j is refused", (template, why) => {
    expect(() => templateWriter(template)).toThrow(why);
  });
});
