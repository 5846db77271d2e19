import { describe, expect, jest, test } from "bun:test";
import fc from "fast-check";
import { AttemptRecord, ExchangeRecord } from "./exchange-record.ts";
import type { LogFields } from "./log.ts";
import { Ids, isRequestId } from "./request-id.ts";
import { SpanExporter } from "./span-exporter.ts";
import { parseTraceparent, Trace } from "./trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

describe("a traceparent", () => {
  test.each([
    [`00-${TRACE}-${SPAN}-01`, { traceId: TRACE, spanId: SPAN, sampled: true }],
    [`00-${TRACE}-${SPAN}-00`, { traceId: TRACE, spanId: SPAN, sampled: false }],
    [`00-${TRACE}-${SPAN}-ff`, { traceId: TRACE, spanId: SPAN, sampled: true }],
    [`cc-${TRACE}-${SPAN}-01-what-comes-later`, { traceId: TRACE, spanId: SPAN, sampled: true }],
    [`00-${TRACE}-${SPAN}-01-more`, null],
    [`ff-${TRACE}-${SPAN}-01`, null],
    [`00-${"0".repeat(32)}-${SPAN}-01`, null],
    [`00-${TRACE}-${"0".repeat(16)}-01`, null],
    [`00-${TRACE.toUpperCase()}-${SPAN}-01`, null],
    [`00-${TRACE}-${SPAN}-1`, null],
    ["", null],
  ])("%s", (given, expected) => {
    expect(parseTraceparent(given)).toEqual(expected);
  });

  test("that Weir writes is read back", () => {
    const ids = new Ids();
    for (let i = 0; i < 1000; i++) {
      const trace = new Trace(null, ids, 0.5);
      const attempt = new AttemptRecord("a", 0);
      const text = trace.lineFor(attempt)?.toString() ?? "";
      const { traceId, sampled } = trace;
      expect(parseTraceparent(text.slice("traceparent: ".length, -2))).toEqual({
        traceId,
        spanId: attempt.spanId,
        sampled,
      });
    }
  });
});

test("the decision of the client holds; of new traces a part is sampled", () => {
  const ids = new Ids();
  const joined = new Trace({ traceId: TRACE, spanId: SPAN, sampled: true }, ids, 0);
  expect([joined.traceId, joined.parentId, joined.sampled, joined.passes]).toEqual([TRACE, SPAN, true, false]);
  const passing = new Trace({ traceId: TRACE, spanId: SPAN, sampled: false }, ids, 1);
  expect([passing.sampled, passing.passes, passing.lineFor(new AttemptRecord("a", 0))]).toEqual([false, true, null]);
  let sampled = 0;
  for (let i = 0; i < 10_000; i++) if (new Trace(null, ids, 0.1).sampled) sampled += 1;
  // Six standard deviations of a binomial distribution: wrong once in half a billion runs.
  expect(Math.abs(sampled - 1000)).toBeLessThan(180);
});

test("ids are all different", () => {
  const ids = new Ids();
  const made = Array.from({ length: 5000 }, () => ids.requestId());
  expect(new Set(made).size).toBe(5000);
  expect(made.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
});

test("an id is kept that no log and no field can stumble over", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const fine = bytes.length > 0 && bytes.length <= 128 && bytes.every((byte) => byte > 0x20 && byte < 0x7f);
      expect(isRequestId(Buffer.from(bytes), 0, bytes.length)).toBe(fine);
    }),
  );
});

describe("the exporter", () => {
  const options = { otlp: "http://collector/v1/traces", headers: [], service: "weir", instance: "x" };

  function sampled(): ExchangeRecord {
    const record = new ExchangeRecord({ finished() {} }, "http", "web", "127.0.0.1", 1_700_000_000_000, 5);
    record.trace = new Trace({ traceId: TRACE, spanId: SPAN, sampled: true }, new Ids(), 0);
    record.end(6.5);
    return record;
  }

  test("posts in batches what is sampled, in the JSON of OTLP", async () => {
    const bodies: unknown[] = [];
    const exporter = new SpanExporter(
      options,
      async (_url, _headers, body) => {
        bodies.push(JSON.parse(body));
        return 200;
      },
      { info() {}, warn() {}, error() {} },
    );
    for (let i = 0; i < 300; i++) exporter.add(sampled());
    await exporter.flush(5000);
    const counts = (bodies as { resourceSpans: { scopeSpans: { spans: unknown[] }[] }[] }[]).map(
      ({ resourceSpans }) => resourceSpans[0]?.scopeSpans[0]?.spans.length,
    );
    expect(counts).toEqual([256, 44]);
    expect(bodies[1]).toMatchObject({
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: Array.from({ length: 44 }, () => ({
                traceId: TRACE,
                parentSpanId: SPAN,
                kind: 2,
                startTimeUnixNano: "1700000000000000000",
                endTimeUnixNano: "1700000000001500000",
              })),
            },
          ],
        },
      ],
    });
  });

  test("drops and counts what a collector does not take, and what waits too long for it", async () => {
    const told: LogFields[] = [];
    const warn = (_event: string, fields: LogFields = {}): void => void told.push(fields);
    const answer = Promise.withResolvers<number>();
    const exporter = new SpanExporter(options, () => answer.promise, { info() {}, warn, error() {} });
    for (let i = 0; i < 256 + 2048 + 7; i++) exporter.add(sampled());
    expect(exporter.lost).toBe(7);
    answer.resolve(400);
    await exporter.flush(5000);
    expect(exporter.lost).toBe(256 + 2048 + 7);
    expect(told.reduce((sum, { exchanges }) => sum + Number(exchanges), 0)).toBe(exporter.lost);
    expect(told.at(-1)).toMatchObject({ code: "TRACES_LOST", reason: "the collector answered 400" });
  });

  test("tells of what was dropped last although nothing comes any more", () => {
    const told: LogFields[] = [];
    const warn = (_event: string, fields: LogFields = {}): void => void told.push(fields);
    let counted = 0;
    const exchanges = (): number => told.reduce((sum, fields) => sum + Number(fields["exchanges"]), 0);
    jest.useFakeTimers();
    try {
      const never = new Promise<number>(() => {});
      const log = { info() {}, warn, error() {} };
      const exporter = new SpanExporter(
        options,
        () => never,
        log,
        (lost) => (counted += lost),
      );
      for (let i = 0; i < 256 + 2048 + 7; i++) exporter.add(sampled());
      expect(exchanges()).toBe(1);
      jest.advanceTimersByTime(10_001);
      expect([exchanges(), counted]).toEqual([7, 7]);
    } finally {
      jest.useRealTimers();
    }
  });
});
