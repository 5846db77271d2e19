import { dlopen } from "bun:ffi";
import { describe, expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { LEVEL, LINUX } from "../../src/net/libc.ts";
import { portOf } from "../../src/net/sockaddr.ts";
import { cluster } from "../fixtures/cluster.ts";
import { connectRaw, rawServer } from "../fixtures/raw.ts";

const SYMBOLS = {
  getsockopt: { args: ["i32", "i32", "i32", "buffer", "buffer"], returns: "i32" },
  getsockname: { args: ["i32", "buffer", "buffer"], returns: "i32" },
  getpeername: { args: ["i32", "buffer", "buffer"], returns: "i32" },
} as const;
const TCP_NODELAY = 1; // linux/tcp.h

/** What the kernel says of the sockets of this process; `null` where it cannot be asked. */
const kernel = process.platform === "linux" ? openLibc() : null;

function openLibc(): ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"] | null {
  for (const name of LINUX.libraries) {
    try {
      return dlopen(name, SYMBOLS).symbols;
    } catch {
      // The next name.
    }
  }
  return null;
}

type Name = "getsockname" | "getpeername";

function port(of: Name, fd: number): number {
  const bytes = new Uint8Array(28);
  return kernel?.[of](fd, bytes, new Uint32Array([bytes.length])) === 0 ? portOf(bytes) : -1;
}

function option(fd: number, level: number, name: number): number {
  const value = new Int32Array(1);
  if (kernel?.getsockopt(fd, level, name, value, new Uint32Array([4])) !== 0) throw new Error("getsockopt failed");
  return value[0] ?? -1;
}

/** File descriptors of connections of this process between two ports; sockets that listen have no peer. */
function connections(local: number | null, peer: number | null): number[] {
  return readdirSync("/proc/self/fd")
    .filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
      } catch {
        return false; // the folder itself
      }
    })
    .map(Number)
    .filter((fd) => port("getpeername", fd) > 0)
    .filter((fd) => local === null || port("getsockname", fd) === local)
    .filter((fd) => peer === null || port("getpeername", fd) === peer);
}

describe.skipIf(kernel === null)("as the kernel sees it", () => {
  for (const mode of ["tcp", "http"] as const)
    test(`TCP_NODELAY and keep-alive are on for both sides in mode ${mode}`, async () => {
      await using server = rawServer();
      await using lb = cluster({ mode, backends: [server.port] });
      await using client = await connectRaw(lb.port);
      client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      const backend = await server.connection(0);
      await backend.until(({ bytes }) => bytes > 0);
      const accepted = connections(lb.port, null);
      const dialled = connections(null, server.port);
      expect([accepted.length, dialled.length]).toEqual([1, 1]);
      for (const fd of [...accepted, ...dialled]) {
        expect(option(fd, LEVEL.tcp, TCP_NODELAY)).toBe(1);
        expect(option(fd, LINUX.SOL_SOCKET, LINUX.SO_KEEPALIVE)).toBe(1);
        // Seconds of silence before the first probe: below the 5 minutes after which NATs forget (RFC 5382 §5).
        expect(option(fd, LEVEL.tcp, LINUX.TCP_KEEPIDLE)).toBe(60);
      }
    });
});
