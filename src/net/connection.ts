/**
 * An open byte stream to a peer. A Bun socket is one as it is, without a wrapper; the simulated network implements
 * the same shape.
 */
export interface Connection {
  /** Who is told of what happens on it. It may be exchanged at any time, as an upgrade does. */
  data: Receiver;
  /**
   * Hands bytes to the system.
   * @returns how many it took, fewer than given when its buffer is full (`drained` follows); negative when closed
   */
  write(bytes: Uint8Array, offset?: number, length?: number): number;
  /** Sends FIN: nothing more is written, reading goes on. */
  shutdown(): void;
  /** Closes both ways in order; what the system has taken is still sent. */
  close(): void;
  /** Closes both ways at once; the peer sees a reset. */
  terminate(): void;
  /** Stops reading. What was already under way may still come. */
  pause(): void;
  resume(): void;
  readonly remoteAddress: string;
}

/** Who is told of what happens on a connection. All calls are synchronous. */
export interface Receiver {
  /** A dialled connection is open. Not called for an accepted one. */
  opened(connection: Connection): void;
  /** A dialled connection could not be opened; nothing follows. */
  refused(error: Error): void;
  /** Bytes came. The buffer is the receiver's to keep. */
  received(bytes: Buffer): void;
  /** The system's buffer has room again. May be called without need. */
  drained(): void;
  /** The peer sent FIN. */
  ended(): void;
  /** The connection is gone, by an error of the peer or the network where one is given. */
  closed(error: Error | undefined): void;
}
