import type { Connection, Receiver } from "./connection.ts";
import { cork } from "./cork.ts";
import { tellDefect } from "./defects.ts";

/** A Bun socket whose `data` is its receiver. */
export type BunSocket = Bun.Socket<Receiver>;

/** As much of a connection as is needed to tell what happens on it. */
type Told = Pick<Connection, "data" | "terminate">;

/** Events of every open socket, accepted or dialled: told to its receiver, then what was gathered is sent. */
export const SOCKET_EVENTS = {
  data(socket: Told, bytes: Buffer): void {
    socket.data.received(bytes);
    cork.flush();
  },
  drain(socket: Told): void {
    socket.data.drained();
    cork.flush();
  },
  end(socket: Told): void {
    socket.data.ended();
    cork.flush();
  },
  close(socket: Told, error?: Error): void {
    socket.data.closed(error);
    cork.flush();
  },
  error(socket: Told, error: Error): void {
    // Bun sends here what a handler throws: a defect of Weir, which ends this connection and no other.
    tellDefect(error);
    socket.terminate();
  },
};

/** First keep-alive probe after a minute of silence, well below the 5 minutes after which NATs forget (RFC 5382 §5). */
export const KEEP_ALIVE_MS = 60_000;
