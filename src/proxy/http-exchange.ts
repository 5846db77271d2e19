import { type ErrorCode, ERRORS } from "../errors.ts";
import { notRetried } from "../http/error-response.ts";
import { addLine } from "../http/extra-lines.ts";
import type { Head } from "../http/head.ts";
import type { InboundStream, Origin, RequestEvents } from "../http/streams.ts";
import { mayUpgrade } from "../http/upgrade.ts";
import type { TimerWheel } from "../net/timer-wheel.ts";
import { COLUMN, DURATION, FIRST_BYTE } from "../observe/columns.ts";
import type { Row } from "../observe/counters.ts";
import type { ExchangeRecord } from "../observe/exchange-record.ts";
import type { Log } from "../observe/log.ts";
import { FULL } from "../pool/gate.ts";
import { Attempts, type Trying } from "./attempts.ts";
import { Deadline } from "./deadline.ts";
import { sendError } from "./error-answer.ts";
import type { ExplainedRequest, Explaining } from "./explaining.ts";
import { type ExchangeObserver, requestGoes, responseGoes } from "./exchange-observer.ts";
import { headExcess } from "./head-limits.ts";
import type { HttpAttempt } from "./http-attempt.ts";
import { KeptBody } from "./kept-body.ts";
import type { Link, Target } from "./target.ts";
import type { Tunnel } from "./tunnel.ts";
import { openTunnel } from "./upgraded.ts";

/** What the exchanges of one listener share. */
export interface ExchangeContext {
  readonly listener: string;
  /** Counters of the listener. */
  readonly row: Row;
  readonly wheel: TimerWheel;
  /** For delays of few milliseconds, which the wheel of the deadlines is too coarse for. */
  readonly fineWheel: TimerWheel;
  readonly log: Log;
  /** Where a request goes, `null` where no route matches. */
  readonly route: (request: Head) => Target<Link> | null;
  /** Keeps track of an upgraded connection while it is open. */
  readonly tunnels: Set<Tunnel>;
  /** Makes records of exchanges, for access log and traces; `null` where neither is on, nor request ids. */
  readonly observer: ExchangeObserver | null;
  /** Asked for requests with `weir-explain` alone. */
  readonly explaining?: Explaining;
}

/**
 * `trying`: attempts are under way, or a backend with room is waited for; nothing of a response has gone to the client but
 * interim heads. `responding`: the final head has. `done`: nothing more happens.
 */
type State = "trying" | "responding" | "done";

/** The life of one request: from its head to the last byte of its response. Knows no protocol, on neither side. */
export class HttpExchange implements RequestEvents, Trying {
  readonly #context: ExchangeContext;
  readonly #client: InboundStream;
  readonly request: Head;
  readonly record: ExchangeRecord | null;
  readonly #startedMs: number;
  #state: State = "trying";
  #target: Target<Link> | null = null;
  /** Why it goes where it goes; `null` where nobody asks. */
  #why: ExplainedRequest | null = null;
  /** `null` while it is not known where the request goes. */
  #attempts: Attempts | null = null;
  /** What a new attempt would need of the body; `null` while nothing of it has come. */
  #kept: KeptBody | null = null;
  #requestBytes = 0;
  #requestDone = false;
  /** Whether the backend has sent 100. */
  #continued = false;
  #trailers: Head | null = null;
  #total: Deadline | null = null;

