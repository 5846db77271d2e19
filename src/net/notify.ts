import { parseAddress } from "../address.ts";
import { libc } from "./libc.ts";
import { socketAddress } from "./sockaddr.ts";

/**
 * Sends a datagram to a unix socket: of the file system, or an abstract one, written `@name` (unix(7)).
 * @returns whether somebody takes it
 */
export function sendToUnixSocket(path: string, text: string): boolean {
  const c = libc();
  if (c === null) return false;
  let bytes: Uint8Array;
  if (path.startsWith("@")) {
    bytes = Buffer.concat([new Uint8Array(2), Buffer.from(`\0${path.slice(1)}`)]);
    new DataView(bytes.buffer, bytes.byteOffset).setUint16(0, c.system.AF_UNIX, true);
  } else if (path.startsWith("/")) {
    ({ bytes } = socketAddress(c.system, parseAddress(`unix:${path}`)));
  } else return false;
  return c.sendDatagram(bytes, Buffer.from(text)).ok;
}

/** Microseconds of CLOCK_MONOTONIC, as a service manager asks for them; the runtime's own clocks begin with the process. */
export function monotonicMicros(): bigint | null {
  return libc()?.monotonicMicros() ?? null;
}
