import { type ErrorCode, ERRORS } from "../errors.ts";
import { addressOf } from "../http/origin.ts";
import { connectErrorCode } from "../net/connect-error.ts";
import type { Connection, Receiver } from "../net/connection.ts";
import { cork } from "../net/cork.ts";
import { Outbox } from "../net/outbox.ts";
import { type Expiring, Timer, type TimerWheel } from "../net/timer-wheel.ts";
import { COLUMN } from "../observe/columns.ts";
import type { Row } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { BackendLink } from "./backend-link.ts";
import type { Target } from "./target.ts";
import { Tunnel } from "./tunnel.ts";

/** What the sessions of one listener share. */
export interface TcpContext {
  readonly listener: string;
  readonly row: Row;
  readonly wheel: TimerWheel;
  readonly log: Log;
  readonly target: Target;
  /** Told when a session is over or has failed. */
  readonly left: (session: TcpSession) => void;
}

const NOTHING_TRIED: readonly number[] = [];

/** A client's TCP connection: finds a backend that answers, then bytes pass both ways. */
export class TcpSession implements Receiver {
  readonly #context: TcpContext;
  readonly #client: Connection;
  #attempt: Attempt | null = null;
  #tried: readonly number[] = NOTHING_TRIED;
  /** What the client sent before there was a backend: one read at most, since it is paused then. */
  #early: Buffer | null = null;
  #ended = false;
  #tunnel: Tunnel | null = null;
  #over = false;

  constructor(context: TcpContext, client: Connection) {
    this.#context = context;
    this.#client = client;
    context.row.begin();
  }

