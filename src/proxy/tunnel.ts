import type { Detached } from "../http/streams.ts";
import type { Connection, Receiver } from "../net/connection.ts";
import type { Outbox } from "../net/outbox.ts";
import { type Expiring, Timer, type TimerWheel } from "../net/timer-wheel.ts";
import type { Timeouts } from "../plan.ts";

/** Who is told of a tunnel. */
export interface TunnelEvents {
  /** Bytes went towards the backend. */
  passedIn(bytes: number): void;
  /** Bytes went towards the client. */
  passedOut(bytes: number): void;
  /** Both ends are closed. */
  finished(why: "closed" | "idle" | "destroyed"): void;
}

/**
 * Bytes both ways between two connections, unchanged and in order: TCP mode, and what follows a 101. Half-close passes
 * on as half-close, a reset as a reset; each side holds at most what one read brought, since its source is paused.
 */
export class Tunnel implements Expiring {
  readonly #client: Side;
  readonly #backend: Side;
  readonly #wheel: TimerWheel;
  #idleMs: number;
  readonly #bodyMs: number;
  readonly #events: TunnelEvents;
  readonly #timer: Timer = new Timer(this);
  #open = true;
  /** The way to its backend, for who ends what leads to one that is removed; `null` where nobody asks. */
  link: object | null = null;

  /**
   * @param idleMs how long no byte may pass; 0 for no limit
   * @param bodyMs how long nothing may be taken of what an end that is gone has left; 0 for no other limit
   */
  constructor(
    client: Detached,
    backend: Detached,
    wheel: TimerWheel,
    { idleMs, bodyMs }: Pick<Timeouts, "idleMs" | "bodyMs">,
    events: TunnelEvents,
  ) {
    this.#wheel = wheel;
    this.#idleMs = idleMs;
    this.#bodyMs = bodyMs;
    this.#events = events;
    this.#client = new Side(this, client.connection, client.outbox, true);
    this.#backend = new Side(this, backend.connection, backend.outbox, false);
    this.#client.peer = this.#backend;
    this.#backend.peer = this.#client;
    client.connection.data = this.#client;
    backend.connection.data = this.#backend;
    wheel.set(this.#timer, idleMs);
    if (client.early !== null) this.#client.received(client.early);
    if (backend.early !== null) this.#backend.received(backend.early);
    // What waited for the dialling may still wait for the system.
    if (backend.outbox.blocked) this.#client.pause();
    if (client.outbox.blocked) this.#backend.pause();
  }

  /** The client's end. */
  get client(): Connection {
    return this.#client.connection;
  }

  /** Whether it goes on. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether bytes of the client wait for the backend. */
  get isBlocked(): boolean {
    return this.#backend.blocked;
  }

  /** Closes both ends at once. */
  destroy(): void {
    this.finish("destroyed", true);
  }

  expired(): void {
    // Where bytes wait, a reset: what came is not to be mistaken for all there was.
    this.finish("idle", this.#client.blocked || this.#backend.blocked);
  }

  /** For its sides: an end has taken some of what waited for it. */
  progressed(): void {
    this.#wheel.set(this.#timer, this.#idleMs);
  }

  /** For its sides: an end is wholly gone, and what it has left waits: whoever takes nothing of it is not waited for as one that is silent. */
  leaves(): void {
    if (this.#bodyMs > 0 && (this.#idleMs === 0 || this.#bodyMs < this.#idleMs)) this.#idleMs = this.#bodyMs;
    this.#wheel.set(this.#timer, this.#idleMs);
  }

  /** For its sides: bytes passed. */
  passed(fromClient: boolean, bytes: number): void {
    this.#wheel.set(this.#timer, this.#idleMs);
    if (fromClient) this.#events.passedIn(bytes);
    else this.#events.passedOut(bytes);
  }

  /** For its sides: the tunnel is over. */
  finish(why: "closed" | "idle" | "destroyed", reset: boolean): void {
    if (!this.#open) return;
    this.#open = false;
    this.#wheel.remove(this.#timer);
    this.#client.close(reset);
    this.#backend.close(reset);
    this.#events.finished(why);
  }
}

/** One end of a tunnel. */
class Side implements Receiver {
  peer: Side | null = null;
  readonly #tunnel: Tunnel;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #isClient: boolean;
  #paused = false;
  /** FIN came from here. */
  #ended = false;
  #closed = false;

  constructor(tunnel: Tunnel, connection: Connection, outbox: Outbox, isClient: boolean) {
    this.#tunnel = tunnel;
    this.#connection = connection;
    this.#outbox = outbox;
    this.#isClient = isClient;
  }

  get connection(): Connection {
    return this.#connection;
  }

  get blocked(): boolean {
    return this.#outbox.blocked;
  }

  opened(): void {}

  refused(): void {}

  received(bytes: Buffer): void {
    const peer = this.peer;
    if (peer === null) return;
    if (peer.#closed) {
      // Gone for good, not only half-closed: nobody will ever read this. What it sent before still arrives.
      if (!this.#outbox.blocked) this.#tunnel.finish("closed", true);
      return;
    }
    this.#tunnel.passed(this.#isClient, bytes.length);
    peer.#outbox.sendAtOnce(bytes);
    if (peer.#outbox.blocked) this.pause();
  }

  drained(): void {
    if (this.#outbox.blocked) this.#tunnel.progressed();
    if (!this.#outbox.drain()) return;
    const peer = this.peer;
    if (peer !== null && peer.#paused && !peer.#closed) {
      peer.#paused = false;
      peer.#connection.resume();
    }
    this.#settle();
  }

  ended(): void {
    this.#ended = true;
    if (this.#outbox.lost) {
      this.#tunnel.finish("closed", true);
      return;
    }
    if (this.peer !== null) this.peer.#outbox.finish();
    this.#settle();
  }

  closed(error: Error | undefined): void {
    this.#closed = true;
    // By `finish`, which sees to the other side itself.
    if (!this.#tunnel.isOpen) return;
    if (error !== undefined) {
      // A reset here is a reset there: what waits is not to be mistaken for all there was.
      this.#tunnel.finish("closed", true);
      return;
    }
    if (!this.#ended) this.ended();
    this.#settle();
    if (this.#tunnel.isOpen && this.peer?.blocked === true) this.#tunnel.leaves();
  }

  pause(): void {
    if (this.#paused || this.#closed) return;
    this.#paused = true;
    this.#connection.pause();
  }

  close(reset: boolean): void {
    this.#outbox.close();
    if (this.#closed) return;
    this.#closed = true;
    if (reset) this.#connection.terminate();
    else this.#connection.close();
  }

  /** Both directions have ended and nothing waits: close. */
  #settle(): void {
    const peer = this.peer;
    if (peer === null) return;
    if (this.#ended && peer.#ended && !this.#outbox.blocked && !peer.#outbox.blocked)
      this.#tunnel.finish("closed", false);
    // Nobody is left to read what waits here, nor to be told that the other side goes on.
    else if (this.#closed && this.#outbox.blocked) this.#tunnel.finish("closed", true);
  }
}
