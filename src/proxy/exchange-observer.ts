import type { WallClock } from "../clock.ts";
import { type ErrorCode, ERRORS } from "../errors.ts";
import { addLine } from "../http/extra-lines.ts";
import { equalsLower, FIELD } from "../http/fields.ts";
import type { Head } from "../http/head.ts";
import type { Origin } from "../http/streams.ts";
import { type AttemptRecord, ExchangeRecord, type Recorder } from "../observe/exchange-record.ts";
import { type Ids, isRequestId } from "../observe/request-id.ts";
import { parseTraceparent, Trace } from "../observe/trace-context.ts";
import type { RequestIdPlan, TracingPlan, Trust } from "../plan.ts";

/** What an observer is made of. */
export interface ObserverParts {
  readonly listener: string;
  readonly recorder: Recorder;
  /** `null` where Weir makes none; one that passes is told of all the same. */
  readonly requestId: RequestIdPlan | null;
  readonly tracing: TracingPlan | null;
  readonly wallClock: WallClock;
  readonly ids: Ids;
}

/**
 * Makes the records of what goes through one listener, and says which request id and which trace a request goes with. Where
 * neither access log, request id nor traces are on there is none, and an exchange pays for a comparison.
 */
export class ExchangeObserver {
  readonly #parts: ObserverParts;
  readonly #idName: Buffer;

  constructor(parts: ObserverParts) {
    this.#parts = parts;
    this.#idName = Buffer.from((parts.requestId?.header ?? "x-request-id").toLowerCase());
  }

  /** A request has come. Of its fields those are marked that Weir writes itself. */
  exchange(request: Head, origin: Origin, now: number): ExchangeRecord {
    const record = this.#record("http", origin.address, now);
    record.bytes = request.bytes;
    record.methodStart = request.methodStart;
    record.methodEnd = request.methodEnd;
    record.targetStart = request.targetStart;
    record.targetEnd = request.targetEnd;
    record.hostStart = request.authorityStart;
    record.hostEnd = request.authorityEnd;
    record.minor = request.minor;
    record.bytesIn = request.end - request.start;
    this.#readFields(record, request, origin);
    return record;
  }

  /** A connection of a listener in mode `tcp` has come. */
  connection(address: string, now: number): ExchangeRecord {
    return this.#record("tcp", address, now);
  }

  /** A request was refused before there was an exchange: nothing of it is known. */
  refused(code: ErrorCode, origin: Origin, now: number): void {
    const record = this.#record("http", origin.address, now);
    record.code = code;
    record.status = ERRORS[code].status;
    record.end(now);
  }

  #record(kind: "http" | "tcp", address: string, now: number): ExchangeRecord {
    const { recorder, listener, wallClock } = this.#parts;
    return new ExchangeRecord(recorder, kind, listener, address, wallClock.now(), now);
  }

  #readFields(record: ExchangeRecord, request: Head, origin: Origin): void {
    const { bytes, count } = request;
    const idName = this.#idName;
    let id = NONE;
    let parent = NONE;
    let state = NONE;
    for (let i = 0; i < count; i++) {
      if (request.kind(i) !== FIELD.other) continue;
      const start = request.nameStart(i);
      const length = request.nameEnd(i) - start;
      if (length === USER_AGENT.length && equalsLower(bytes, start, USER_AGENT)) {
        record.agentStart = request.valueStart(i);
        record.agentEnd = request.valueEnd(i);
      } else if (length === REFERER.length && equalsLower(bytes, start, REFERER)) {
        record.refererStart = request.valueStart(i);
        record.refererEnd = request.valueEnd(i);
      } else if (length === TRACEPARENT.length && equalsLower(bytes, start, TRACEPARENT))
        parent = parent === NONE ? i : SEVERAL;
      else if (length === TRACESTATE.length && equalsLower(bytes, start, TRACESTATE)) state = i;
      // Also where one of the names above is configured for it.
      if (length === idName.length && equalsLower(bytes, start, idName)) id = id === NONE ? i : SEVERAL;
    }
    this.#identify(record, request, origin, id);
    this.#trace(record, request, origin, parent, state);
  }

  /** @param field position of the client's own id */
  #identify(record: ExchangeRecord, request: Head, origin: Origin, field: number): void {
    const { requestId: plan, ids } = this.#parts;
    const { bytes } = request;
    const known = field >= 0 && isRequestId(bytes, request.valueStart(field), request.valueEnd(field));
    if (known) record.requestId = request.text(request.valueStart(field), request.valueEnd(field));
    if (plan === null) return;
    record.newId = !known || !isTrusted(plan.trust, origin);
    if (record.newId) {
      record.requestId = ids.requestId();
      if (field !== NONE) leaveOut(request, this.#idName);
    }
    record.idLine = Buffer.from(`${plan.header}: ${record.requestId}\r\n`, "latin1");
    if (record.newId) request.extra = record.idLine;
  }

  #trace(record: ExchangeRecord, request: Head, origin: Origin, field: number, state: number): void {
    const { tracing, ids } = this.#parts;
    if (tracing === null) return;
    const trusted = field >= 0 && isTrusted(tracing.trust, origin);
    const parent = trusted ? parseTraceparent(request.text(request.valueStart(field), request.valueEnd(field))) : null;
    const trace = new Trace(parent, ids, tracing.sample);
    record.trace = trace;
    if (trace.passes) return;
    if (field !== NONE) leaveOut(request, TRACEPARENT);
    // What belongs to a trace that is not taken up is not passed on (W3C Trace Context §4.3).
    if (parent === null && state !== NONE) leaveOut(request, TRACESTATE);
  }
}

/**
 * An attempt's stream is ready: its request goes out with the lines of this attempt.
 * @param reused whether its connection had served another request before
 */
export function requestGoes(
  record: ExchangeRecord,
  attempt: AttemptRecord | null,
  request: Head,
  reused: boolean,
  now: number,
): void {
  const { trace } = record;
  attempt?.connected(now, reused);
  if (attempt === null) return;
  if (trace === null) return;
  request.extra = record.newId ? record.idLine : null;
  const line = trace.lineFor(attempt);
  if (line !== null) addLine(request, line);
}

/** A response goes to the client with the id of its request, whatever its backend says of one. */
export function responseGoes(record: ExchangeRecord, response: Head, now: number): void {
  record.responds(response.status, response.end - response.start, now);
  const line = record.idLine;
  if (line === null) return;
  leaveOut(response, line.subarray(0, line.indexOf(COLON)).toString("latin1"));
  addLine(response, line);
}

/** Marks the fields of a name so that they go no further: Weir writes its own. */
function leaveOut(head: Head, name: Buffer | string): void {
  const lower = typeof name === "string" ? Buffer.from(name.toLowerCase()) : name;
  for (let i = 0; i < head.count; i++) {
    const start = head.nameStart(i);
    if (head.nameEnd(i) - start === lower.length && equalsLower(head.bytes, start, lower)) head.leaveOut(i);
  }
}

function isTrusted(trust: Trust, origin: Origin): boolean {
  return trust === "anyone" || (trust === "trusted-proxies" && origin.trusted);
}

/** Positions of no field, and of more than one, of which none counts. */
const NONE = -1;
const SEVERAL = -2;
const COLON = 0x3a;
const USER_AGENT = Buffer.from("user-agent");
const REFERER = Buffer.from("referer");
const TRACEPARENT = Buffer.from("traceparent");
const TRACESTATE = Buffer.from("tracestate");
