import type { ErrorCode } from "../errors.ts";
import { addressOf } from "../http/origin.ts";
import { connectErrorCode } from "../net/connect-error.ts";
import type { Connection, Receiver } from "../net/connection.ts";
import { cork } from "../net/cork.ts";
import { Outbox } from "../net/outbox.ts";
import { type Expiring, Timer, type TimerWheel } from "../net/timer-wheel.ts";
import { COLUMN, CONNECT } from "../observe/columns.ts";
import type { Row } from "../observe/counters.ts";
import type { AttemptRecord, ExchangeRecord } from "../observe/exchange-record.ts";
import type { Log } from "../observe/log.ts";
import { FULL, NONE, WAITING, type Waiter } from "../pool/gate.ts";
import type { BackendLink } from "./backend-link.ts";
import type { ExchangeObserver } from "./exchange-observer.ts";
import type { Target } from "./target.ts";
import { Tunnel } from "./tunnel.ts";

/** What the sessions of one listener share. */
export interface TcpContext {
  readonly listener: string;
  readonly row: Row;
  readonly wheel: TimerWheel;
  readonly log: Log;
  /** Where new sessions lead; another one after a change of the configuration. */
  readonly target: Target;
  /** Told when a session is over or has failed. */
  readonly left: (session: TcpSession) => void;
  /** Makes records of sessions for the access log; `null` where there is none. */
  readonly observer: ExchangeObserver | null;
}

const NOTHING_TRIED: readonly number[] = [];
const NONE_REMOVED: readonly ReadonlySet<object>[] = [];

/** A client's TCP connection: finds a backend that answers, waiting for one with room, then bytes pass both ways. */
export class TcpSession implements Receiver, Waiter {
  /** Its place among the sessions of its listener; see `engine/members.ts`. */
  place = -1;
  readonly #context: TcpContext;
  /** As of its beginning, or of when it began to wait again. */
  #target: Target;
  readonly #client: Connection;
  /** The way to the backend of its attempt or tunnel; `null` while it waits for one with room. */
  #link: BackendLink | null = null;
  /** Ways to backends that were removed and whose time to finish is over. */
  #removed: readonly ReadonlySet<object>[] = NONE_REMOVED;
  #attempt: Attempt | null = null;
  #tried: readonly number[] = NOTHING_TRIED;
  /** What the client sent before there was a backend: one read at most, since it is paused then. */
  #early: Buffer | null = null;
  #ended = false;
  #tunnel: Tunnel | null = null;
  #over = false;
  /** What is told of it; `null` where nobody wants to know. */
  readonly #record: ExchangeRecord | null;

