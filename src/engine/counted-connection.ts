import { addressOf } from "../http/origin.ts";
import type { Connection, Receiver } from "../net/connection.ts";
import type { ErrorCode } from "../errors.ts";
import type { Bound } from "./crowd.ts";
import { sourceOf } from "./sources.ts";

/** Receives what comes on a connection that is closed already. */
export const NOBODY: Receiver = { opened() {}, refused() {}, received() {}, drained() {}, ended() {}, closed() {} };

/**
 * An accepted connection that counts until it is gone, whoever receives its events meanwhile: it stands between the system's connection and
 * its receiver. Only made where `limits.connectionsPerAddress` or `limits.overLimit` is set.
 */
export class CountedConnection implements Connection, Receiver {
  data: Receiver = NOBODY;
  readonly #connection: Connection;
  readonly #source: string | null;
  readonly #counted: readonly Bound[];

  constructor(connection: Connection, source: string | null, counted: readonly Bound[]) {
    this.#connection = connection;
    this.#source = source;
    this.#counted = counted;
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  write(bytes: Uint8Array, offset?: number, length?: number): number {
    return this.#connection.write(bytes, offset, length);
  }

  shutdown(): void {
    this.#connection.shutdown();
  }

  close(): void {
    this.#connection.close();
  }

  terminate(): void {
    this.#connection.terminate();
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  opened(): void {
    this.data.opened(this);
  }

  refused(error: Error): void {
    this.data.refused(error);
  }

  received(bytes: Buffer): void {
    this.data.received(bytes);
  }

  drained(): void {
    this.data.drained();
  }

  ended(): void {
    this.data.ended();
  }

  closed(error: Error | undefined): void {
    for (const bound of this.#counted) bound.leave(this.#source);
    this.data.closed(error);
  }
}

/**
 * Counts an accepted connection and gives it to a receiver.
 * @param accept answers who receives its events
 * @param refuse answers who does where there are as many as there may be, with the code of the bound
 * @returns who receives those of the system's connection
 */
export function acceptCounted(
  connection: Connection,
  counted: readonly Bound[],
  accept: (connection: Connection) => Receiver,
  refuse: (connection: Connection, code: ErrorCode) => Receiver,
): Receiver {
  const source = sourceOf(addressOf(connection));
  for (const [index, bound] of counted.entries()) {
    if (bound.enter(source)) continue;
    for (const entered of counted.slice(0, index)) entered.leave(source);
    return refuse(connection, bound.code);
  }
  const own = new CountedConnection(connection, source, counted);
  // One that fails at once must already be told of it.
  connection.data = own;
  own.data = accept(own);
  return own;
}
