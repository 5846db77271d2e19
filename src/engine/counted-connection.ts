import { addressOf } from "../http/origin.ts";
import type { Connection, Receiver } from "../net/connection.ts";
import { sourceOf, type Sources } from "./sources.ts";

/** Receives what comes on a connection that is closed already. */
export const NOBODY: Receiver = { opened() {}, refused() {}, received() {}, drained() {}, ended() {}, closed() {} };

/**
 * An accepted connection that counts among those of its source until it is gone, whoever receives its events meanwhile: it stands between
 * the system's connection and its receiver. Only made where `limits.connectionsPerAddress` is set.
 */
export class CountedConnection implements Connection, Receiver {
  data: Receiver = NOBODY;
  readonly #connection: Connection;
  readonly #source: string;
  readonly #counted: readonly Sources[];

  constructor(connection: Connection, source: string, counted: readonly Sources[]) {
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
    for (const sources of this.#counted) sources.leave(this.#source);
    this.data.closed(error);
  }
}

/**
 * Counts an accepted connection among those of its source and gives it to a receiver.
 * @param accept answers who receives its events
 * @returns who receives those of the system's connection; `null` where its source has as many as it may have
 */
export function acceptCounted(
  connection: Connection,
  counted: readonly Sources[],
  accept: (connection: Connection) => Receiver,
): Receiver | null {
  const source = sourceOf(addressOf(connection));
  if (source === null) return accept(connection);
  for (const [index, sources] of counted.entries()) {
    if (sources.enter(source)) continue;
    for (const entered of counted.slice(0, index)) entered.leave(source);
    return null;
  }
  const own = new CountedConnection(connection, source, counted);
  // One that fails at once must already be told of it.
  connection.data = own;
  own.data = accept(own);
  return own;
}
