import { WeirError } from "../errors.ts";
import { type Address, formatAddress } from "../address.ts";
import type { Connection, Receiver } from "./connection.ts";
import { cork } from "./cork.ts";
import { libc } from "./libc.ts";
import { BACKLOG } from "./listening-sockets.ts";
import { type BunSocket, KEEP_ALIVE_MS, SOCKET_EVENTS } from "./handlers.ts";

/** Where and how to accept. */
export interface ListenOptions {
  readonly address: Address;
  /** An inherited listening socket; without it the address is bound here. */
  readonly fd?: number | undefined;
  /** Shares the address with other processes. */
  readonly reusePort?: boolean | undefined;
  /** Told of each accepted connection; answers who receives its events. */
  readonly accept: (connection: Connection) => Receiver;
}

/** Something that accepts. */
export interface Listening {
  /** The port bound; 0 for a unix socket, and for an inherited one. */
  readonly port: number;
  /** Stops accepting; open connections go on. */
  stop(): void;
}

/** Accepts connections where the options say. */
export type Listen = (options: ListenOptions) => Listening;

/**
 * Accepts connections.
 * @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED
 */
export function listen(options: ListenOptions): Listening {
  const { address, fd, accept } = options;
  const shared = {
    allowHalfOpen: true,
    socket: {
      ...SOCKET_EVENTS,
      open(socket: BunSocket) {
        // An inherited listening socket hands SO_KEEPALIVE on to what it accepts (net/bind.ts sets it there).
        if (fd === undefined) socket.setKeepAlive(true, KEEP_ALIVE_MS);
        socket.data = accept(socket);
        cork.flush();
      },
    },
  };
  try {
    if (fd !== undefined) {
      const inherited: Bun.FdSocketOptions<Receiver> = { ...shared, fd };
      // `Bun.listen` takes an inherited socket, which its declarations do not say.
      const listener = Bun.listen<Receiver>(
        inherited as Bun.FdSocketOptions<Receiver> & Bun.UnixSocketOptions<Receiver>,
      );
      // `Bun.listen` listens again, with a shorter queue than the socket was made with.
      libc()?.listen(fd, BACKLOG);
      return { port: 0, stop: () => listener.stop() };
    }
    if (address.kind === "unix") {
      const listener = Bun.listen<Receiver>({ ...shared, unix: address.path });
      return { port: 0, stop: () => listener.stop() };
    }
    const listener = Bun.listen<Receiver>({
      ...shared,
      hostname: address.host ?? "::",
      port: address.port,
      exclusive: options.reusePort !== true,
      reusePort: options.reusePort === true,
    } as Bun.TCPSocketListenOptions<Receiver>);
    return { port: listener.port, stop: () => listener.stop() };
  } catch (error) {
    throw listenError(address, error);
  }
}

function listenError(address: Address, error: unknown): WeirError {
  const where = formatAddress(address);
  const code = error instanceof Error && "code" in error ? error.code : "";
  if (code === "EADDRINUSE") return new WeirError("LISTEN_IN_USE", `${where} is taken by another program`, error);
  if (code === "EACCES" || code === "EPERM")
    return new WeirError("LISTEN_NOT_PERMITTED", `this user may not listen on ${where}`, error);
  return new WeirError(
    "LISTEN_FAILED",
    `cannot listen on ${where}: ${error instanceof Error ? error.message : String(error)}`,
    error,
  );
}
