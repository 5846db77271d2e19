import type { BackendPlan } from "../plan.ts";
import { type AttemptLimits, BackendConnection, type BackendContext } from "../http1/backend-connection.ts";
import type { ErrorCode } from "../errors.ts";
import type { OutboundStream, ResponseEvents } from "../http/streams.ts";
import { type Address, formatAddress } from "../address.ts";
import type { Receiver } from "../net/connection.ts";
import type { Dial } from "../net/dial.ts";
import type { TimerWheel } from "../net/timer-wheel.ts";
import { COLUMN } from "../observe/columns.ts";
import type { Row } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import { IdleStack } from "../pool/idle-stack.ts";
import type { Link, Reuse, Unwanted } from "./target.ts";

/** Of the time a backend says it keeps an idle connection, what Weir uses: the rest covers the way there. */
const KEEP_ALIVE_SHARE = 0.8;
/**
 * A request that must not be sent twice goes only over a connection that was used a moment ago: one that has waited
 * longer may be closing at the other end just now, and the request could not be repeated.
 */
const FRESH_ENOUGH_MS = 1_000;
/** After a connection was closed early, requests that must not be sent twice go over new ones for so long. */
const DISTRUST_MS = 60_000;
/**
 * The system tries for two minutes to reach a backend whose packets are dropped, whoever still waits for it. With so many
 * tries under way one more would tell nothing new, and each holds a file descriptor.
 */
const MOST_ABANDONED = 128;
const NO_ANSWER = Object.assign(new Error("it answers no connection"), { code: "ETIMEDOUT" });
/** A backend that is down is said to be so by each request: a line in five seconds is enough. */
const QUIET_MS = 5_000;

/** One worker's way to one backend: its idle connections, and the dialling of new ones. */
export class BackendLink implements Link, BackendContext {
  readonly #pool: string;
  readonly plan: BackendPlan;
  /** Another object for the same cells where a change of the pool has its sum kept. */
  row: Row;
  readonly #dial: Dial;
  readonly wheel: TimerWheel;
  readonly #idle: IdleStack<BackendConnection> = new IdleStack();
  #host: Buffer | null = null;
  /** Connections open or being opened. */
  #open = 0;
  #learntMs = Number.POSITIVE_INFINITY;
  #reportedMs = Number.NEGATIVE_INFINITY;
  #abandoned = 0;
  #distrustedUntil = Number.NEGATIVE_INFINITY;
  #retired = false;
  /** Called before each dialling. */
  #dials: (() => void) | null = null;
  #unwanted: Set<Unwanted> | null = null;

  constructor(pool: string, plan: BackendPlan, row: Row, dial: Dial, wheel: TimerWheel) {
    this.#pool = pool;
    this.plan = plan;
    this.row = row;
    this.#dial = dial;
    this.wheel = wheel;
  }

  get host(): Buffer {
    return (this.#host ??= Buffer.from(hostOf(this.plan.address)));
  }

  get id(): string {
    return this.plan.id;
  }

  /** Whether its backend has left the pool. */
  get isRetired(): boolean {
    return this.#retired;
  }

  /** Connections open or being opened, without upgraded ones. */
  get open(): number {
    return this.#open;
  }

  /** Connections that wait for a request. */
  get idle(): number {
    return this.#idle.size;
  }

  /**
   * Leases a stream for one attempt.
   * @param reuse `any` idle connection will do, only a `recent` one, or `none`
   */
  lease(events: ResponseEvents, limits: AttemptLimits, reuse: Reuse): OutboundStream {
    if (reuse !== "none") {
      const last = this.#idle.peek();
      if (last !== undefined && (reuse === "any" || this.#isFresh(last.idleSince))) {
        this.#idle.pop();
        last.lease(events, limits);
        return last;
      }
    }
    const connection = new BackendConnection(this, events, limits);
    this.dial(connection);
    return connection;
  }

  #isFresh(idleSince: number): boolean {
    const { now } = this.wheel;
    return now >= this.#distrustedUntil && now - idleSince < FRESH_ENOUGH_MS;
  }

  /** Opens a connection for a receiver, which calls `opened`, `left` and the rest in its time. */
  dial(receiver: Receiver): void {
    this.#open += 1;
    if (this.#dials !== null) this.#dials();
    if (this.#abandoned >= MOST_ABANDONED) receiver.refused(NO_ANSWER);
    else this.#dial(this.plan.address, receiver);
  }

  /** A dialling was given up; the system goes on with it, and holds a file descriptor, for two minutes or so. */
  abandoned(): void {
    this.#abandoned += 1;
  }

  /** The system is done with a dialling that was given up. */
  abandonedOver(): void {
    this.#abandoned -= 1;
  }

  /** The backend closed a connection that was in use, or to be used, without a word. */
  sawStale(): void {
    this.#distrustedUntil = this.wheel.now + DISTRUST_MS;
  }

  /** A dialled connection is open. */
  opened(): void {
    this.row.add(COLUMN.connections, 1);
  }

  /** A dialled connection is gone, or was refused, or is a tunnel now. @param connection which may be an idle one */
  left(connection: BackendConnection | null = null): void {
    this.#open -= 1;
    if (connection !== null) this.#idle.remove(connection);
  }

  closedEarly(): void {
    this.sawStale();
  }

  learntKeepAlive(seconds: number): void {
    if (!this.#retired) this.#learntMs = seconds * 1000 * KEEP_ALIVE_SHARE;
  }

  discards(unwanted: Unwanted): void {
    (this.#unwanted ??= new Set()).add(unwanted);
  }

  discarded(unwanted: Unwanted): void {
    this.#unwanted?.delete(unwanted);
  }

  /** Closes the idle connections, and those that are about to be. */
  closeIdle(): void {
    for (const unwanted of this.#unwanted ?? []) unwanted.giveUp();
    for (const connection of this.#idle.drain()) connection.close();
  }

  /** Its backend has left the pool: idle connections close now, those in use when they are done. */
  retire(): void {
    this.#retired = true;
    // As of a backend that says it keeps no connection.
    this.#learntMs = 0;
    this.closeIdle();
  }

  /** Says of each connection that is opened while its backend is not in the pool: nothing is at it that did not open one. */
  onDial(dials: () => void): void {
    this.#dials = dials;
  }

  /** Its backend is in the pool, again or still. */
  revive(): void {
    if (!this.#retired) return;
    this.#retired = false;
    this.#dials = null;
    this.#learntMs = Number.POSITIVE_INFINITY;
  }

  /** Says in the log what an attempt came to, at most once in `QUIET_MS`. */
  report(log: Log, event: "backend failed over" | "backend failed", code: ErrorCode, detail: string): void {
    const { now } = this.wheel;
    if (now - this.#reportedMs < QUIET_MS) return;
    this.#reportedMs = now;
    log.warn(event, { backend: this.plan.id, pool: this.#pool, code, detail });
  }

  released(connection: BackendConnection, limits: AttemptLimits): void {
    // 0 is no deadline of ours; a backend that says 0 wants no idle connection at all.
    const ownMs = limits.idleBackendMs > 0 ? limits.idleBackendMs : Number.POSITIVE_INFINITY;
    const keep = this.#learntMs > 0 && this.#idle.push(connection, limits.idleConnections);
    if (keep) connection.park(Math.min(ownMs, this.#learntMs));
    else connection.close();
  }
}

function hostOf(address: Address): string {
  return address.kind === "unix" ? "localhost" : formatAddress(address);
}
