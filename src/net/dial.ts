import type { Address } from "../address.ts";
import type { Receiver } from "./connection.ts";
import { cork } from "./cork.ts";
import { type BunSocket, KEEP_ALIVE_MS, SOCKET_EVENTS } from "./handlers.ts";

/** Opens a connection and tells the receiver: `opened`, or `refused` and nothing more. */
export type Dial = (address: Address, receiver: Receiver) => void;

let held = 0;

/** File descriptors of this process that connections hold which were dialled, or are being dialled. */
export function dialled(): number {
  return held;
}

const DIALLED: Bun.SocketHandler<Receiver> = {
  ...SOCKET_EVENTS,
  open(socket: BunSocket) {
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.data.opened(socket);
    cork.flush();
  },
  close(socket: BunSocket, error?: Error) {
    held -= 1;
    socket.data.closed(error);
    cork.flush();
  },
  connectError(socket: BunSocket, error: Error) {
    held -= 1;
    socket.data.refused(error);
    cork.flush();
  },
};

const nothing = (): void => {};

/**
 * Dials with the system's sockets. Names are resolved by the runtime at each call, from its cache of some seconds.
 * There is no way to abandon a connection under way: a receiver that no longer wants it ends it in `opened`.
 */
export const dial: Dial = (address, receiver) => {
  // The promise repeats what `open` and `connectError` have told; it must not be left to reject unheard.
  const socket = DIALLED;
  held += 1;
  if (address.kind === "unix")
    Bun.connect({ unix: address.path, allowHalfOpen: true, data: receiver, socket }).catch(nothing);
  else
    Bun.connect({
      hostname: address.host ?? "127.0.0.1",
      port: address.port,
      allowHalfOpen: true,
      data: receiver,
      socket,
    }).catch(nothing);
};
