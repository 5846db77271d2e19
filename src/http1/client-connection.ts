import type { ErrorCode } from "../errors.ts";
import { errorResponse } from "../http/error-response.ts";
import { type Framing, Head } from "../http/head.ts";
import type { Detached, InboundStream, Origin, RequestEvents, Serve } from "../http/streams.ts";
import type { Connection, Receiver } from "../net/connection.ts";
import { cork } from "../net/cork.ts";
import { Outbox } from "../net/outbox.ts";
import { type Expiring, Timer, type TimerWheel } from "../net/timer-wheel.ts";
import { BodyReader } from "./body-reader.ts";
import { CR } from "./chars.ts";
import type { Blame, HeadLimits } from "./field-parser.ts";
import { tellsMore } from "./partial.ts";
import { parseRequestHead } from "./request-parser.ts";
import { ResponseSender } from "./response-sender.ts";

/** What the connections of one listener share. */
export interface ClientContext {
  readonly wheel: TimerWheel;
  readonly limits: HeadLimits;
  readonly headMs: number;
  readonly keepAliveMs: number;
  readonly bodyMs: number;
  /** Whether the listener is draining: each connection closes after the response under way. */
  draining: boolean;
  readonly serve: Serve;
  /** Who is at the other end; asked once a connection, at its first request. */
  readonly originOf: (connection: Connection) => Origin;
  /** Told of a request that was refused before there was an exchange; of whom, `null` where it is only the end of a response that failed. */
  readonly refused: (code: ErrorCode, origin: Origin | null) => void;
  /** Told when the connection is gone, or given away as a tunnel. */
  readonly left: (client: ClientConnection) => void;
}

const CLIENT: Blame = { bad: "CLIENT_BAD_BODY", framing: "CLIENT_BAD_BODY", tooLarge: "CLIENT_HEAD_TOO_LARGE" };

/** Requests sent ahead of their turn (pipelining) are kept up to this size, then the connection is not read. */
const PIPELINED_BYTES = 64 * 1024;
/**
 * When a listener drains, an idle connection is kept for so long: what its client has sent by now would be lost with it, the first request of
 * one that has just connected above all. Longer than the way to a client and back.
 */
const LAST_REQUEST_MS = 500;
/** After the last response the client's bytes are read and dropped for so long: closing at once could reset it (RFC 9112 §9.6). */
const LINGER_MS = 2_000;

/** Why the connection is not read: bits of a set. */
const BODY_WAITS = 1;
const PIPELINE_FULL = 2;

type State = "idle" | "head" | "exchange" | "flushing" | "lingering" | "gone";

/** The reader of no body: done from the beginning, and never begun. */
const NO_BODY = new BodyReader();
const NO_BYTES = Buffer.alloc(0);

/** Heads that no request uses at the moment: as many as there were requests at a time. */
const spareHeads: Head[] = [];

/** A client's connection: HTTP/1.1 requests in, one after another, and their responses out. */
export class ClientConnection implements Receiver, InboundStream, Expiring {
  /** Its place among the connections of its listener; see `engine/members.ts`. */
  place = -1;
  readonly #context: ClientContext;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #response: ResponseSender;
  readonly #timer: Timer = new Timer(this);
  #body: BodyReader = NO_BODY;
  #state: State = "idle";
  #origin: Origin | null = null;
  #head: Head | null = null;
  #events: RequestEvents | null = null;
  /** Bytes that have come and whose turn has not: part of a head, or requests sent ahead. */
  #pending: Buffer | null = null;
  #processing = false;
  #held = 0;
  #responded = false;
  /** Whether the request's body came whole with its head. */
  #bodyIsHere = false;
  #keepAlive = true;
  #keepAliveMs: number;
  #bodyMs: number;

