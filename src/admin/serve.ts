import { lstatSync, unlinkSync } from "node:fs";
import type { Address } from "../address.ts";
import { formatAddress } from "../address.ts";
import { WeirError } from "../errors.ts";

/** A server of the admin API. To end it fails where its file cannot be removed; it has ended all the same. */
export interface Served {
  /** With the port that was bound. */
  readonly address: Address;
  /** Listens no more; what is being answered is, and streams end soon after. */
  leave(): Promise<void>;
  /** Ends at once. */
  close(): Promise<void>;
}

/** An answer takes less. */
const IDLE_SECONDS = 60;
/** Until what is left of a server that listens no more is ended: an answer takes less, and a stream has no end. */
const LEAVE_MS = 1000;
/** What is larger is refused before it is read; `body.ts` refuses with an answer what is larger than 1 MiB. */
const MOST_BODY_BYTES = 64 * 2 ** 20;

/**
 * Serves HTTP on an address.
 * @param answer gets whoever asks: an IP address, or `unix`
 * @param idleSeconds after which a connection is closed on which nothing happens; streams are not, they say so themselves
 * @throws ADMIN_ADDRESS_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED
 */
export async function serveHttp(
  address: Address,
  answer: (request: Request, who: string) => Promise<Response>,
  idleSeconds: number = IDLE_SECONDS,
): Promise<Served> {
  // Of a path the declarations do not have it, and the runtime does: without, it cuts off what takes longer than 10 s.
  const idle: object = { idleTimeout: idleSeconds };
  const shared = {
    ...idle,
    maxRequestBodySize: MOST_BODY_BYTES,
    development: false,
    error: (): Response => new Response(null, { status: 500 }),
  };
  const respond = async (request: Request, server: Bun.Server<undefined>): Promise<Response> => {
    const response = await answer(request, server.requestIP(request)?.address ?? "unix");
    // It may be silent for longer. On a path that does nothing (oven-sh/bun#43816): there it lives by saying so in time.
    if (response.headers.get("content-type") === "text/event-stream") server.timeout(request, 0);
    return response;
  };
  if (address.kind === "unix") {
    await removeStale(address.path).catch((error: unknown) => {
      throw error instanceof WeirError ? error : notListening(address, error);
    });
    // Its owner's alone from the first moment.
    const before = process.umask(0o177);
    let server: Bun.Server<undefined>;
    try {
      server = listening(address, () => Bun.serve({ ...shared, unix: address.path, fetch: respond }));
    } finally {
      process.umask(before);
    }
    const { ino } = lstatSync(address.path);
    let isThere = true;
    // Only our own file: another program may have replaced it meanwhile; and once only, since its number may be that of the next one's file then.
    const removeFile = (): void => {
      if (!isThere) return;
      isThere = false;
      if (lstatSync(address.path, { throwIfNoEntry: false })?.ino === ino) unlinkSync(address.path);
    };
    return ending(address, server, removeFile);
  }
  const { host, port } = address;
  // Outside development `reusePort` is true unless told otherwise: another Weir would silently share the port.
  const options = { ...shared, hostname: host ?? "::", port, reusePort: false };
  const server = listening(address, () => Bun.serve({ ...options, fetch: respond }));
  return ending({ ...address, port: server.port ?? port }, server, () => {});
}

function ending(address: Address, server: Bun.Server<undefined>, removeFile: () => void): Served {
  return {
    address,
    async leave() {
      try {
        removeFile();
      } finally {
        // Without waiting: that would be for as long as there is a stream.
        void server.stop(false);
        await Bun.sleep(LEAVE_MS);
        await server.stop(true);
      }
    },
    async close() {
      try {
        removeFile();
      } finally {
        await server.stop(true);
      }
    },
  };
}

function listening<T>(address: Address, listen: () => T): T {
  try {
    return listen();
  } catch (error) {
    throw notListening(address, error);
  }
}

function notListening(address: Address, error: unknown): WeirError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const where = `${formatAddress(address)}, the address of the admin API`;
  if (code === "EADDRINUSE")
    return new WeirError("ADMIN_ADDRESS_IN_USE", `another program listens on ${formatAddress(address)}`, error);
  if (code === "EACCES" || code === "EPERM")
    return new WeirError("LISTEN_NOT_PERMITTED", `this user may not listen on ${where}`, error);
  const reason = error instanceof Error ? error.message : String(error);
  return new WeirError("LISTEN_FAILED", `cannot listen on ${where}: ${reason}`, error);
}

/** Removes a socket's file that nobody listens on any more, as a killed process leaves it. */
async function removeStale(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket()) throw new WeirError("LISTEN_FAILED", `${path} exists and is no socket; it is left alone`);
  const listens = await fetch("http://localhost/healthz", { unix: path, signal: AbortSignal.timeout(1000) }).then(
    () => true,
    // A connection that is refused, and nothing else, is one that nobody listens to.
    (error: unknown) => !(error instanceof Error && "code" in error && String(error.code) === "ECONNREFUSED"),
  );
  if (listens) throw new WeirError("ADMIN_ADDRESS_IN_USE", `another program listens on unix:${path}`);
  unlinkSync(path);
}