  constructor(context: ExchangeContext, client: InboundStream, request: Head) {
    this.#context = context;
    this.#client = client;
    this.request = request;
    this.#startedMs = context.wheel.refresh();
    const { observer } = context;
    this.record = observer === null ? null : observer.exchange(request, client.origin, this.#startedMs);
    context.row.add(COLUMN.requests, 1);
    context.row.add(COLUMN.bytesIn, request.end - request.start);
    context.row.begin();
  }

  // Trying: what its attempts ask.

  get origin(): Origin {
    return this.#client.origin;
  }

  get kept(): KeptBody | null {
    return this.#kept;
  }

  get wheel(): TimerWheel {
    return this.#context.wheel;
  }

  get fineWheel(): TimerWheel {
    return this.#context.fineWheel;
  }

  /** Finds the request's way and begins its first attempt. */
  begin(): void {
    const { request } = this;
    const target = this.#context.route(request);
    this.#leadTo(target);
    if (target === null) {
      this.#respondError("ROUTE_NOT_FOUND", "");
      return;
    }
    const { limits, timeouts, live } = target;
    live.budget.request(this.#startedMs);
    this.#client.settle(timeouts.keepAliveMs, timeouts.bodyMs);
    const excess = headExcess(request, limits);
    if (excess !== null) {
      this.#respondError(excess, "by the limits of its route");
      return;
    }
    const most = limits.bodyBytes;
    if (most !== null && request.framing === "length" && request.length > most) {
      this.#respondError("CLIENT_BODY_TOO_LARGE", `more than ${most} bytes`);
      return;
    }
    this.#requestDone = request.framing === "none";
    if (request.upgrade) request.upgrade = mayUpgrade(request);
    if (timeouts.totalMs > 0)
      this.#total = new Deadline(this.#context.wheel, timeouts.totalMs, () =>
        this.#fail("ROUTE_TIMEOUT", `not done within ${timeouts.totalMs} ms in all`),
      );
    this.#enter(target);
  }

  /** The time is over for what is at these backends, which were removed. @param waiting only where it waits for room */
  evict(links: ReadonlySet<object>, waiting: boolean): void {
    if (this.#state !== "done" && (!waiting || this.#current === null)) this.#attempts?.evict(links);
  }

  // RequestEvents: what the client does.

  requestBody(bytes: Buffer, start: number, end: number): void {
    if (this.#state === "done") return;
    const length = end - start;
    this.#requestBytes += length;
    this.#context.row.add(COLUMN.bytesIn, length);
    const most = this.#target?.limits.bodyBytes ?? null;
    if (most !== null && this.#requestBytes > most) {
      this.#fail("CLIENT_BODY_TOO_LARGE", `more than ${most} bytes`);
      return;
    }
    const attempt = this.#current;
    const waiting = attempt === null || !attempt.ready;
    if (this.#state !== "responding") this.#keep(bytes, start, end, waiting);
    if (waiting) {
      // Until then it is read, so that a client that goes away is noticed.
      if (this.#kept?.full === true) this.#client.pauseBody();
      return;
    }
    attempt.sendBody(bytes, start, end);
    attempt.waitForBody();
    if (attempt.blocked) this.#client.pauseBody();
  }

  requestEnd(trailers: Head | null): void {
    if (this.#state === "done" || this.#requestDone) return;
    this.#requestDone = true;
    this.#trailers = trailers;
    // Nothing more is to come for it; that the client goes away is.
    this.#client.resumeBody();
    const attempt = this.#current;
    if (attempt !== null && attempt.ready) this.#requestSent(attempt);
  }

  requestFailed(code: ErrorCode, detail: string): void {
    if (this.#state !== "done") this.#fail(code, detail);
  }

  clientWritable(): void {
    if (this.#state === "done") return;
    if (this.#state === "responding") this.#current?.waitForBody();
    if (!this.#client.blocked) this.#current?.resumeBody();
  }

  // Waiter: what the gate of the pool tells.

  admitted(index: number): void {
    this.#context.wheel.refresh();
    this.#attempts?.try(index);
  }

  turnedAway(code: ErrorCode, detail: string): void {
    const next = code === "POOL_NO_BACKEND" && this.#attempts?.untried === true ? this.#way() : null;
    if (next === null) {
      this.#respondError(code, detail);
      return;
    }
    // The backends that it has waited for are none of its pool any more, or take no work; those of the plan in force may.
    this.#context.wheel.refresh();
    this.#leadTo(next);
    this.#enter(next);
  }

  // AttemptEvents: what the backend does.

  attemptReady(attempt: HttpAttempt): void {
    const { record, request } = this;
    if (record !== null) requestGoes(record, attempt.record, request, attempt.reused, this.#context.wheel.now);
    attempt.send(request, this.#client.origin, this.#kept);
    if (this.#requestDone) this.#requestSent(attempt);
    else {
      attempt.sendLater();
      // A client that waits for a 100 waits for the backend (RFC 9110 §10.1.1).
      if (this.#waitsForContinue()) attempt.waitForResponse();
      else attempt.waitForBody();
      if (!attempt.blocked) this.#client.resumeBody();
    }
  }

  attemptHead(attempt: HttpAttempt, response: Head): void {
    const { status } = response;
    if (attempt.record !== null && (status >= 200 || status === 101))
      attempt.record.answered(this.#context.wheel.now, status);
    if (status === 101) {
      this.#context.row.respond(status);
      this.#addAffinity(attempt, response);
      if (this.#why !== null) addLine(response, this.#why.line(attempt.index));
      if (this.record !== null) responseGoes(this.record, response, this.#context.wheel.now);
      this.#client.sendHead(response);
      this.#upgrade(attempt);
      return;
    }
    if (status < 200) {
      this.#interim(attempt, response);
      return;
    }
    const attempts = this.#attempts;
    const why = attempts === null ? "" : attempts.answered(attempt, status, this.#requestDone);
    if (why === null) attempt.discard();
    else {
      if (why !== "") addLine(response, notRetried(why));
      this.#respond(attempt, response);
    }
  }

  attemptBody(bytes: Buffer, start: number, end: number): void {
    if (this.#state !== "responding") return;
    this.#context.row.add(COLUMN.bytesOut, end - start);
    if (this.record !== null) this.record.bytesOut += end - start;
    this.#client.sendBody(bytes, start, end);
    this.#current?.waitForBody();
    if (this.#client.blocked) this.#current?.pauseBody();
  }

  attemptEnd(trailers: Head | null): void {
    if (this.#state === "done") return;
    // A backend may answer before it has read all; what is left of the request has nowhere to go.
    this.#finish();
    if (this.record !== null) this.#tellEnd(this.record, null);
    this.#client.sendEnd(trailers);
  }

  mayRepeat(attempt: HttpAttempt): boolean {
    return this.#attempts !== null && this.#attempts.mayRepeat(attempt);
  }

  attemptFailed(attempt: HttpAttempt, code: ErrorCode, detail: string): void {
    attempt.blame(code);
    const { log } = this.#context;
    if (attempt.record !== null) attempt.record.failed(this.#context.wheel.refresh(), code);
    if (this.#state === "responding") {
      attempt.link.report(log, "backend failed", code, detail);
      this.#context.row.fail(code);
      this.#finish();
      if (this.record !== null) this.#tellEnd(this.record, code);
      this.#client.abort();
      return;
    }
    const attempts = this.#attempts;
    const why = attempts === null ? "" : attempts.failed(attempt, code);
    if (why === null) attempt.link.report(log, "backend failed over", code, detail);
    else {
      attempt.link.report(log, "backend failed", code, detail);
      this.#respondError(code, why === "" ? detail : `${detail}; not retried: ${why}`);
    }
  }

  attemptWritable(attempt: HttpAttempt): void {
    if (!this.#requestDone) attempt.waitForBody();
    if (!attempt.blocked) this.#client.resumeBody();
  }

  attemptStalled(attempt: HttpAttempt): void {
    const { bodyMs = 0, responseMs = 0 } = this.#target?.timeouts ?? {};
    const stood = `no progress for ${bodyMs} ms`;
    if (this.#state === "responding") {
      if (this.#client.blocked) this.#fail("CLIENT_SLOW_READER", stood);
      else attempt.fail("BACKEND_BODY_TIMEOUT", stood);
    } else if (this.#waitsForContinue())
      attempt.fail("BACKEND_RESPONSE_TIMEOUT", `no answer to Expect: 100-continue within ${responseMs} ms`);
    else if (attempt.blocked) attempt.fail("BACKEND_SLOW_READER", stood);
    else this.#fail("CLIENT_BODY_TIMEOUT", stood);
  }

  // The request.

  /** Where the plan in force leads it; `null` where that is no other pool at work. */
  #way(): Target<Link> | null {
    const target = this.#context.route(this.request);
    return target?.live === this.#target?.live ? null : target;
  }

  #leadTo(target: Target<Link> | null): void {
    this.#target = target;
    if (this.request.asksWhy) this.#why = this.#context.explaining?.of(this.request, this.#client.origin) ?? null;
    if (this.record !== null && target !== null) this.record.goesTo(target.live.pool.name, target.route);
  }

  #enter(target: Target<Link>): void {
    this.#attempts = new Attempts(this, target);
    const none = this.#attempts.begin();
    if (none !== 0) this.#respondError(none === FULL ? "POOL_FULL" : "POOL_NO_BACKEND", "");
  }

  #keep(bytes: Buffer, start: number, end: number, waiting: boolean): void {
    const kept = (this.#kept ??= new KeptBody());
    kept.add(bytes, start, end, waiting);
    const attempt = this.#current;
    // Sent once, it will not be sent again: nothing of it need be held.
    if (attempt !== null && attempt.sent && this.#attempts?.repeatable !== true) kept.drop();
  }

  get #current(): HttpAttempt | null {
    return this.#attempts === null ? null : this.#attempts.current;
  }

  #requestSent(attempt: HttpAttempt): void {
    attempt.sendEnd(this.#trailers);
    this.#attempts?.asked(attempt);
  }

  #waitsForContinue(): boolean {
    return this.request.expectContinue && !this.#continued && this.#requestBytes === 0;
  }

  // The response.

  #interim(attempt: HttpAttempt, response: Head): void {
    // Of two attempts nobody knows yet whose the response will be.
    if (this.#attempts?.race === true) return;
    this.#context.row.respond(response.status);
    this.#client.sendHead(response);
    if (this.#client.blocked) attempt.pauseBody();
    if (response.status === 100) this.#continued = true;
    if (!attempt.asked) attempt.waitForBody();
  }

  #respond(attempt: HttpAttempt, response: Head): void {
    const { row, wheel } = this.#context;
    this.#state = "responding";
    this.#kept = null;
    this.#attempts?.settle(attempt);
    // Its attempt has just read the clock.
    this.#target?.live.row.observe(FIRST_BYTE, (wheel.now - this.#startedMs) * 1000);
    row.respond(response.status);
    const bytes = response.end - response.start;
    row.add(COLUMN.bytesOut, bytes);
    attempt.link.row.add(COLUMN.bytesOut, bytes);
    this.#addAffinity(attempt, response);
    if (this.#why !== null) addLine(response, this.#why.line(attempt.index));
    if (this.record !== null) responseGoes(this.record, response, wheel.now);
    this.#client.sendHead(response);
    attempt.waitForBody();
  }

  #addAffinity(attempt: HttpAttempt, response: Head): void {
    const affinity = this.#target?.live.affinity ?? null;
    if (affinity === null) return;
    const line = affinity.fieldFor(this.request, attempt.index);
    if (line !== null) addLine(response, line);
  }

  /** 101: from here on it is bytes both ways. */
  #upgrade(attempt: HttpAttempt): void {
    const { wheel, row, tunnels } = this.#context;
    this.#target?.live.row.observe(FIRST_BYTE, (wheel.now - this.#startedMs) * 1000);
    // In flight until the tunnel ends.
    const timeouts = this.#target?.timeouts ?? { idleMs: 0, bodyMs: 0 };
    row.begin();
    this.#finish();
    if (this.record !== null) this.record.bytesIn += this.#requestBytes;
    openTunnel(this.#client.detach(), attempt, wheel, timeouts, row, tunnels, this.record);
  }

  // The end.

  /** Ends the exchange by what is not its backend's fault. */
  #fail(code: ErrorCode, detail: string): void {
    if (this.#state !== "responding" && ERRORS[code].status !== 0) {
      // What backends still hold is given up before the client is answered.
      this.#attempts?.cancel();
      this.#respondError(code, detail);
      return;
    }
    this.#context.row.fail(code);
    this.#attempts?.cancel();
    this.#finish();
    if (this.record !== null) this.#tellEnd(this.record, code);
    if (code !== "CLIENT_GONE") this.#client.abort();
  }

  #respondError(code: ErrorCode, detail: string): void {
    const { row } = this.#context;
    row.fail(code);
    row.respond(ERRORS[code].status);
    this.#finish();
    const { record } = this;
    const why = this.#why;
    if (record === null && why === null) sendError(this.#client, this.#target, code, detail);
    else
      sendError(this.#client, this.#target, code, detail, (head, bodyBytes) => {
        if (why !== null) addLine(head, why.line(-1));
        if (record === null) return;
        responseGoes(record, head, this.#context.wheel.now);
        record.bytesOut += bodyBytes;
        this.#tellEnd(record, code);
      });
  }

  #finish(): void {
    if (this.#state === "done") return;
    this.#state = "done";
    this.#total?.cancel();
    const { row, wheel } = this.#context;
    this.#target?.live.row.observe(DURATION, (wheel.refresh() - this.#startedMs) * 1000);
    row.end();
    this.#attempts?.end();
    this.#kept = null;
  }

  /** For the record, where there is one. */
  #tellEnd(record: ExchangeRecord, code: ErrorCode | null): void {
    record.code = code;
    record.bytesIn += this.#requestBytes;
    record.end(this.#context.wheel.now);
  }
}
