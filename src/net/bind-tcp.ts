import type { Address } from "../address.ts";
import { CallError, listenError, makeSocket, must } from "./bind-error.ts";
import { KEEP_ALIVE_MS } from "./handlers.ts";
import { LEVEL, type Libc } from "./libc.ts";
import { BACKLOG, type ListeningSockets } from "./listening-sockets.ts";
import { portOf, socketAddress } from "./sockaddr.ts";

/** Stands for the socket of a worker that is missing for a while. */
const ABSENT = -1;

type TcpAddress = Address & { kind: "tcp" };

function tcpSocket(c: Libc, address: TcpAddress, shared: boolean): number {
  const { system } = c;
  const { family, bytes } = socketAddress(system, address);
  return makeSocket(c, family, (fd) => {
    // Lets a restart bind while connections of its predecessor are in TIME_WAIT.
    must(c.setOption(fd, system.SOL_SOCKET, system.SO_REUSEADDR, 1));
    // Accepted connections inherit both from the listening socket.
    must(c.setOption(fd, system.SOL_SOCKET, system.SO_KEEPALIVE, 1));
    must(c.setOption(fd, LEVEL.tcp, system.TCP_KEEPIDLE, KEEP_ALIVE_MS / 1000));
    // Every interface means IPv4 too, whatever the system's default (bindv6only).
    if (family === system.AF_INET6) must(c.setOption(fd, LEVEL.ipv6, system.IPV6_V6ONLY, 0));
    if (shared) must(c.setOption(fd, system.SOL_SOCKET, system.SO_REUSEPORT, 1));
    must(c.bind(fd, bytes));
    must(c.listen(fd, BACKLOG));
  });
}

/** The first socket on an address, bound alone unless told otherwise, and the address with what the system chose. */
function bindFirst(c: Libc, address: TcpAddress, shared: boolean): { readonly fd: number; readonly bound: TcpAddress } {
  let bound = address;
  let fd: number;
  try {
    fd = tcpSocket(c, bound, shared);
  } catch (error) {
    // IPv6 is switched off: every interface means those of IPv4.
    const absent = error instanceof CallError && ["EAFNOSUPPORT", "EADDRNOTAVAIL"].includes(error.error);
    if (!absent || address.host !== null) throw error;
    bound = { ...address, host: "0.0.0.0" };
    fd = tcpSocket(c, bound, shared);
  }
  if (bound.port !== 0) return { fd, bound };
  const name = new Uint8Array(28);
  must(c.getsockname(fd, name));
  return { fd, bound: { ...bound, port: portOf(name) } };
}

/**
 * A listening socket for each worker where the system spreads connections over them, otherwise one for all.
 * @param shared the port may be open here already, on another address
 * @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED
 */
export function bindTcp(c: Libc, address: TcpAddress, workers: number, shared = false): ListeningSockets {
  const { system } = c;
  const fds: number[] = [];
  try {
    // The first socket is bound alone: with SO_REUSEPORT from the start, two Weirs of one user would share a port
    // without a word. Set afterwards, it lets in our own further sockets and still nobody who comes without it.
    const { fd: first, bound } = bindFirst(c, address, shared);
    fds.push(first);
    const spread = system.spreads && workers > 1 && c.setOption(first, system.SOL_SOCKET, system.SO_REUSEPORT, 1).ok;
    while (fds.length < workers) fds.push(spread ? tcpSocket(c, bound, true) : first);
    return heldTcp(c, { ...address, port: bound.port }, bound, fds, []);
  } catch (error) {
    closeAll(c, fds);
    throw listenError(address, error);
  }
}

/** Goes on with sockets that another process bound. @param more whether further ones may be bound where there are not enough */
export function adoptTcp(
  c: Libc,
  address: TcpAddress,
  handed: readonly number[],
  workers: number,
  more: boolean,
): ListeningSockets {
  const { system } = c;
  const fds = handed.slice(0, workers);
  const [first = ABSENT] = fds;
  const spread = more && system.spreads && c.setOption(first, system.SOL_SOCKET, system.SO_REUSEPORT, 1).ok;
  while (fds.length < workers) fds.push(spread ? anotherOf(c, address, first) : first);
  return heldTcp(c, address, address, fds, handed.slice(workers));
}

/** One more socket on an address; another's, whose queue serves as well, where there is none to be had. */
function anotherOf(c: Libc, bound: TcpAddress, other: number): number {
  try {
    return tcpSocket(c, bound, true);
  } catch {
    return other; // too many open files, say
  }
}

function closeAll(c: Libc, fds: number[]): void {
  for (const fd of new Set(fds.splice(0))) if (fd !== ABSENT) c.close(fd);
}

function heldTcp(c: Libc, address: TcpAddress, bound: TcpAddress, fds: number[], beside: number[]): ListeningSockets {
  const close = (): void => {
    closeAll(c, fds);
    closeAll(c, beside);
  };
  return {
    address,
    fds,
    beside,
    withdraw(worker) {
      const own = fds[worker] ?? ABSENT;
      if (own === ABSENT || fds.indexOf(own) !== fds.lastIndexOf(own)) return;
      c.close(own);
      for (const [i, fd] of beside.entries()) {
        if (i % fds.length !== worker || fd === ABSENT) continue;
        c.close(fd);
        beside[i] = ABSENT;
      }
      fds[worker] = ABSENT;
    },
    restore(worker) {
      if (fds[worker] !== ABSENT) return;
      fds[worker] = anotherOf(c, bound, fds.find((fd) => fd !== ABSENT) ?? ABSENT);
    },
    share() {
      for (const fd of [...fds, ...beside])
        if (fd !== ABSENT) c.setOption(fd, c.system.SOL_SOCKET, c.system.SO_REUSEPORT, 1);
    },
    close,
    release: close,
    removeFile() {},
  };
}
