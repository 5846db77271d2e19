import { WeirError } from "../errors.ts";
import { type Address, formatAddress } from "../address.ts";
import type { Connection, Receiver } from "./connection.ts";
import { cork } from "./cork.ts";
import { libc } from "./libc.ts";
import { BACKLOG } from "./listening-sockets.ts";
import { type BunSocket, KEEP_ALIVE_MS, SOCKET_EVENTS } from "./handlers.ts";

/** Stands for a listening socket that is not put away. */
const ABSENT = -1;

/** Where and how to accept. */
export interface ListenOptions {
  readonly address: Address;
  /** An inherited listening socket; without it the address is bound here. */
  readonly fd?: number | undefined;
  /** Shares the address with other processes. */
  readonly reusePort?: boolean | undefined;
  /** Told of each accepted connection; answers who receives its events. */
  readonly accept: (connection: Connection) => Receiver;
  /** Told of each accepted connection that is gone, when its file descriptor is. */
  readonly closed?: (() => void) | undefined;
}

/** Something that accepts. */
export interface Listening {
  /** The port bound; 0 for a unix socket, and for an inherited one. */
  readonly port: number;
  /** Stops accepting; open connections go on. */
  stop(): void;
  /**
   * Stops accepting for a while: what comes waits in the system's queue. Missing where there is no way to do so.
   * @returns whether it does; not without FFI, nor for want of a file descriptor
   */
  pause?(): boolean;
  /** Accepts again after `pause`. Takes no new file descriptor, so it cannot fail for want of one. */
  resume?(): void;
}

/** Accepts connections where the options say. */
export type Listen = (options: ListenOptions) => Listening;

/**
 * Accepts connections.
 * @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED
 */
export function listen(options: ListenOptions): Listening {
  const { address, fd, accept, closed } = options;
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
      close(socket: BunSocket, error?: Error) {
        // First, so that it is counted whatever its receiver does.
        closed?.();
        socket.data.closed(error);
        cork.flush();
      },
    },
  };
  // `Bun.listen` takes a listening socket, which its declarations do not say.
  const take = (listening: number): BunListener => {
    const inherited: Bun.FdSocketOptions<Receiver> = { ...shared, fd: listening };
    const listener = Bun.listen<Receiver>(inherited as Bun.FdSocketOptions<Receiver> & Bun.UnixSocketOptions<Receiver>);
    // `Bun.listen` listens again, with a shorter queue than the socket was made with.
    libc()?.listen(listening, BACKLOG);
    return withDescriptor(listener);
  };
  try {
    if (fd !== undefined) return pausable(take(fd), 0, take);
    if (address.kind === "unix") {
      const listener = Bun.listen<Receiver>({ ...shared, unix: address.path });
      // Not to be paused: the runtime removes its file when it stops.
      return { port: 0, stop: () => listener.stop() };
    }
    const listener = Bun.listen<Receiver>({
      ...shared,
      hostname: address.host ?? "::",
      port: address.port,
      exclusive: options.reusePort !== true,
      reusePort: options.reusePort === true,
    } as Bun.TCPSocketListenOptions<Receiver>);
    return pausable(withDescriptor(listener), listener.port, take);
  } catch (error) {
    throw listenError(address, error);
  }
}

/** What Bun listens with. */
interface BunListener extends Bun.SocketListener<Receiver> {
  readonly fd: number;
}

/** The declarations leave the file descriptor out. */
function withDescriptor(listener: Bun.SocketListener<Receiver>): BunListener {
  return listener as BunListener;
}

/**
 * A listening socket that can be put away. Stopping closes Bun's descriptor and takes it out of its poll; a duplicate keeps the
 * socket itself open, and with it the queue. Pausing in the middle of a burst leaves the rest of it there.
 */
function pausable(first: BunListener, port: number, take: (fd: number) => BunListener): Listening {
  let listener: BunListener | null = first;
  let put = ABSENT;
  return {
    port,
    stop() {
      listener?.stop();
      listener = null;
      if (put !== ABSENT) libc()?.close(put);
      put = ABSENT;
    },
    pause() {
      const copy = listener === null ? null : (libc()?.duplicate(listener.fd) ?? null);
      if (copy === null || !copy.ok) return false;
      put = copy.value;
      listener?.stop();
      listener = null;
      return true;
    },
    resume() {
      if (put === ABSENT) return;
      listener = take(put);
      put = ABSENT;
    },
  };
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
