import type { ErrorCode } from "../errors.ts";
import type { Head } from "../http/head.ts";
import type { Detached, Origin, OutboundStream, ResponseEvents } from "../http/streams.ts";
import type { TimerWheel } from "../net/timer-wheel.ts";
import { COLUMN, CONNECT, DURATION, FIRST_BYTE } from "../observe/columns.ts";
import type { AttemptRecord } from "../observe/exchange-record.ts";
import { Deadline } from "./deadline.ts";
import type { KeptBody } from "./kept-body.ts";
import type { Link, Reuse, Target } from "./target.ts";

/** What an attempt tells its exchange. All calls are synchronous. */
export interface AttemptEvents {
  /** The stream is ready for the request. */
  attemptReady(attempt: HttpAttempt): void;
  /** A head came: any number of interim ones (1xx, 101 being the last), then one that is final. */
  attemptHead(attempt: HttpAttempt, response: Head): void;
  attemptBody(bytes: Buffer, start: number, end: number): void;
  attemptEnd(trailers: Head | null): void;
  /** Its connection, used before, was closed while the request was on its way: whether it may be sent again on a fresh one. */
  mayRepeat(attempt: HttpAttempt): boolean;
  /** It failed, and is no longer in flight. Nothing follows. */
  attemptFailed(attempt: HttpAttempt, code: ErrorCode, detail: string): void;
  /** The backend has taken some of what waited. */
  attemptWritable(attempt: HttpAttempt): void;
  /** No progress in the time that it may take; the exchange knows whose turn it was. */
  attemptStalled(attempt: HttpAttempt): void;
}

/**
 * `connecting`: its stream is not ready. `sending`: the request is on its way. `awaiting`: it is sent, the response has
 * not begun. `responding`: the final head has come. `discarding`: nobody wants the rest of the response, which is short.
 * `over`: nothing more happens.
 */
type State = "connecting" | "sending" | "awaiting" | "responding" | "discarding" | "over";

/** A response that nobody wants is read to its end, so that its connection can be used again, if it is no longer than this. */
const DISCARDED_BYTES = 64 * 1024;
const DISCARDED_MS = 1_000;

/** A connection that was closed while the request was on its way is told to be so within a round trip; later, the backend gave up. */
const RACE_MS = 1_000;

/** One try of a request on one backend: its stream, its counts, its deadlines, and what is learnt from how it goes. */
export class HttpAttempt implements ResponseEvents {
  /** Position of the backend in its pool. */
  readonly index: number;
  readonly link: Link;
  readonly #owner: AttemptEvents;
  readonly #target: Target<Link>;
  readonly #wheel: TimerWheel;
  /** Whether anybody wants to know how long the backend takes; else no clock is read for it. */
  readonly #timed: boolean;
  #state: State = "connecting";
  #stream: OutboundStream | null = null;
  /** What is told of it; `null` where nobody wants to know. */
  record: AttemptRecord | null = null;
  /** Whether its final head has come. */
  responded = false;
  /** Whether it failed because its connection, used before, was closed while the request was on its way. */
  stale = false;
  /** Whether a byte of the request was sent over a connection that turned out to be stale. */
  #reached = false;
  /** Since when the time is the backend's: it is dialled, has the beginning of the request, has all of it. */
  #askedMs = 0;
  /** When its stream was leased, in the wheel's time. */
  #leasedMs = 0;
  #deadline: Deadline | null = null;
  #dropped = 0;
  /** Since when the request is on its way. */
  #sentMs = 0;

  constructor(owner: AttemptEvents, target: Target<Link>, index: number, link: Link, wheel: TimerWheel) {
    const { live } = target;
    this.#owner = owner;
    this.#target = target;
    this.#wheel = wheel;
    this.index = index;
    this.link = link;
    this.#timed = live.feedback !== null || live.gate !== null || live.latencies !== null;
  }

  /** Leases a stream. `attemptReady` or `attemptFailed` may come before this returns. */
  begin(reuse: Reuse): void {
    const { live, retry } = this.#target;
    // A gate has counted it when it let it in.
    if (live.gate === null) this.link.row.begin();
    this.#limit(retry.attemptMs);
    this.#lease(reuse);
  }

