import type { ErrorCode } from "../errors.ts";
import { Head } from "../http/head.ts";
import type { Detached, Origin, OutboundStream, ResponseEvents } from "../http/streams.ts";
import type { Connection, Receiver } from "../net/connection.ts";
import { cork } from "../net/cork.ts";
import { Outbox } from "../net/outbox.ts";
import { type Expiring, Timer, type TimerWheel } from "../net/timer-wheel.ts";
import { BodyReader } from "./body-reader.ts";
import { writeChunk, writeLastChunk } from "./chunk-writer.ts";
import { connectErrorCode } from "../net/connect-error.ts";
import type { Blame, HeadLimits } from "./field-parser.ts";
import { writeRequestHead } from "./head-writer.ts";
import { tellsMore } from "./partial.ts";
import { parseResponseHead } from "./response-parser.ts";

/** What the connections to one backend share. */
export interface BackendContext {
  readonly wheel: TimerWheel;
  /** `Host` of a request that has none: the backend's own address. */
  readonly host: Buffer;
  /** Told of a connection that is open. */
  opened(): void;
  /** Told of a connection that may serve another request, with the limits of its last one. */
  released(connection: BackendConnection, limits: AttemptLimits): void;
  /** Told of a connection that is gone, or given away as a tunnel. */
  left(connection: BackendConnection): void;
  /** Told of a dialling that was given up while the system is still at it, and of its end. */
  abandoned(): void;
  abandonedOver(): void;
  /** Told of a connection that the backend closed a moment after it became idle. */
  closedEarly(): void;
  /** Told of the seconds that the backend says it keeps an idle connection. */
  learntKeepAlive(seconds: number): void;
}

/** Deadlines and bounds of one attempt. */
export interface AttemptLimits extends HeadLimits {
  readonly connectMs: number;
  /** How long an idle connection is kept. */
  readonly idleBackendMs: number;
  /** How many idle connections are kept. */
  readonly idleConnections: number;
}

const BACKEND: Blame = {
  bad: "BACKEND_BAD_RESPONSE",
  framing: "BACKEND_BAD_RESPONSE",
  tooLarge: "BACKEND_HEAD_TOO_LARGE",
};

/** An idle connection that is closed sooner than this was not to be counted on (undici keeps as much from a told timeout). */
const EARLY_MS = 1_000;

/** Interim responses (1xx) to one request: none that means well sends more, and each is passed on. */
const MOST_INTERIMS = 100;

type State = "connecting" | "idle" | "leased" | "gone";

/** The head of the response at hand: events are synchronous, and nobody keeps it. */
const responseHead = new Head();

/** A connection to a backend: one HTTP/1.1 request at a time. */
export class BackendConnection implements Receiver, OutboundStream, Expiring {
  readonly #context: BackendContext;
  readonly #outbox: Outbox = new Outbox(null);
  readonly #timer: Timer = new Timer(this);
  readonly #body: BodyReader = new BodyReader();
  #connection: Connection | null = null;
  #state: State = "connecting";
  /** Whether the system is still at it; nobody can stop it. */
  #dialling = true;
  #events: ResponseEvents | null;
  #limits: AttemptLimits;
  reused = false;
  /** Whether the request has been handed over: only then is there anything to wait for. */
  #asked = false;
  #paused = false;
  /** Since when it waits for a request, in the wheel's time. */
  idleSince = 0;
  /** Part of a response's head. */
  #pending: Buffer | null = null;
  /** What came behind a 101. */
  #early: Buffer | null = null;
  #requestDone = false;
  #requestChunked = false;
  /** Bytes of an announced body that are still to be sent: until there are none, the backend takes all that comes for it. */
  #bodyLeft = 0;
  #toHead = false;
  /** Whether the backend may have taken the request's body for another request. */
  #mayReadOn = false;
  #upgrading = false;
  /** Whether any byte of a response has come. */
  #answered = false;
  /** Whether the final head of the response has come. */
  #responding = false;
  #keepAlive = false;
  /** Whether the response's Connection names fields that go no further. */
  #namesFields = false;
  /** Interim heads of the response at hand. */
  #interims = 0;