  constructor(context: ClientContext, connection: Connection) {
    this.#context = context;
    this.#connection = connection;
    this.#outbox = new Outbox(connection);
    this.#response = new ResponseSender(this.#outbox);
    this.#keepAliveMs = context.keepAliveMs;
    this.#bodyMs = context.bodyMs;
    context.wheel.set(this.#timer, context.headMs);
  }

  /** Its connection, for whoever shows it. */
  get connection(): Connection {
    return this.#connection;
  }

  /** The exchange at hand; `null` where there is none. */
  get exchange(): RequestEvents | null {
    return this.#events;
  }

  /** Who is at the other end is asked anew. */
  forgetOrigin(): void {
    this.#origin = null;
  }

  get origin(): Origin {
    return (this.#origin ??= this.#context.originOf(this.#connection));
  }

  get blocked(): boolean {
    return this.#outbox.blocked;
  }

  /** Takes one more request where it may be on its way already, answers it and closes; else after the response under way. */
  drain(): void {
    if (this.#state === "idle") this.#context.wheel.set(this.#timer, LAST_REQUEST_MS);
  }

  /** Closes at once. */
  destroy(): void {
    this.#leave("the connection was still open", "WEIR_DRAINED");
    this.#connection.terminate();
  }

  // Receiver: what happens on the connection.

  opened(): void {}

  refused(): void {}

  received(bytes: Buffer): void {
    if (this.#state === "lingering" || this.#state === "gone") return;
    const pending = this.#pending;
    const all = pending === null ? bytes : Buffer.concat([pending, bytes]);
    if (this.#state === "flushing") {
      this.#pending = all;
      this.#hold(PIPELINE_FULL);
      return;
    }
    if (pending === null) return this.#process(bytes);
    this.#pending = null;
    if (this.#state === "head" && !tellsMore(bytes, all.length, this.#context.limits.headBytes)) this.#pending = all;
    else this.#process(all);
  }

  drained(): void {
    const empty = this.#outbox.drain();
    if (this.#events !== null && !this.#responded) this.#events.clientWritable();
    else if (this.#state === "flushing") {
      if (empty) this.#finish();
      else this.#context.wheel.set(this.#timer, this.#bodyMs);
    }
  }

  ended(): void {
    // A client that closes its sending side cannot be told from one that has gone away (as with nginx and Go).
    if (this.#state === "flushing" && this.#body.done) {
      this.#keepAlive = false;
      return;
    }
    this.#leave("the client closed the connection");
    this.#connection.close();
  }

  closed(): void {
    this.#leave("the client's connection ended");
  }

  expired(): void {
    switch (this.#state) {
      case "idle":
        this.#close();
        break;
      case "head":
        this.#refuse("CLIENT_HEAD_TIMEOUT", "the head was not complete in time");
        cork.flush();
        break;
      case "flushing":
        this.#context.refused("CLIENT_SLOW_READER", null);
        this.#connection.terminate();
        break;
      case "lingering":
        this.#connection.close();
        break;
      case "exchange":
      case "gone":
        break;
    }
  }

  // BodySink: the request's body, free of its framing.

  body(bytes: Buffer, start: number, end: number): void {
    if (this.#events !== null) this.#events.requestBody(bytes, start, end);
  }

  // InboundStream: what the exchange does.

  settle(keepAliveMs: number, bodyMs: number): void {
    this.#keepAliveMs = keepAliveMs;
    this.#bodyMs = bodyMs;
  }

  sendHead(response: Head): void {
    if (this.#state === "gone") return;
    const { via } = this.origin;
    if (response.status < 200) {
      this.#response.interim(response, via);
      return;
    }
    // A client that is answered before it has sent all is told that the rest will not be read (RFC 9110 §10.1.1): nobody
    // can tell where a body ends once its exchange is over.
    const early = !this.#body.done && !this.#bodyIsHere;
    this.#keepAlive = this.#response.head(response, this.#keepAlive && !early && !this.#context.draining, via);
  }

  sendBody(bytes: Buffer, start: number, end: number): void {
    if (this.#state !== "gone") this.#response.body(bytes, start, end);
  }

  sendEnd(trailers: Head | null): void {
    if (this.#state === "gone") return;
    this.#response.end(trailers);
    this.#responded = true;
    if (!this.#processing) this.#exchangeDone();
  }

  abort(): void {
    if (this.#state === "gone") return;
    cork.flush();
    this.#events = null;
    // A response that ends with the connection looks whole unless the connection is reset.
    if (this.#response.untilClose) this.#connection.terminate();
    else this.#connection.close();
    this.#leave("");
  }

  pauseBody(): void {
    this.#hold(BODY_WAITS);
  }

  resumeBody(): void {
    this.#release(BODY_WAITS);
  }

  detach(): Detached {
    cork.flush();
    const early = this.#pending;
    this.#pending = null;
    this.#events = null;
    this.#forget();
    this.#release(BODY_WAITS);
    this.#release(PIPELINE_FULL);
    return { connection: this.#connection, outbox: this.#outbox, early };
  }

  // The way of a request.

  #process(bytes: Buffer): void {
    this.#processing = true;
    let at = 0;
    for (;;) {
      if (this.#state === "idle" || this.#state === "head") {
        if (at >= bytes.length) break;
        const next = this.#begin(bytes, at);
        if (next === -1) break;
        at = next;
      }
      if (this.#state !== "exchange") break;
      if (!this.#body.done) {
        at = this.#body.feed(bytes, at, bytes.length, this.#context.limits, CLIENT, this);
        if (this.#body.problem !== "") {
          this.#bodyFailed();
          break;
        }
        if (this.#body.done && this.#events !== null) this.#events.requestEnd(this.#trailers());
      }
      if (this.#responded) {
        this.#exchangeDone();
        if (this.#isIdle()) continue;
      }
      if (at < bytes.length) this.#keepPending(bytes, at);
      break;
    }
    this.#processing = false;
    // The response may have been completed by what was called after it was looked at.
    if (this.#responded && this.#state === "exchange") this.#exchangeDone();
  }

  #isIdle(): boolean {
    return this.#state === "idle";
  }

  /** Parses a head and begins its exchange. Returns where the body begins, -1 when there is no exchange. */
  #begin(bytes: Buffer, start: number): number {
    const context = this.#context;
    const head = (this.#head ??= spareHeads.pop() ?? new Head());
    const outcome = parseRequestHead(head, bytes, start, bytes.length, context.limits);
    if (outcome === "incomplete") {
      this.#keepPending(bytes, start);
      // An empty line sent after a body is not the beginning of the next request.
      if (this.#state === "idle" && !(bytes[start] === CR && bytes.length - start <= 2)) {
        this.#state = "head";
        context.wheel.set(this.#timer, context.headMs);
      }
      return -1;
    }
    if (outcome !== "complete") {
      this.#refuse(outcome, head.problem);
      return -1;
    }
    this.#state = "exchange";
    this.#timer.deadline = Number.POSITIVE_INFINITY;
    this.#responded = false;
    this.#keepAlive = head.keepAlive;
    this.#response.begin(head.minor, head.isHead);
    this.#beginBody(head.framing, head.length);
    this.#bodyIsHere = head.framing === "length" && head.length <= bytes.length - head.end;
    this.#events = context.serve(this, head);
    return head.end;
  }

  /** Most requests have no body, and most connections no reader of one. */
  #beginBody(framing: Framing, length: number): void {
    if (framing === "none") this.#body = NO_BODY;
    else {
      if (this.#body === NO_BODY) this.#body = new BodyReader();
      this.#body.begin(framing, length);
    }
  }

  /** Trailers of a message whose Connection names fields are left out: one of them may be meant (RFC 9110 §7.6.1). */
  #trailers(): Head | null {
    return this.#head?.namesFields === true ? null : this.#body.trailers;
  }

  #keepPending(bytes: Buffer, at: number): void {
    // A small rest must not keep a large buffer alive.
    const rest = bytes.subarray(at);
    this.#pending = at > 0 && rest.length < bytes.length / 2 ? Buffer.from(rest) : rest;
    if (this.#state === "exchange" && rest.length > PIPELINED_BYTES) this.#hold(PIPELINE_FULL);
  }

  #bodyFailed(): void {
    const events = this.#events;
    this.#keepAlive = false;
    if (events !== null) events.requestFailed("CLIENT_BAD_BODY", this.#body.problem);
  }

  /** The response is complete: on to the next request, or the end. */
  #exchangeDone(): void {
    this.#events = null;
    this.#responded = false;
    cork.flush();
    // Who is gone takes nothing more, and is told of its end when it is read again.
    if (this.#outbox.blocked && !this.#outbox.lost) {
      this.#state = "flushing";
      this.#context.wheel.set(this.#timer, this.#bodyMs);
      return;
    }
    this.#finish();
  }

  /** Everything of the response is with the system. */
  #finish(): void {
    const context = this.#context;
    if (!this.#keepAlive || context.draining) {
      // It was to be kept until a moment ago: the next request may be on its way already.
      this.#close(context.draining);
      return;
    }
    this.#state = "idle";
    context.wheel.set(this.#timer, this.#keepAliveMs);
    this.#release(BODY_WAITS);
    this.#release(PIPELINE_FULL);
    const pending = this.#pending;
    if (pending !== null && !this.#processing) {
      this.#pending = null;
      this.#process(pending);
    } else if (pending === null) this.#releaseHead();
  }

  /** Refuses what cannot be made an exchange, and closes. */
  #refuse(code: ErrorCode, detail: string): void {
    this.#context.refused(code, this.origin);
    const { head, body } = errorResponse(code, detail);
    this.#keepAlive = false;
    this.#response.begin(1, false);
    // Whatever follows is not to be understood.
    this.#beginBody("until-close", 0);
    this.#pending = null;
    this.#state = "exchange";
    this.sendHead(head);
    this.sendBody(body, 0, body.length);
    this.#exchangeDone();
  }

  /**
   * Closes in order: the client gets all of the response even if it is still sending.
   * @param unexpected whether the client may be sending what nobody is to read
   */
  #close(unexpected = false): void {
    cork.flush();
    this.#releaseHead();
    if (this.#body.done && this.#pending === null && !unexpected) {
      this.#leave("");
      this.#connection.close();
      return;
    }
    this.#state = "lingering";
    this.#pending = null;
    this.#held = 0;
    this.#connection.resume();
    this.#outbox.finish();
    this.#context.wheel.set(this.#timer, LINGER_MS);
  }

  /** The connection is over; whoever waits for it is told. */
  #leave(why: string, code: ErrorCode = "CLIENT_GONE"): void {
    if (this.#state === "gone") return;
    const events = this.#events;
    this.#events = null;
    this.#forget();
    this.#outbox.close();
    if (events !== null) events.requestFailed(code, why);
  }

  #forget(): void {
    this.#state = "gone";
    this.#context.wheel.remove(this.#timer);
    this.#releaseHead();
    this.#context.left(this);
  }

  #releaseHead(): void {
    if (this.#head === null) return;
    // What is spare must not keep the bytes of its last request.
    this.#head.bytes = NO_BYTES;
    spareHeads.push(this.#head);
    this.#head = null;
  }

  #hold(reason: number): void {
    if (this.#held === 0) this.#connection.pause();
    this.#held |= reason;
  }

  #release(reason: number): void {
    if ((this.#held & reason) === 0) return;
    this.#held &= ~reason;
    if (this.#held === 0) this.#connection.resume();
  }
}