  constructor(context: TcpContext, client: Connection) {
    this.#context = context;
    this.#target = context.target;
    this.#client = client;
    context.row.begin();
    const { observer, wheel, target } = context;
    this.#record = observer === null ? null : observer.connection(addressOf(client), wheel.refresh());
    if (this.#record !== null) this.#record.goesTo(target.live.pool.name, "");
  }

  /** Chooses a backend and dials it, at once or when one has room. */
  begin(): void {
    const { pool, gate } = this.#target.live;
    const index =
      gate === null ? pool.pick(this.#key(), NOTHING_TRIED) : gate.enter(this, this.#key(), NOTHING_TRIED, -1);
    if (index >= 0) this.#dial(index);
    else if (index === FULL) this.turnedAway("POOL_FULL", "");
    else if (index !== WAITING) this.turnedAway("POOL_NO_BACKEND", "");
  }

  /** For the gate: a backend has room. */
  admitted(index: number): void {
    this.#dial(index);
  }

  /** There is no backend for it, or none has room in time. */
  turnedAway(code: ErrorCode, detail: string): void {
    const { log, listener, row, target: next } = this.#context;
    const target = this.#target;
    const untried = this.#tried.length === 0 && this.#removed.length === 0;
    if (code === "POOL_NO_BACKEND" && untried && next.live !== target.live) {
      // The backends that it has waited for are none of its pool any more, or take no work; those of the plan in force may.
      this.#target = next;
      if (this.#record !== null) this.#record.goesTo(next.live.pool.name, "");
      this.begin();
      return;
    }
    const { pool, gate } = target.live;
    row.fail(code);
    if (this.#record !== null) this.#record.code = code;
    // Of a pool that is full each client would be told of.
    if (gate === null || code === "POOL_NO_BACKEND" || gate.mayReport())
      log.warn("connection failed", { listener, pool: pool.name, code, ...(detail === "" ? {} : { detail }) });
    this.#giveUp();
  }

  /** Closes at once: Weir ends, and the time for it to end by itself is over. */
  destroy(): void {
    if (!this.#over) this.#context.row.fail("WEIR_DRAINED");
    if (this.#record !== null) this.#record.code = "WEIR_DRAINED";
    if (this.#tunnel !== null) this.#tunnel.destroy();
    else this.#giveUp();
  }

  /** The client's end. */
  get client(): Connection {
    return this.#client;
  }

  /**
   * The time is over for what is at these backends, which were removed: it is closed where it is at one of them or on its way there, and where
   * it waits for room that none but such could ever have.
   * @param waiting only where it waits
   */
  evict(links: ReadonlySet<object>, waiting: boolean): void {
    if (this.#over || (waiting && this.#link !== null)) return;
    // One that is at a backend stays there.
    if (this.#tunnel === null && !this.#removed.includes(links)) this.#removed = [...this.#removed, links];
    if (this.#link !== null) {
      if (links.has(this.#link)) this.destroy();
    } else if (this.#target.live.links.every((link) => this.#removed.some((each) => each.has(link))))
      this.turnedAway("POOL_NO_BACKEND", "all backends of its pool were removed, and the time to finish is over");
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
    if (this.#record !== null) this.#record.code = "CLIENT_GONE";
    this.#giveUp();
  }

  /** For its attempt: the backend is connected. */
  connected(attempt: Attempt, backend: Connection): void {
    this.#attempt = null;
    const { wheel, row } = this.#context;
    const target = this.#target;
    const { link, index } = attempt;
    const { feedback } = target.live;
    link.opened();
    // All that is to be known of a backend's speed without knowing its protocol.
    const microseconds = attempt.microseconds();
    link.row.observe(CONNECT, microseconds);
    target.live.row.observe(CONNECT, microseconds);
    if (feedback !== null) feedback.answered(index, microseconds, wheel.now);
    target.live.health.connected(index);
    const client = { connection: this.#client, outbox: new Outbox(this.#client), early: this.#early };
    const early = this.#early;
    this.#early = null;
    const record = this.#record;
    if (attempt.record !== null) attempt.record.connected(wheel.now, false);
    this.#tunnel = new Tunnel(
      client,
      { connection: backend, outbox: new Outbox(backend), early: null },
      wheel,
      target.timeouts,
      {
        passedIn: (bytes) => {
          row.add(COLUMN.bytesIn, bytes);
          if (record !== null) record.bytesIn += bytes;
          link.row.add(COLUMN.bytesIn, bytes);
        },
        passedOut: (bytes) => {
          row.add(COLUMN.bytesOut, bytes);
          if (record !== null) record.bytesOut += bytes;
          link.row.add(COLUMN.bytesOut, bytes);
        },
        finished: (why) => {
          link.row.end();
          link.left();
          if (why === "idle") row.fail("TUNNEL_IDLE");
          if (why === "idle" && record !== null) record.code = "TUNNEL_IDLE";
          this.#leave();
          target.live.gate?.left();
        },
      },
    );
    if (early !== null && !this.#tunnel.isBlocked) this.#client.resume();
    if (this.#ended) this.#client.data.ended();
  }

  /** For its attempt: the backend could not be connected to; another is tried while there is one. */
  attemptFailed(attempt: Attempt, code: ErrorCode, detail: string): void {
    this.#attempt = null;
    this.#link = null;
    const { wheel } = this.#context;
    const target = this.#target;
    const { feedback, gate } = target.live;
    const { link, index } = attempt;
    link.row.end();
    link.left();
    link.row.fail(code);
    if (attempt.record !== null) attempt.record.failed(wheel.refresh(), code);
    if (feedback !== null) feedback.failed(index, attempt.microseconds(), wheel.now);
    target.live.health.failed(index, code);
    if (!this.#over) this.#failOver(attempt, code, detail);
    // Last, so that another attempt of this connection goes before what waits.
    gate?.left();
  }

  #failOver({ link, index }: Attempt, code: ErrorCode, detail: string): void {
    const { log, listener, row } = this.#context;
    const target = this.#target;
    const { pool } = target.live;
    const tried = [...this.#tried, index];
    this.#tried = tried;
    // Nothing was sent: as long as one backend lives, it is found.
    const may = target.retry.attempts > 1 && target.retry.wantedAfter(code, false);
    const next = may ? this.#another(tried) : NONE;
    if (next >= 0 || next === WAITING) {
      link.row.add(COLUMN.retries, 1);
      link.report(log, "backend failed over", code, detail);
      if (next >= 0) this.#dial(next);
      return;
    }
    row.fail(code);
    if (this.#record !== null) this.#record.code = code;
    log.warn("connection failed", {
      listener,
      pool: pool.name,
      backend: link.plan.id,
      code,
      detail,
      attempts: tried.length,
    });
    this.#giveUp();
  }

  /** A backend that was not tried, the ejected ones last; or a place in the queue, where those have no room. */
  #another(tried: readonly number[]): number {
    const { pool, gate } = this.#target.live;
    const key = this.#key();
    let next = gate === null ? pool.pick(key, tried) : gate.tryEnter(key, tried);
    if (next === FULL && gate !== null) next = gate.enter(this, key, tried, -1);
    if (next !== NONE) return next;
    next = pool.lastResort(tried);
    return next !== -1 && gate?.tryTake(next) === false ? NONE : next;
  }

  #key(): number {
    const { key } = this.#target.live;
    return key === null ? 0 : key.ofConnection(addressOf(this.#client));
  }

  #dial(index: number): void {
    const { gate, links } = this.#target.live;
    const link = links[index]!;
    // A gate has counted it when it let it in.
    if (gate === null) link.row.begin();
    this.#link = link;
    this.#attempt = new Attempt(this, index, link, this.#context.wheel, this.#target);
    if (this.#record !== null) this.#attempt.record = this.#record.begin(link.id, this.#context.wheel.now);
    link.dial(this.#attempt);
  }

  /** No backend answers: the client is closed, with a reset, since nothing that it sent has been delivered. */
  #giveUp(): void {
    if (this.#over) return;
    this.#target.live.gate?.leave(this);
    this.#attempt?.abandon();
    this.#attempt = null;
    this.#leave();
    this.#client.terminate();
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#record !== null) this.#record.end(this.#context.wheel.refresh());
    this.#context.row.end();
    this.#context.left(this);
  }
}

/** One dialling of one backend. */
class Attempt implements Receiver, Expiring {
  readonly index: number;
  readonly link: BackendLink;
  /** What is told of it; `null` where nobody wants to know. */
  record: AttemptRecord | null = null;
  readonly #session: TcpSession;
  readonly #wheel: TimerWheel;
  readonly #target: Target;
  readonly #timer: Timer = new Timer(this);
  readonly #startedMs: number;
  #over = false;

  constructor(session: TcpSession, index: number, link: BackendLink, wheel: TimerWheel, target: Target) {
    this.index = index;
    this.link = link;
    this.#session = session;
    this.#wheel = wheel;
    this.#target = target;
    this.#startedMs = wheel.refresh();
    wheel.set(this.#timer, target.timeouts.connectMs);
  }

  /** How long it has taken until now. */
  microseconds(): number {
    return (this.#wheel.refresh() - this.#startedMs) * 1000;
  }

  /** The client is gone: a connection that opens yet is closed. */
  abandon(): void {
    if (!this.#end()) return;
    this.link.row.end();
    this.link.abandoned();
    this.link.left();
    this.#target.live.gate?.left();
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
    const { connectMs } = this.#target.timeouts;
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
    this.#wheel.remove(this.#timer);
    return true;
  }
}
