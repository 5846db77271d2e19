import { WeirError } from "../errors.ts";
import type { Address } from "../address.ts";
import { adoptTcp, bindTcp } from "./bind-tcp.ts";
import { adoptUnix, bindUnix } from "./bind-unix.ts";
import { libc } from "./libc.ts";
import type { ListeningSockets } from "./listening-sockets.ts";
import { readSocketAddress } from "./sockaddr.ts";

/** Whether listening sockets can be made here; where not, workers bind the address for themselves. */
export function canBind(): boolean {
  return libc() !== null;
}

/**
 * Binds an address and listens on it, without accepting.
 * @param address an IP literal, every interface (a host of `null`), or a unix path; names are resolved before
 * @param shared another address of this port is held here already, and has been told so by its `share`
 * @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED
 */
export function bindSockets(address: Address, workers: number, shared = false): ListeningSockets {
  const c = libc();
  if (c === null) throw new WeirError("LISTEN_FAILED", "this system offers no way to make a listening socket ahead");
  return address.kind === "unix" ? bindUnix(c, address, workers) : bindTcp(c, address, workers, shared);
}

/** Listening sockets that another process made and handed down. */
export interface Handed {
  /** The address that they are bound to. */
  readonly address: Address;
  /** Open here; at least one. Whoever takes them closes them. */
  readonly fds: readonly number[];
  /** Whether further ones may be bound beside them: not where somebody else goes on holding them when Weir ends. */
  readonly more: boolean;
}

/** Goes on with listening sockets of another process: one for each worker where there are as many, or can be. */
export function adoptSockets({ address, fds, more }: Handed, workers: number): ListeningSockets {
  const c = libc();
  if (c === null) throw new WeirError("LISTEN_FAILED", "this system offers no way to take over a listening socket");
  return address.kind === "unix" ? adoptUnix(c, address, fds, workers) : adoptTcp(c, address, fds, workers, more);
}

/** The address that a listening socket is bound to; `null` where the descriptor is none of a kind that Weir listens on. */
export function addressOfSocket(fd: number): Address | null {
  const c = libc();
  const name = new Uint8Array(128);
  return c === null || !c.getsockname(fd, name).ok ? null : readSocketAddress(c.system, name);
}
