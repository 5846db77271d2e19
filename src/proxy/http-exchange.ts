import type { Clock } from "../clock.ts";
import { type ErrorCode, ERRORS } from "../errors.ts";
import { errorResponse } from "../http/error-response.ts";
import type { Head } from "../http/head.ts";
import type { InboundStream, OutboundStream, RequestEvents, ResponseEvents } from "../http/streams.ts";
import { mayUpgrade } from "../http/upgrade.ts";
import { type Expiring, Timer, type TimerWheel } from "../net/timer-wheel.ts";
import { COLUMN } from "../observe/columns.ts";
import type { Row } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import { headExcess } from "./head-limits.ts";
import { KeptBody } from "./kept-body.ts";
import type { Feedback, Link, Reuse, Target } from "./target.ts";
import { Tunnel } from "./tunnel.ts";

/** What the exchanges of one listener share. */
export interface ExchangeContext {
  readonly listener: string;
  /** Counters of the listener. */
  readonly row: Row;
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly log: Log;
  /** Where a request goes, `null` where no route matches. */
  readonly route: (request: Head) => Target<Link> | null;
  /** Keeps track of an upgraded connection while it is open. */
  readonly tunnels: Set<Tunnel>;
}

/**
 * `connecting`: a backend is chosen, its stream is not ready. `sending`: the request is on its way. `awaiting`: it is
 * sent, the response has not begun. `responding`: the final head has come. `done`: nothing more happens.
 */
type State = "connecting" | "sending" | "awaiting" | "responding" | "done";

const NOTHING_TRIED: readonly number[] = [];

/** The life of one request: from its head to the last byte of its response. Knows no protocol, on neither side. */
export class HttpExchange implements RequestEvents, ResponseEvents, Expiring {
  readonly #context: ExchangeContext;
  readonly #client: InboundStream;
  readonly #request: Head;
  readonly #timer: Timer = new Timer(this);
  readonly #idempotent: boolean;
  readonly #startedMs: number;
  #state: State = "connecting";
  #target: Target<Link> | null = null;
  #backend: OutboundStream | null = null;
  #link: Link | null = null;
  #index = -1;
  #tried: readonly number[] = NOTHING_TRIED;
  /** Who learns how the attempts go; `null` where nobody does, and then no clock is read for it. */
  #feedback: Feedback | null = null;
  /** Since when the time is the backend's: it is dialled, has the beginning of the request, has all of it. */
  #askedMs = 0;
  /** What a new attempt would need of the body; `null` while nothing of it has come. */
  #kept: KeptBody | null = null;
  #requestBytes = 0;
  #requestDone = false;
  /** Whether the backend has sent 100. */
  #continued = false;
  #trailers: Head | null = null;

  constructor(context: ExchangeContext, client: InboundStream, request: Head) {
    this.#context = context;
    this.#client = client;
    this.#request = request;
    this.#idempotent = request.isIdempotent;
    this.#startedMs = context.wheel.refresh();
    context.row.add(COLUMN.requests, 1);
    context.row.add(COLUMN.bytesIn, request.end - request.start);
    context.row.begin();
  }

