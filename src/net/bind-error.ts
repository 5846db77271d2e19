import { WeirError } from "../errors.ts";
import { type Address, formatAddress } from "../address.ts";
import type { Libc, Result } from "./libc.ts";

/** A failed call; `error` is its name, such as `EADDRINUSE`. */
export class CallError extends Error {
  readonly error: string;

  constructor(error: string) {
    super(error);
    this.error = error;
  }
}

/** What a call returned. @throws CallError */
export function must(result: Result): number {
  if (!result.ok) throw new CallError(result.error);
  return result.value;
}

/** A new socket that `prepare` has bound; closed again when that fails. */
export function makeSocket(c: Libc, family: number, prepare: (fd: number) => void): number {
  const fd = must(c.socket(family));
  try {
    prepare(fd);
    return fd;
  } catch (error) {
    c.close(fd);
    throw error;
  }
}

/** What a user is told of a failure to listen on an address. */
export function listenError(address: Address, error: unknown): WeirError {
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