  #limit(attemptMs: number): void {
    if (attemptMs <= 0) return;
    this.#deadline = new Deadline(this.#wheel, attemptMs, () =>
      this.fail("BACKEND_ATTEMPT_TIMEOUT", `no response within ${attemptMs} ms of this attempt`),
    );
  }

  #lease(reuse: Reuse): void {
    this.#state = "connecting";
    this.#stream = null;
    this.#ask();
    // Whoever begins an attempt has just read the clock.
    this.#leasedMs = this.#wheel.now;
    const stream = this.link.lease(this, this.#target.attempt, reuse);
    // It has failed already, and the exchange has seen to what comes next.
    if (this.#isOver()) return;
    this.#stream = stream;
    if (stream.ready) this.#owner.attemptReady(this);
  }

  #isOver(): boolean {
    return this.#state === "over";
  }

  /** Whether the request may be sent. */
  get ready(): boolean {
    return this.#stream !== null && this.#state !== "connecting";
  }

  /** Whether all of the request has been sent. */
  get asked(): boolean {
    return this.#state === "awaiting";
  }

  /** Whether any byte of the request may have reached the backend over the connection at hand. */
  get sent(): boolean {
    return this.#stream !== null && this.#stream.sent;
  }

  /** Whether any byte of it may have reached the backend, also over a connection before that was closed under it; whoever answers has it. */
  get reached(): boolean {
    return this.#reached || this.responded || this.sent;
  }

  /** Whether its connection had served another request before. */
  get reused(): boolean {
    return this.#stream !== null && this.#stream.reused;
  }

  /** Whether bytes of the request wait for the backend. */
  get blocked(): boolean {
    return this.#stream !== null && this.#stream.blocked;
  }

  // What the exchange does.

  /** Sends the head and what is kept of the body. */
  send(request: Head, origin: Origin, kept: KeptBody | null): void {
    const stream = this.#stream;
    if (stream === null) return;
    const { row } = this.link;
    this.#state = "sending";
    this.#sentMs = this.#wheel.now;
    row.add(COLUMN.requests, 1);
    row.add(COLUMN.bytesIn, request.end - request.start);
    stream.sendHead(request, origin);
    if (kept !== null) row.add(COLUMN.bytesIn, kept.sendTo(stream));
  }

  sendBody(bytes: Buffer, start: number, end: number): void {
    this.link.row.add(COLUMN.bytesIn, end - start);
    this.#stream?.sendBody(bytes, start, end);
  }

  sendEnd(trailers: Head | null): void {
    this.#stream?.sendEnd(trailers);
    if (this.#state !== "sending") return;
    this.#state = "awaiting";
    // The time that a client takes for its request is not the backend's.
    this.#ask();
    this.#deadline?.resume();
    this.waitForResponse();
  }

  /** The rest of the request comes later, at the client's pace: no time of its attempt's. */
  sendLater(): void {
    this.#ask();
    this.#deadline?.cancel();
  }

  waitForResponse(): void {
    this.#stream?.wait(this.#target.timeouts.responseMs);
  }

  waitForBody(): void {
    this.#stream?.wait(this.#target.timeouts.bodyMs);
  }

  pauseBody(): void {
    this.#stream?.pauseBody();
  }

  resumeBody(): void {
    this.#stream?.resumeBody();
  }

  /** Ends it by a fault of its backend that its stream does not see; the exchange is told as of any other. */
  fail(code: ErrorCode, detail: string): void {
    if (this.#state === "over" || this.#state === "discarding") return;
    // What the backend still holds is given up before anything else is done.
    this.#stream?.cancel();
    this.attemptFailed(code, detail);
  }

  /** Gives it up: nobody wants its answer any more. */
  cancel(): void {
    if (this.#state === "over" || this.#state === "discarding") return;
    this.#stream?.cancel();
    this.#end();
    this.#target.live.gate?.left();
  }

  /** Gives up its response, of which nothing is wanted, and keeps the connection if that is soon at its end. */
  discard(): void {
    if (this.#state === "over") return;
    this.#end();
    this.#state = "discarding";
    this.#stream?.wait(DISCARDED_MS);
    this.link.discards(this);
    this.#target.live.gate?.left();
  }

  /** Gives it up because another one was faster: its backend takes at least so long. */
  outrun(): void {
    if (this.#timed) this.#learn(false, false, this.#wheel.refresh());
    this.cancel();
  }

  /** Gives the bare connection away. It stays in flight until `left`. */
  detach(): Detached | null {
    const stream = this.#stream;
    if (stream === null) return null;
    this.#state = "over";
    this.#stream = null;
    return stream.detach();
  }

  /** What was made of it by `detach` is over. */
  left(): void {
    this.link.row.end();
    this.#target.live.gate?.left();
  }

  // ResponseEvents: what the stream tells.

  backendReady(): void {
    if (this.#state !== "connecting" || this.#stream === null) return;
    const microseconds = (this.#wheel.refresh() - this.#leasedMs) * 1000;
    this.link.row.observe(CONNECT, microseconds);
    this.#target.live.row.observe(CONNECT, microseconds);
    this.#owner.attemptReady(this);
  }

  responseHead(response: Head): void {
    if (this.#state === "over" || this.#state === "discarding") return;
    const { status } = response;
    this.link.row.respond(status);
    if (status >= 200 || status === 101) {
      const { health } = this.#target.live;
      this.link.row.observe(FIRST_BYTE, (this.#wheel.refresh() - this.#leasedMs) * 1000);
      if (this.#timed) this.#learn(status >= 500, status === 503, this.#wheel.now);
      health.answered(this.index, status);
      if (status >= 200) {
        if (response.asksToDrain) health.asksToDrain(this.index);
        this.#state = "responding";
        this.responded = true;
      }
      this.#deadline?.cancel();
    }
    this.#owner.attemptHead(this, response);
  }

  responseBody(bytes: Buffer, start: number, end: number): void {
    if (this.#state === "discarding") this.#drop(end - start);
    if (this.#state !== "responding") return;
    this.link.row.add(COLUMN.bytesOut, end - start);
    this.#owner.attemptBody(bytes, start, end);
  }

  responseEnd(trailers: Head | null): void {
    if (this.#state === "over") return;
    if (this.#state === "discarding") {
      this.#discarded();
      return;
    }
    this.#end();
    this.#owner.attemptEnd(trailers);
    // Its exchange has just read the clock.
    this.link.row.observe(DURATION, (this.#wheel.now - this.#leasedMs) * 1000);
    this.#target.live.gate?.left();
  }

  attemptFailed(code: ErrorCode, detail: string): void {
    if (this.#state === "over") return;
    if (this.#state === "discarding") {
      this.#discarded();
      return;
    }
    // The stale keep-alive race (RFC 9112 §9.3.1): the backend closed the connection while the request was on its way.
    this.stale =
      code === "BACKEND_RESET" &&
      this.#stream !== null &&
      this.#stream.reused &&
      this.#wheel.now - this.#sentMs < RACE_MS;
    if (this.stale) {
      this.link.sawStale();
      if (this.#owner.mayRepeat(this)) {
        this.link.row.add(COLUMN.retries, 1);
        this.#wheel.refresh();
        // That the backend refuses from now on may be the work of this very request.
        this.#reached ||= this.sent;
        this.#lease("none");
        return;
      }
    }
    this.#end();
    this.#owner.attemptFailed(this, code, detail);
    // After the exchange has had the choice of another backend: its place is its own before it is anybody's.
    this.#target.live.gate?.left();
  }

  backendWritable(): void {
    if (this.#state === "sending" || this.#state === "awaiting" || this.#state === "responding")
      this.#owner.attemptWritable(this);
  }

  stalled(): void {
    if (this.#state === "awaiting")
      this.fail("BACKEND_RESPONSE_TIMEOUT", `no response within ${this.#target.timeouts.responseMs} ms`);
    else if (this.#state === "discarding") this.giveUp();
    else if (this.#state !== "over") this.#owner.attemptStalled(this);
  }

  /** Counts a fault of the backend, and tells who learns of it. */
  blame(code: ErrorCode): void {
    if (this.#timed) this.#learn(true, true, this.#wheel.refresh());
    // What ended while it was idle says nothing of how the backend is.
    if (!this.stale) this.#target.live.health.failed(this.index, code);
    this.link.row.fail(code);
  }

  #drop(bytes: number): void {
    this.#dropped += bytes;
    if (this.#dropped > DISCARDED_BYTES) this.giveUp();
  }

  /** Gives up a response that nobody wants. */
  giveUp(): void {
    if (this.#state !== "discarding") return;
    this.#discarded();
    this.#stream?.cancel();
  }

  #discarded(): void {
    this.#state = "over";
    this.link.discarded(this);
  }

  #ask(): void {
    if (this.#timed) this.#askedMs = this.#wheel.refresh();
  }

  /**
   * Tells how it went. How long a body takes says nothing of when its backend answers.
   * @param dropped whether it was too much for its backend, as far as anybody can tell
   */
  #learn(failed: boolean, dropped: boolean, now: number): void {
    const { feedback, gate, latencies } = this.#target.live;
    const microseconds = this.responded ? 0 : (now - this.#askedMs) * 1000;
    if (feedback !== null) {
      if (failed) feedback.failed(this.index, microseconds, now);
      else feedback.answered(this.index, microseconds, now);
    }
    if (this.responded) return;
    gate?.sample(this.index, microseconds, dropped);
    if (!failed) latencies?.add(microseconds, now);
  }

  /** It is in flight no longer. */
  #end(): void {
    this.#state = "over";
    this.#deadline?.cancel();
    this.link.row.end();
  }
}
