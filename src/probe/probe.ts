import type { ErrorCode } from "../errors.ts";
import type { Address } from "../address.ts";
import type { Connection, Receiver } from "../net/connection.ts";
import { connectErrorCode } from "../net/connect-error.ts";
import type { Dial } from "../net/dial.ts";
import { type Expiring, Timer, type TimerWheel } from "../net/timer-wheel.ts";
import type { Advice } from "../pool/advice.ts";
import type { ProbeOutcome } from "../pool/probe-state.ts";

/** What a probe needs from outside. */
export interface ProbeTools {
  readonly dial: Dial;
  readonly wheel: TimerWheel;
}

/** One probe of one backend, over a connection of its own, from dialling to its outcome, which is told once. */
export abstract class Probe implements Receiver, Expiring {
  readonly #wheel: TimerWheel;
  readonly #timeoutMs: number;
  readonly #settled: (outcome: ProbeOutcome) => void;
  readonly #timer: Timer = new Timer(this);
  readonly #startedMs: number;
  #connection: Connection | null = null;
  #over = false;

  constructor(wheel: TimerWheel, timeoutMs: number, settled: (outcome: ProbeOutcome) => void) {
    this.#wheel = wheel;
    this.#timeoutMs = timeoutMs;
    this.#settled = settled;
    this.#startedMs = wheel.refresh();
  }

  /** Begins. The outcome may be told before this returns. */
  start(dial: Dial, address: Address): void {
    this.#wheel.set(this.#timer, this.#timeoutMs);
    dial(address, this);
  }

  /** Gives up; no outcome is told. */
  cancel(): void {
    this.#end()?.terminate();
  }

  /** Whether its outcome is told, or not wanted any more: whatever comes is of no interest. */
  protected get over(): boolean {
    return this.#over;
  }

  /** The connection is open. */
  protected abstract connected(connection: Connection): void;

  protected pass(advice: Advice | null): void {
    // In order, not with a reset, which a backend would log as a client's mishap.
    this.#end()?.close();
    this.#settled({ kind: "passed", tookMs: this.#tookMs(), advice });
  }

  /** @param code `null` where there was an answer, but not the one that was expected */
  protected fail(code: ErrorCode | null, why: string, advice: Advice | null = null): void {
    const connection = this.#end();
    if (code === null) connection?.close();
    else connection?.terminate();
    this.#settled({ kind: "failed", tookMs: this.#tookMs(), advice, code, why });
  }

  // Receiver

  opened(connection: Connection): void {
    if (this.#over) {
      connection.terminate();
      return;
    }
    this.#connection = connection;
    this.connected(connection);
  }

  refused(error: Error): void {
    if (this.#over) return;
    const { code, detail } = connectErrorCode(error);
    this.fail(code, `cannot connect: ${detail}`);
  }

  abstract received(bytes: Buffer): void;
  abstract drained(): void;
  abstract ended(): void;

  closed(error: Error | undefined): void {
    if (!this.#over) this.lost(error === undefined ? "connection closed" : "connection reset");
  }

  /** The connection is gone before there was an outcome. */
  protected abstract lost(how: string): void;

  // Expiring

  expired(): void {
    if (this.#over) return;
    const within = `within ${this.#timeoutMs} ms`;
    if (this.#connection === null) this.fail("BACKEND_CONNECT_TIMEOUT", `no connection ${within}`);
    else this.fail("BACKEND_RESPONSE_TIMEOUT", `no complete answer ${within}`);
  }

  #tookMs(): number {
    return this.#wheel.refresh() - this.#startedMs;
  }

  #end(): Connection | null {
    const connection = this.#connection;
    this.#over = true;
    this.#connection = null;
    this.#wheel.remove(this.#timer);
    return connection;
  }
}