  /** Made when it is dialled, for the attempt that needs it. */
  constructor(context: BackendContext, events: ResponseEvents, limits: AttemptLimits) {
    this.#context = context;
    this.#events = events;
    this.#limits = limits;
    context.wheel.set(this.#timer, limits.connectMs);
  }

  get ready(): boolean {
    return this.#state === "leased";
  }

  get sent(): boolean {
    return this.#outbox.took;
  }

  get blocked(): boolean {
    return this.#outbox.blocked;
  }

  /** Takes it out of the idle ones for another attempt. */
  lease(events: ResponseEvents, limits: AttemptLimits): void {
    this.#state = "leased";
    this.#events = events;
    this.#limits = limits;
    this.reused = true;
    this.#asked = false;
    this.#outbox.took = false;
    this.#requestDone = false;
    this.#responding = false;
    this.#answered = false;
    this.#interims = 0;
    this.#timer.deadline = Number.POSITIVE_INFINITY;
  }

  /** Lets an idle connection wait for its next request. */
  park(idleMs: number): void {
    this.idleSince = this.#context.wheel.now;
    this.#context.wheel.set(this.#timer, idleMs);
  }

  /** Closes an idle connection. */
  close(): void {
    const connection = this.#connection;
    this.#abandon();
    connection?.close();
  }

  // OutboundStream: what the exchange does.

  sendHead(request: Head, origin: Origin): void {
    this.#asked = true;
    this.#toHead = request.isHead;
    this.#upgrading = request.upgrade;
    this.#requestChunked = request.framing === "chunked";
    this.#bodyLeft = request.framing === "length" ? request.length : 0;
    // One that does not read the body takes it for its next request: nobody else's may follow (CL.0, Kettle 2022).
    this.#mayReadOn = (this.#requestChunked || this.#bodyLeft > 0) && request.expectsNoBody;
    writeRequestHead(this.#outbox, request, origin, this.#context.host);
  }

  sendBody(bytes: Buffer, start: number, end: number): void {
    this.#bodyLeft -= end - start;
    if (this.#requestChunked) writeChunk(this.#outbox, bytes, start, end);
    else this.#outbox.send(bytes, start, end);
  }

  sendEnd(trailers: Head | null): void {
    if (this.#requestChunked) writeLastChunk(this.#outbox, trailers);
    this.#requestDone = true;
  }

  wait(milliseconds: number): void {
    this.#context.wheel.set(this.#timer, milliseconds);
  }

  cancel(): void {
    const connection = this.#connection;
    this.#events = null;
    this.#abandon();
    // A reset, so that the backend stops working on what nobody waits for, and its bytes are not read first.
    connection?.terminate();
  }

  pauseBody(): void {
    if (this.#paused || this.#connection === null) return;
    this.#paused = true;
    this.#connection.pause();
  }

  resumeBody(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#connection?.resume();
  }

  detach(): Detached {
    cork.flush();
    const connection = this.#connection;
    if (connection === null) throw new Error("a stream that is not connected cannot be detached");
    const early = this.#early;
    this.#events = null;
    this.#forget();
    this.resumeBody();
    return { connection, outbox: this.#outbox, early };
  }

  // Receiver: what happens on the connection.

  opened(connection: Connection): void {
    if (this.#state === "gone") {
      this.#context.abandonedOver();
      connection.terminate();
      return;
    }
    this.#dialling = false;
    this.#connection = connection;
    this.#context.opened();
    this.#state = "leased";
    this.#timer.deadline = Number.POSITIVE_INFINITY;
    this.#outbox.attach(connection);
    this.#events?.backendReady();
  }

  refused(error: Error): void {
    if (this.#state === "gone") {
      this.#context.abandonedOver();
      return;
    }
    this.#dialling = false;
    const { code, detail } = connectErrorCode(error);
    this.#fail(code, detail);
  }

  received(bytes: Buffer): void {
    if (this.#state === "gone") return;
    if (this.#state === "idle") {
      // Nothing was asked: whatever this is, it must not become the answer to the next request.
      this.close();
      return;
    }
    this.#answered = true;
    const pending = this.#pending;
    if (pending === null) return this.#process(bytes);
    const all = Buffer.concat([pending, bytes]);
    if (!tellsMore(bytes, all.length, this.#limits.headBytes)) {
      this.#pending = all;
      return;
    }
    this.#pending = null;
    this.#process(all);
  }

  drained(): void {
    this.#outbox.drain();
    if (this.#events !== null && this.#state === "leased" && this.#asked) this.#events.backendWritable();
  }

  ended(): void {
    if (this.#responding && this.#body.untilClose && !this.#outbox.lost) this.#complete(true);
    else this.#lost("the backend closed the connection");
    this.#connection?.close();
  }

  closed(error: Error | undefined): void {
    this.#lost(error === undefined ? "the backend closed the connection" : error.message);
  }

  expired(): void {
    if (this.#state === "connecting") {
      this.#fail("BACKEND_CONNECT_TIMEOUT", `no connection within ${this.#limits.connectMs} ms`);
      cork.flush();
    } else if (this.#state === "idle") this.close();
    else if (this.#events !== null) {
      this.#events.stalled();
      cork.flush();
    }
  }

  // BodySink: the response's body, free of its framing.

  body(bytes: Buffer, start: number, end: number): void {
    this.#events?.responseBody(bytes, start, end);
  }

  #process(bytes: Buffer): void {
    let at = 0;
    while (!this.#responding) {
      const events = this.#events;
      if (events === null) return;
      const outcome = parseResponseHead(responseHead, bytes, at, bytes.length, this.#limits, this.#toHead);
      if (outcome === "incomplete") {
        this.#pending = at === 0 ? bytes : bytes.subarray(at);
        return;
      }
      if (outcome !== "complete") {
        this.#fail(outcome, responseHead.problem);
        return;
      }
      at = responseHead.end;
      const status = responseHead.status;
      if (status === 101) {
        if (!this.#upgrading) this.#fail("BACKEND_BAD_RESPONSE", "101 to a request that asked for no upgrade");
        else {
          this.#early = at < bytes.length ? bytes.subarray(at) : null;
          events.responseHead(responseHead);
        }
        return;
      }
      if (status < 200) {
        if (++this.#interims > MOST_INTERIMS) {
          this.#fail("BACKEND_BAD_RESPONSE", `more than ${MOST_INTERIMS} interim responses`);
          return;
        }
        events.responseHead(responseHead);
        if (at >= bytes.length) return;
        continue;
      }
      this.#responding = true;
      this.#keepAlive = responseHead.keepAlive;
      this.#namesFields = responseHead.namesFields;
      this.#body.begin(responseHead.framing, responseHead.length);
      if (responseHead.keepAliveSeconds >= 0) this.#context.learntKeepAlive(responseHead.keepAliveSeconds);
      events.responseHead(responseHead);
    }
    if (this.#events === null) return;
    at = this.#body.feed(bytes, at, bytes.length, this.#limits, BACKEND, this);
    if (this.#body.problem !== "") this.#fail("BACKEND_BAD_RESPONSE", this.#body.problem);
    else if (this.#body.done) this.#complete(at < bytes.length);
  }

  /**
   * The response is complete.
   * @param dirty whether the connection cannot serve another request
   */
  #complete(dirty: boolean): void {
    const events = this.#events;
    if (events === null) return;
    // One of them may be meant (RFC 9110 §7.6.1).
    const trailers = this.#namesFields ? null : this.#body.trailers;
    const reusable =
      !dirty &&
      !this.#mayReadOn &&
      this.#keepAlive &&
      this.#requestDone &&
      this.#bodyLeft <= 0 &&
      !this.#outbox.blocked;
    if (reusable) {
      this.#events = null;
      this.#state = "idle";
      this.#responding = false;
      this.resumeBody();
      this.#context.released(this, this.#limits);
      events.responseEnd(trailers);
      return;
    }
    // The exchange may still be sending its request: it cancels what is left.
    this.#events = null;
    const connection = this.#connection;
    this.#abandon();
    events.responseEnd(trailers);
    connection?.close();
  }

  #lost(detail: string): void {
    if (this.#state === "gone") return;
    if (this.#state === "idle") {
      if (this.#context.wheel.now - this.idleSince < EARLY_MS) this.#context.closedEarly();
      this.close();
    } else if (this.#responding || this.#answered) this.#fail("BACKEND_INCOMPLETE", detail);
    else this.#fail("BACKEND_RESET", detail);
  }

  #fail(code: ErrorCode, detail: string): void {
    const events = this.#events;
    const connection = this.#connection;
    this.#events = null;
    this.#abandon();
    connection?.terminate();
    events?.attemptFailed(code, detail);
  }

  /** It is over, and what waits to be sent on it is dropped. */
  #abandon(): void {
    this.#outbox.close();
    this.#forget();
  }

  #forget(): void {
    if (this.#state === "gone") return;
    this.#state = "gone";
    if (this.#dialling) this.#context.abandoned();
    this.#pending = null;
    this.#context.wheel.remove(this.#timer);
    this.#context.left(this);
  }
}
