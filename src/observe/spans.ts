import type { ErrorCode } from "../errors.ts";
import type { AttemptRecord, ExchangeRecord } from "./exchange-record.ts";
import type { Trace } from "./trace-context.ts";
import { MOST } from "./access-json.ts";

/** Kinds and statuses of spans, as the protocol numbers them (opentelemetry/proto/trace/v1/trace.proto). */
const SERVER = 2;
const CLIENT = 3;
const ERROR = 2;

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: string };
}

/** What attributes are made of; what is empty or 0 is left out. */
type Facts = Readonly<Record<string, string | number>>;

/**
 * The spans of a sampled exchange as OTLP has them in JSON, separated by commas: one for the exchange, one for each attempt, with
 * the attributes of OpenTelemetry's conventions for HTTP. About 10 µs; only for what is sampled.
 */
export function spansOf(record: ExchangeRecord): string {
  const { trace } = record;
  if (trace === null || !trace.sampled) return "";
  const attempts = record.attempts.map((attempt, index) => attemptSpan(record, trace, attempt, index));
  const spans = [exchangeSpan(record, trace), ...attempts];
  return spans.map((span) => JSON.stringify(span)).join(",");
}

function exchangeSpan(record: ExchangeRecord, trace: Trace): object {
  const { bytes, status, code } = record;
  const target = text(bytes, record.targetStart, record.targetEnd, MOST.target);
  const query = target.indexOf("?");
  const host = text(bytes, record.hostStart, record.hostEnd, MOST.host);
  const [, name = host, port = ""] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  const method = text(bytes, record.methodStart, record.methodEnd, MOST.method);
  return {
    traceId: trace.traceId,
    spanId: trace.spanId,
    ...(trace.parentId === "" ? {} : { parentSpanId: trace.parentId }),
    name: record.route === "" ? method : `${method} ${record.route}`,
    kind: SERVER,
    startTimeUnixNano: nanoseconds(record, record.startedMs),
    endTimeUnixNano: nanoseconds(record, record.endedMs),
    attributes: attributes({
      "http.request.method": method,
      "http.response.status_code": status,
      "http.route": record.route,
      "url.scheme": "http",
      "url.path": query === -1 ? target : target.slice(0, query),
      "url.query": query === -1 ? "" : target.slice(query + 1),
      "server.address": name,
      "server.port": Number(port),
      "client.address": record.client,
      "network.protocol.name": "http",
      "network.protocol.version": record.minor === 0 ? "1.0" : "1.1",
      "user_agent.original": text(bytes, record.agentStart, record.agentEnd, MOST.agent),
      "error.type": code ?? (status >= 500 ? String(status) : ""),
      "weir.listener": record.listener,
      "weir.pool": record.pool,
      "weir.request_id": record.requestId,
    }),
    // What a client does wrong is no error of the server's span (OpenTelemetry conventions for HTTP).
    ...statusOf(status >= 500 || (code !== null && status < 400), code),
  };
}

function attemptSpan(record: ExchangeRecord, trace: Trace, attempt: AttemptRecord, index: number): object {
  const { backend, status, code, failedMs } = attempt;
  const [, host = backend, port = ""] = /^(.*?)(?::(\d+))?$/.exec(backend) ?? [];
  const method = text(record.bytes, record.methodStart, record.methodEnd, MOST.method);
  // One whose answer nobody wanted ends with the exchange.
  const endedMs = failedMs === -1 ? record.endedMs : failedMs;
  return {
    traceId: trace.traceId,
    spanId: trace.spanOf(attempt),
    parentSpanId: trace.spanId,
    name: method,
    kind: CLIENT,
    startTimeUnixNano: nanoseconds(record, attempt.begunMs),
    endTimeUnixNano: nanoseconds(record, endedMs),
    attributes: attributes({
      "http.request.method": method,
      "http.response.status_code": status,
      "http.request.resend_count": index,
      "server.address": host,
      "server.port": Number(port),
      "error.type": code ?? (status >= 400 ? String(status) : ""),
      "weir.pool": record.pool,
      "weir.hedge": attempt.hedge ? "true" : "",
    }),
    ...statusOf(code !== null || status >= 400, code),
  };
}

function statusOf(failed: boolean, code: ErrorCode | null): object {
  return failed ? { status: { code: ERROR, ...(code === null ? {} : { message: code }) } } : {};
}

function attributes(facts: Facts): Attribute[] {
  const found: Attribute[] = [];
  for (const [key, value] of Object.entries(facts)) {
    if (value === "" || value === 0) continue;
    found.push({ key, value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value } });
  }
  return found;
}

function text(bytes: Buffer, start: number, end: number, most: number): string {
  return bytes.toString("latin1", start, Math.min(end, start + most));
}

/** A time of the clock as nanoseconds since 1970; in whole numbers, since a double has not so many digits. */
function nanoseconds(record: ExchangeRecord, ms: number): string {
  const microseconds = Math.round(record.time * 1000 + (ms - record.startedMs) * 1000);
  return `${microseconds}000`;
}
