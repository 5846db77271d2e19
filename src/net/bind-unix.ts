import { lstatSync, unlinkSync } from "node:fs";
import { WeirError } from "../errors.ts";
import type { Address } from "../address.ts";
import { listenError, makeSocket, must } from "./bind-error.ts";
import type { Libc } from "./libc.ts";
import { BACKLOG, type ListeningSockets } from "./listening-sockets.ts";
import { socketAddress } from "./sockaddr.ts";

/**
 * One listening socket on a path, for all workers: there is no SO_REUSEPORT for paths.
 * @throws LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED
 */
export function bindUnix(c: Libc, address: Address & { kind: "unix" }, workers: number): ListeningSockets {
  const { family, bytes } = socketAddress(c.system, address);
  try {
    removeStale(c, address.path, family, bytes);
    const fd = makeSocket(c, family, (made) => {
      must(c.bind(made, bytes));
      must(c.listen(made, BACKLOG));
    });
    return heldUnix(c, address, Array<number>(workers).fill(fd));
  } catch (error) {
    throw listenError(address, error);
  }
}

/** Goes on with a socket that another process bound, and with its file. */
export function adoptUnix(
  c: Libc,
  address: Address & { kind: "unix" },
  [fd = -1]: readonly number[],
  workers: number,
): ListeningSockets {
  return heldUnix(c, address, Array<number>(workers).fill(fd));
}

function heldUnix(c: Libc, address: Address & { kind: "unix" }, fds: readonly number[]): ListeningSockets {
  const ino = lstatSync(address.path, { throwIfNoEntry: false })?.ino;
  // Only our own file: another program may have replaced it meanwhile.
  const removeFile = (): void => {
    if (ino !== undefined && lstatSync(address.path, { throwIfNoEntry: false })?.ino === ino) unlinkSync(address.path);
  };
  const release = (): void => c.close(fds[0] ?? -1);
  const close = (): void => {
    release();
    removeFile();
  };
  return { address, fds, beside: [], close, release, removeFile, share() {}, withdraw() {}, restore() {} };
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
