import { hostname } from "node:os";
import { type Address, formatAddress, isIPv6 } from "../address.ts";
import { WeirError } from "../errors.ts";
import { type LineTarget, linesIn, type Loss } from "../observe/line-sink.ts";
import { type Libc, libc } from "./libc.ts";
import { resolveAddress } from "./resolve.ts";
import { socketAddress } from "./sockaddr.ts";

/** Facility local0, severity informational (RFC 5424 §6.2.1), as nginx has it in reach of its settings. */
const PRIORITY = 16 * 8 + 6;

/** A way for datagrams. */
interface Way {
  /** Sends one. @returns why it did not leave, `null` where it did */
  send(datagram: Buffer): string | null;
  close(): void;
}

/**
 * Lines as messages of syslog (RFC 5424), one a datagram: to a unix socket, or by UDP (RFC 5426). Sending does not wait; what the
 * system has no room for is lost, and counted. The time in the header is that of sending, the line's own is in the line.
 */
export class SyslogTarget implements LineTarget {
  readonly name: string;
  readonly #address: Address;
  #way: Way | null = null;

  /** @throws ACCESS_LOG_UNUSABLE */
  constructor(address: Address) {
    this.name = `syslog:${formatAddress(address)}`;
    this.#address = address;
    if (address.kind === "unix" && libc() === null)
      throw new WeirError("ACCESS_LOG_UNUSABLE", `${this.name}: this system has no way to a unix socket of datagrams`);
  }

  async write(bytes: Buffer, end: number): Promise<Loss | null> {
    const lines = linesIn(bytes, 0, end);
    try {
      const way = (this.#way ??= await opened(this.#address));
      return sendLines(way, bytes, end);
    } catch (error) {
      return { lines, why: error instanceof Error ? error.message : String(error) };
    }
  }

  reopen(): void {
    this.release();
  }

  release(): void {
    this.#way?.close();
    this.#way = null;
  }
}

function sendLines(way: Way, bytes: Buffer, end: number): Loss | null {
  const header = Buffer.from(
    `<${PRIORITY}>1 ${new Date().toISOString()} ${hostname() || "-"} weir ${process.pid} access - `,
    "latin1",
  );
  let lost = 0;
  let why = "";
  for (let at = 0; at < end;) {
    const stop = bytes.indexOf(LF, at);
    const problem = way.send(Buffer.concat([header, bytes.subarray(at, stop)]));
    if (problem !== null) {
      lost += 1;
      why = problem;
    }
    at = stop + 1;
  }
  return lost === 0 ? null : { lines: lost, why };
}

async function opened(address: Address): Promise<Way> {
  if (address.kind === "unix") {
    const c = libc();
    if (c === null) throw new Error("no way to a unix socket of datagrams");
    return wayToUnix(c, address);
  }
  const found = await resolveAddress(address);
  const host = (found.kind === "tcp" ? found.host : null) ?? "127.0.0.1";
  const socket = await Bun.udpSocket({
    // Without it, it is bound to an address of IPv4, and the other family is out of reach.
    hostname: isIPv6(host) ? "::" : "0.0.0.0",
    connect: { hostname: host, port: address.port },
    // A refusal comes back as an error of a later datagram (udp(7)): syslog promises nothing either way.
    socket: { error() {} },
  });
  socket.unref();
  return {
    send(datagram) {
      try {
        return socket.send(datagram) ? null : "no room to send";
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
    close: () => socket.close(),
  };
}

function wayToUnix(c: Libc, address: Address & { kind: "unix" }): Way {
  const { bytes } = socketAddress(c.system, address);
  return {
    send(datagram) {
      const sent = c.sendDatagram(bytes, datagram);
      return sent.ok ? null : sent.error;
    },
    close() {},
  };
}

const LF = 0x0a;
