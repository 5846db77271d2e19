import { WeirError } from "../errors.ts";
import type { Address } from "../address.ts";
import { bindTcp } from "./bind-tcp.ts";
import { bindUnix } from "./bind-unix.ts";
import { libc } from "./libc.ts";
import type { ListeningSockets } from "./listening-sockets.ts";

/** Whether listening sockets can be made here; where not, workers bind the address for themselves. */
export function canBind(): boolean {
  return libc() !== null;
}

/**
 * Binds an address and listens on it, without accepting.
 * @param address an IP literal, every interface (a host of `null`), or a unix path; names are resolved before
 * @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED
 */
export function bindSockets(address: Address, workers: number): ListeningSockets {
  const c = libc();
  if (c === null) throw new WeirError("LISTEN_FAILED", "this system offers no way to make a listening socket ahead");
  return address.kind === "unix" ? bindUnix(c, address, workers) : bindTcp(c, address, workers);
}
