import { lstatSync, unlinkSync } from "node:fs";
import { WeirError } from "../errors.ts";
import { type Address, formatAddress } from "./address.ts";
import { KEEP_ALIVE_MS } from "./handlers.ts";
import { LEVEL, type Libc, libc, type Result } from "./libc.ts";
import { portOf, socketAddress } from "./sockaddr.ts";

/** Connections that wait to be accepted. The system's own limit (net.core.somaxconn, 4096 on Linux) caps it. */
const BACKLOG = 4096;

/** Listening sockets on one address, not accepted from: to be handed to workers. */
export interface ListeningSockets {
  /** The address bound, with the port that the system chose where it was 0. */
  readonly address: Address;
  /**
   * A file descriptor for each worker. Each has its own queue where the system spreads connections over sockets that
   * share a port; elsewhere, and for a unix socket, it is the same one for all.
   */
  readonly fds: readonly number[];
  /** Closes them, and removes a unix socket's file. What waits in a queue that no worker holds open is reset. */
  close(): void;
  /** Removes a unix socket's file, so that nobody new finds it; for when somebody else closes the descriptors. */
  removeFile(): void;
}

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

/** A failed call; `error` is its name, such as `EADDRINUSE`. */
class CallError extends Error {
  readonly error: string;

  constructor(error: string) {
    super(error);
    this.error = error;
  }
}

function must(result: Result): number {
  if (!result.ok) throw new CallError(result.error);
  return result.value;
}

/** A new socket that `prepare` has bound; closed again when that fails. */
function socket(c: Libc, family: number, prepare: (fd: number) => void): number {
  const fd = must(c.socket(family));
  try {
    prepare(fd);
    return fd;
  } catch (error) {
    c.close(fd);
    throw error;
  }
}

function tcpSocket(c: Libc, address: Address, shared: boolean): number {
  const { system } = c;
  const { family, bytes } = socketAddress(system, address);
  return socket(c, family, (fd) => {
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

function bindTcp(c: Libc, address: Address & { kind: "tcp" }, workers: number): ListeningSockets {
  const { system } = c;
  const fds: number[] = [];
  try {
    // The first socket is bound alone: with SO_REUSEPORT from the start, two Weirs of one user would share a port
    // without a word. Set afterwards, it lets in our own further sockets and still nobody who comes without it.
    let bound: Address & { kind: "tcp" } = address;
    let first: number;
    try {
      first = tcpSocket(c, bound, false);
    } catch (error) {
      // IPv6 is switched off: every interface means those of IPv4.
      const absent = error instanceof CallError && ["EAFNOSUPPORT", "EADDRNOTAVAIL"].includes(error.error);
      if (!absent || address.host !== null) throw error;
      bound = { ...address, host: "0.0.0.0" };
      first = tcpSocket(c, bound, false);
    }
    fds.push(first);
    if (bound.port === 0) {
      const name = new Uint8Array(28);
      must(c.getsockname(first, name));
      bound = { ...bound, port: portOf(name) };
    }
    if (system.spreads && workers > 1 && c.setOption(first, system.SOL_SOCKET, system.SO_REUSEPORT, 1).ok) {
      while (fds.length < workers) fds.push(tcpSocket(c, bound, true));
    }
    const chosen: Address = { ...address, port: bound.port };
    return { address: chosen, fds: perWorker(fds, workers), close: () => closeAll(c, fds), removeFile() {} };
  } catch (error) {
    closeAll(c, fds);
    throw listenError(address, error);
  }
}

function bindUnix(c: Libc, address: Address & { kind: "unix" }, workers: number): ListeningSockets {
  const { family, bytes } = socketAddress(c.system, address);
  try {
    removeStale(c, address.path, family, bytes);
    const fd = socket(c, family, (made) => {
      must(c.bind(made, bytes));
      must(c.listen(made, BACKLOG));
    });
    const { ino } = lstatSync(address.path);
    // Only our own file: another program may have replaced it meanwhile.
    const removeFile = (): void => {
      if (lstatSync(address.path, { throwIfNoEntry: false })?.ino === ino) unlinkSync(address.path);
    };
    const close = (): void => {
      c.close(fd);
      removeFile();
    };
    return { address, fds: perWorker([fd], workers), close, removeFile };
  } catch (error) {
    throw listenError(address, error);
  }
}

/** Removes a socket's file that nobody listens on any more, as a killed process leaves it. */
function removeStale(c: Libc, path: string, family: number, bytes: Uint8Array): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket()) throw new WeirError("LISTEN_FAILED", `${path} exists and is no socket; it is left alone`);
  const probe = must(c.socket(family));
  const answer = c.connect(probe, bytes);
  c.close(probe);
  // Any other answer (connected, or EAGAIN for a full queue) comes from somebody who listens.
  if (!answer.ok && answer.error === "ECONNREFUSED") unlinkSync(path);
}

function perWorker(fds: readonly number[], workers: number): number[] {
  return Array.from({ length: workers }, (_, worker) => fds[worker % fds.length] ?? -1);
}

function closeAll(c: Libc, fds: number[]): void {
  for (const fd of fds.splice(0)) c.close(fd);
}

function listenError(address: Address, error: unknown): WeirError {
  if (error instanceof WeirError) return error;
  const name = error instanceof CallError ? error.error : error instanceof Error ? error.message : String(error);
  const where = formatAddress(address);
  const what = address.kind === "tcp" ? `port ${address.port}` : address.path;
  switch (name) {
    case "EADDRINUSE":
      return new WeirError("LISTEN_IN_USE", `${what} is taken: another program listens on ${where}`, error);
    case "EACCES":
    case "EPERM":
      return new WeirError("LISTEN_NOT_PERMITTED", `this user may not listen on ${where}`, error);
    case "EADDRNOTAVAIL":
      return new WeirError("LISTEN_FAILED", `${where} is no address of this machine`, error);
    case "EMFILE":
    case "ENFILE":
      return new WeirError(
        "LISTEN_FAILED",
        `cannot listen on ${where}: too many open files (see \`ulimit -n\`)`,
        error,
      );
    case "ENOENT":
      return new WeirError("LISTEN_FAILED", `cannot listen on ${where}: its folder does not exist`, error);
    default:
      return new WeirError("LISTEN_FAILED", `cannot listen on ${where}: ${name}`, error);
  }
}