  /** Chooses a backend and dials it. */
  begin(): void {
    const { target, log, listener, row } = this.#context;
    const { pool, key } = target.live;
    const index = pool.pick(key === null ? 0 : key.ofConnection(addressOf(this.#client)), this.#tried);
    const link = target.live.links[index];
    if (link === undefined) {
      row.fail("POOL_NO_BACKEND");
      log.warn("connection failed", { listener, pool: target.live.pool.name, code: "POOL_NO_BACKEND" });
      this.#giveUp();
      return;
    }
    this.#dial(index, link);
  }

  /** Closes at once: Weir ends, and the time for it to end by itself is over. */
  destroy(): void {
    if (!this.#over) this.#context.row.fail("WEIR_DRAINED");
    if (this.#tunnel !== null) this.#tunnel.destroy();
    else this.#giveUp();
  }

  opened(): void {}

  refused(): void {}

  received(bytes: Buffer): void {
    this.#early = this.#early === null ? bytes : Buffer.concat([this.#early, bytes]);
    this.#client.pause();
  }

  drained(): void {}

  ended(): void {
    this.#ended = true;
  }

  closed(): void {
    if (this.#over) return;
    this.#context.row.fail("CLIENT_GONE");
    this.#giveUp();
  }

  /** For its attempt: the backend is connected. */
  connected(attempt: Attempt, backend: Connection): void {
    this.#attempt = null;
    const { wheel, target, row } = this.#context;
    const { link, index } = attempt;
    const { feedback } = target.live;
    link.opened();
    // All that is to be known of a backend's speed without knowing its protocol.
    if (feedback !== null) feedback.answered(index, attempt.microseconds(), wheel.now);
    target.live.health.connected(index);
    const client = { connection: this.#client, outbox: new Outbox(this.#client), early: this.#early };
    const early = this.#early;
    this.#early = null;
    this.#tunnel = new Tunnel(
      client,
      { connection: backend, outbox: new Outbox(backend), early: null },
      wheel,
      target.timeouts.idleMs,
      {
        passedIn: (bytes) => {
          row.add(COLUMN.bytesIn, bytes);
          link.row.add(COLUMN.bytesIn, bytes);
        },
        passedOut: (bytes) => {
          row.add(COLUMN.bytesOut, bytes);
          link.row.add(COLUMN.bytesOut, bytes);
        },
        finished: (why) => {
          link.row.end();
          link.left();
          if (why === "idle") row.fail("TUNNEL_IDLE");
          this.#leave();
        },
      },
    );
    if (early !== null && !this.#tunnel.isBlocked) this.#client.resume();
    if (this.#ended) this.#client.data.ended();
  }

  /** For its attempt: the backend could not be connected to; another is tried while there is one. */
  attemptFailed(attempt: Attempt, code: ErrorCode, detail: string): void {
    this.#attempt = null;
    const { target, log, listener, row, wheel } = this.#context;
    const { pool, key, feedback } = target.live;
    const { link, index } = attempt;
    link.row.end();
    link.left();
    link.row.fail(code);
    if (feedback !== null) feedback.failed(index, attempt.microseconds(), wheel.now);
    target.live.health.failed(index, code);
    if (this.#over) return;
    const tried = [...this.#tried, index];
    this.#tried = tried;
    const may = tried.length < target.limits.attempts && ERRORS[code].retry;
    const next = may ? pool.pick(key === null ? 0 : key.ofConnection(addressOf(this.#client)), tried) : -1;
    const nextLink = target.live.links[next];
    if (nextLink !== undefined) {
      link.row.add(COLUMN.retries, 1);
      link.report(log, "backend failed over", code, detail);
      this.#dial(next, nextLink);
      return;
    }
    row.fail(code);
    log.warn("connection failed", {
      listener,
      pool: target.live.pool.name,
      backend: link.plan.id,
      code,
      detail,
      attempts: tried.length,
    });
    this.#giveUp();
  }

  #dial(index: number, link: BackendLink): void {
    link.row.begin();
    this.#attempt = new Attempt(this, index, link, this.#context);
    link.dial(this.#attempt);
  }

  /** No backend answers: the client is closed, with a reset, since nothing that it sent has been delivered. */
  #giveUp(): void {
    if (this.#over) return;
    this.#attempt?.abandon();
    this.#attempt = null;
    this.#leave();
    this.#client.terminate();
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#context.row.end();
    this.#context.left(this);
  }
}

/** One dialling of one backend. */
class Attempt implements Receiver, Expiring {
  readonly index: number;
  readonly link: BackendLink;
  readonly #session: TcpSession;
  readonly #context: TcpContext;
  readonly #timer: Timer = new Timer(this);
  readonly #startedMs: number;
  #over = false;

  constructor(session: TcpSession, index: number, link: BackendLink, context: TcpContext) {
    this.index = index;
    this.link = link;
    this.#session = session;
    this.#context = context;
    this.#startedMs = context.wheel.refresh();
    context.wheel.set(this.#timer, context.target.timeouts.connectMs);
  }

  /** How long it has taken until now. */
  microseconds(): number {
    return (this.#context.wheel.refresh() - this.#startedMs) * 1000;
  }

  /** The client is gone: a connection that opens yet is closed. */
  abandon(): void {
    if (!this.#end()) return;
    this.link.row.end();
    this.link.abandoned();
    this.link.left();
  }

  opened(connection: Connection): void {
    if (this.#end()) this.#session.connected(this, connection);
    else {
      this.link.abandonedOver();
      connection.terminate();
    }
  }

  refused(error: Error): void {
    const { code, detail } = connectErrorCode(error);
    if (this.#end()) this.#session.attemptFailed(this, code, detail);
    else this.link.abandonedOver();
  }

  expired(): void {
    const { connectMs } = this.#context.target.timeouts;
    if (this.#end()) {
      this.link.abandoned();
      this.#session.attemptFailed(this, "BACKEND_CONNECT_TIMEOUT", `no connection within ${connectMs} ms`);
    }
    cork.flush();
  }

  received(): void {}

  drained(): void {}

  ended(): void {}

  closed(): void {}

  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#context.wheel.remove(this.#timer);
    return true;
  }
}
