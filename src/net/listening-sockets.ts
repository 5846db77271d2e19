import type { Address } from "../address.ts";

/** Connections that wait to be accepted. The system's own limit (net.core.somaxconn, 4096 on Linux) caps it. */
export const BACKLOG = 4096;

/** Listening sockets on one address, not accepted from: to be handed to workers. */
export interface ListeningSockets {
  /** The address bound, with the port that the system chose where it was 0. */
  readonly address: Address;
  /**
   * A file descriptor for each worker. Each has its own queue where the system spreads connections over sockets that
   * share a port; elsewhere, and for a unix socket, it is the same one for all.
   */
  readonly fds: readonly number[];
  /**
   * Sockets beside those, where they come from a process that had more workers: what waits in their queues would be reset if they were
   * closed. The first worker serves the first of them too, and so on, around.
   */
  readonly beside: readonly number[];
  /**
   * Closes the socket of a worker that will be missing for a while, so that new connections go to the others; what
   * waits in its queue, and in those beside that it serves, is reset. Does nothing where the socket is everybody's.
   */
  withdraw(worker: number): void;
  /** Makes up for `withdraw`. */
  restore(worker: number): void;
  /** Lets another address of the same port be bound while these are open, as when `:80` becomes `127.0.0.1:80`. */
  share(): void;
  /** Closes them, and removes a unix socket's file. What waits in a queue that no worker holds open is reset. */
  close(): void;
  /** Closes them here, where another process goes on with them. */
  release(): void;
  /** Removes a unix socket's file, so that nobody new finds it; for when somebody else closes the descriptors. */
  removeFile(): void;
}