  /** Finds the request's way and begins its first attempt. */
  begin(): void {
    const request = this.#request;
    const target = this.#context.route(request);
    this.#target = target;
    if (target === null) {
      this.#respondError("ROUTE_NOT_FOUND", "");
      return;
    }
    this.#feedback = target.live.feedback;
    const { limits, timeouts } = target;
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
    this.#choose();
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
    const backend = this.#backend;
    const waiting = this.#state === "connecting" || backend === null;
    if (this.#state !== "responding") (this.#kept ??= new KeptBody()).add(bytes, start, end, waiting);
    if (waiting) {
      this.#client.pauseBody();
      return;
    }
    this.#link?.row.add(COLUMN.bytesIn, length);
    backend.sendBody(bytes, start, end);
    this.#waitForBody();
    if (backend.blocked) this.#client.pauseBody();
  }

  requestEnd(trailers: Head | null): void {
    if (this.#state === "done" || this.#requestDone) return;
    this.#requestDone = true;
    this.#trailers = trailers;
    if (this.#state !== "connecting") this.#requestSent();
  }

  requestFailed(code: ErrorCode, detail: string): void {
    if (this.#state === "done") return;
    this.#fail(code, detail);
  }

  clientWritable(): void {
    if (this.#state !== "responding") return;
    this.#waitForBody();
    if (!this.#client.blocked) this.#backend?.resumeBody();
  }

  // ResponseEvents: what the backend does.

  backendReady(): void {
    const backend = this.#backend;
    const link = this.#link;
    if (backend === null || link === null || this.#state !== "connecting") return;
    this.#state = "sending";
    link.row.add(COLUMN.requests, 1);
    link.row.add(COLUMN.bytesIn, this.#request.end - this.#request.start);
    backend.sendHead(this.#request, this.#client.origin);
    if (this.#kept !== null) link.row.add(COLUMN.bytesIn, this.#kept.sendTo(backend));
    if (this.#requestDone) this.#requestSent();
    else {
      if (this.#feedback !== null) this.#askedMs = this.#context.wheel.refresh();
      // A client that waits for a 100 waits for the backend (RFC 9110 §10.1.1).
      if (this.#waitsForContinue()) this.#context.wheel.set(this.#timer, this.#target?.timeouts.responseMs ?? 0);
      else this.#waitForBody();
      if (!backend.blocked) this.#client.resumeBody();
    }
  }

  responseHead(response: Head): void {
    if (this.#state === "done") return;
    const { row } = this.#context;
    const link = this.#link;
    if (link === null) return;
    const { status } = response;
    link.row.respond(status);
    row.respond(status);
    if (status === 101) {
      if (this.#feedback !== null) this.#learn(this.#feedback, false);
      this.#target?.live.health.answered(this.#index, status);
      this.#client.sendHead(response);
      this.#upgrade();
      return;
    }
    if (status < 200) {
      this.#client.sendHead(response);
      if (status === 100) this.#continued = true;
      if (this.#state === "sending") this.#waitForBody();
      return;
    }
    if (this.#feedback !== null) this.#learn(this.#feedback, status >= 500);
    const health = this.#target?.live.health;
    health?.answered(this.#index, status);
    if (response.asksToDrain) health?.asksToDrain(this.#index);
    this.#state = "responding";
    this.#kept = null;
    const microseconds = (this.#context.wheel.refresh() - this.#startedMs) * 1000;
    link.row.observeLatency(microseconds);
    row.observeLatency(microseconds);
    this.#countOut(response.end - response.start);
    this.#client.sendHead(response);
    this.#waitForBody();
  }

  responseBody(bytes: Buffer, start: number, end: number): void {
    if (this.#state !== "responding") return;
    this.#countOut(end - start);
    this.#client.sendBody(bytes, start, end);
    this.#waitForBody();
    if (this.#client.blocked) this.#backend?.pauseBody();
  }

  responseEnd(trailers: Head | null): void {
    if (this.#state === "done") return;
    // A backend may answer before it has read all; what is left of the request has nowhere to go.
    this.#finish();
    this.#client.sendEnd(trailers);
  }

  attemptFailed(code: ErrorCode, detail: string): void {
    if (this.#state === "done") return;
    // There is no stream yet when dialling fails at once, as with a unix socket without its file.
    const backend = this.#backend;
    const link = this.#link;
    this.#backend = null;
    if (link === null) return;
    link.row.end();
    this.#link = null;
    if (this.#state === "responding") {
      if (this.#feedback !== null) this.#learn(this.#feedback, true);
      this.#target?.live.health.failed(this.#index, code);
      link.row.fail(code);
      this.#context.row.fail(code);
      this.#finish();
      this.#client.abort();
      return;
    }
    // The stale keep-alive race (RFC 9112 §9.3.1): the backend closed the connection while the request was on its way.
    const sent = backend !== null && backend.sent;
    const stale = code === "BACKEND_RESET" && backend !== null && backend.reused;
    if (stale) link.sawStale();
    // A head without the whole of its body would make a body of the next request on that connection.
    const repeatable = this.#kept?.whole !== false;
    if (stale && repeatable && (this.#idempotent || !sent)) {
      link.row.add(COLUMN.retries, 1);
      this.#attempt(this.#index, "none");
      return;
    }
    if (this.#feedback !== null) this.#learn(this.#feedback, true);
    // What ended while it was idle says nothing of how the backend is.
    if (!stale) this.#target?.live.health.failed(this.#index, code);
    link.row.fail(code);
    const tried = [...this.#tried, this.#index];
    this.#tried = tried;
    const target = this.#target;
    if (target !== null && repeatable && !sent && ERRORS[code].retry && tried.length < target.limits.attempts) {
      const { pool, key } = target.live;
      const next = pool.pick(key === null ? 0 : key.ofRequest(this.#request, this.#client.origin), tried);
      if (next !== -1) {
        link.row.add(COLUMN.retries, 1);
        link.report(this.#context.log, "backend failed over", code, detail);
        this.#attempt(next, this.#reuse());
        return;
      }
    }
    link.report(this.#context.log, "backend failed", code, detail);
    this.#respondError(code, detail);
  }

  backendWritable(): void {
    if (this.#state === "done" || this.#state === "connecting") return;
    if (!this.#requestDone) this.#waitForBody();
    if (this.#backend?.blocked === false) this.#client.resumeBody();
  }

  // Expiring

  expired(): void {
    const { timeouts } = this.#target ?? { timeouts: null };
    if (timeouts === null) return;
    switch (this.#state) {
      case "awaiting":
        this.#fail("BACKEND_RESPONSE_TIMEOUT", `no response within ${timeouts.responseMs} ms`);
        break;
      case "sending":
        if (this.#waitsForContinue())
          this.#fail("BACKEND_RESPONSE_TIMEOUT", `no answer to Expect: 100-continue within ${timeouts.responseMs} ms`);
        else if (this.#backend?.blocked === true)
          this.#fail("BACKEND_SLOW_READER", `no progress for ${timeouts.bodyMs} ms`);
        else this.#fail("CLIENT_BODY_TIMEOUT", `no progress for ${timeouts.bodyMs} ms`);
        break;
      case "responding":
        if (this.#client.blocked) this.#fail("CLIENT_SLOW_READER", `no progress for ${timeouts.bodyMs} ms`);
        else this.#fail("BACKEND_BODY_TIMEOUT", `no progress for ${timeouts.bodyMs} ms`);
        break;
      case "connecting":
      case "done":
        break;
    }
  }

  #choose(): void {
    const target = this.#target;
    if (target === null) return;
    const { pool, key } = target.live;
    const index = pool.pick(key === null ? 0 : key.ofRequest(this.#request, this.#client.origin), NOTHING_TRIED);
    if (index === -1) this.#respondError("POOL_NO_BACKEND", "");
    else this.#attempt(index, this.#reuse());
  }

  #reuse(): Reuse {
    return this.#idempotent ? "any" : "recent";
  }

  #attempt(index: number, reuse: Reuse): void {
    const target = this.#target;
    const link = target?.live.links[index];
    if (target === null || link === undefined) return;
    this.#state = "connecting";
    this.#timer.deadline = Number.POSITIVE_INFINITY;
    this.#index = index;
    this.#link = link;
    link.row.begin();
    if (this.#feedback !== null) this.#askedMs = this.#context.wheel.refresh();
    const backend = link.lease(this, target.attempt, reuse);
    // It has failed already, and `attemptFailed` has seen to what comes next.
    if (this.#link !== link) return;
    this.#backend = backend;
    if (backend.ready) this.backendReady();
  }

  #requestSent(): void {
    this.#backend?.sendEnd(this.#trailers);
    if (this.#state !== "sending") return;
    this.#state = "awaiting";
    // The time that a client takes for its request is not the backend's.
    if (this.#feedback !== null) this.#askedMs = this.#context.wheel.refresh();
    this.#context.wheel.set(this.#timer, this.#target?.timeouts.responseMs ?? 0);
  }

  #waitsForContinue(): boolean {
    return this.#request.expectContinue && !this.#continued && this.#requestBytes === 0;
  }

  #waitForBody(): void {
    this.#context.wheel.set(this.#timer, this.#target?.timeouts.bodyMs ?? 0);
  }

  /** Tells how the attempt went. How long a body takes says nothing of when its backend answers. */
  #learn(feedback: Feedback, failed: boolean): void {
    const now = this.#context.wheel.refresh();
    const microseconds = this.#state === "responding" ? 0 : (now - this.#askedMs) * 1000;
    if (failed) feedback.failed(this.#index, microseconds, now);
    else feedback.answered(this.#index, microseconds, now);
  }

  #countOut(bytes: number): void {
    this.#context.row.add(COLUMN.bytesOut, bytes);
    this.#link?.row.add(COLUMN.bytesOut, bytes);
  }

  /** 101: from here on it is bytes both ways. */
  #upgrade(): void {
    const { wheel, row, tunnels } = this.#context;
    const backend = this.#backend;
    const link = this.#link;
    if (backend === null || link === null) return;
    // In flight until the tunnel ends.
    this.#link = null;
    this.#backend = null;
    const idleMs = this.#target?.timeouts.idleMs ?? 0;
    row.begin();
    this.#finish();
    const tunnel: Tunnel = new Tunnel(this.#client.detach(), backend.detach(), wheel, idleMs, {
      passedIn: (bytes) => {
        row.add(COLUMN.bytesIn, bytes);
        link.row.add(COLUMN.bytesIn, bytes);
      },
      passedOut: (bytes) => {
        row.add(COLUMN.bytesOut, bytes);
        link.row.add(COLUMN.bytesOut, bytes);
      },
      finished: (why) => {
        row.end();
        link.row.end();
        tunnels.delete(tunnel);
        if (why === "idle") row.fail("TUNNEL_IDLE");
      },
    });
    tunnels.add(tunnel);
  }

  /** Ends the exchange by an error that is not the attempt's own. */
  #fail(code: ErrorCode, detail: string): void {
    const backend = this.#backend;
    const link = this.#link;
    const responding = this.#state === "responding";
    this.#backend = null;
    if (link !== null && ERRORS[code].source === "backend") {
      if (this.#feedback !== null) this.#learn(this.#feedback, true);
      this.#target?.live.health.failed(this.#index, code);
      link.row.fail(code);
      link.report(this.#context.log, "backend failed", code, detail);
    }
    if (!responding && ERRORS[code].status !== 0) {
      // What the backend still holds is given up before the client is answered.
      backend?.cancel();
      this.#respondError(code, detail);
      return;
    }
    this.#context.row.fail(code);
    this.#finish();
    backend?.cancel();
    if (code !== "CLIENT_GONE") this.#client.abort();
  }

  #respondError(code: ErrorCode, detail: string): void {
    const { row } = this.#context;
    row.fail(code);
    row.respond(ERRORS[code].status);
    this.#finish();
    const health = this.#target?.live.health;
    const { head, body } = errorResponse(
      code,
      health?.panics === true ? withPanic(detail) : detail,
      code === "POOL_NO_BACKEND" && health !== undefined ? health.retryAfterSeconds : null,
    );
    this.#client.sendHead(head);
    this.#client.sendBody(body, 0, body.length);
    this.#client.sendEnd(null);
  }

  #finish(): void {
    if (this.#state === "done") return;
    this.#state = "done";
    this.#context.wheel.remove(this.#timer);
    this.#context.row.end();
    this.#link?.row.end();
    this.#link = null;
    this.#backend = null;
    this.#kept = null;
  }
}

/** Says of an error that it happened while all backends get work, the healthy and the others. */
function withPanic(detail: string): string {
  return `${detail}${detail === "" ? "" : "; "}the pool panics, too few of its backends are healthy`;
}
