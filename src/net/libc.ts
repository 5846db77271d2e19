import { dlopen, read, type Pointer } from "bun:ffi";
import { getSystemErrorName } from "node:util";

/**
 * The system's C library, for the few calls on listening sockets, limits and accounts that Bun does not offer: the only use of FFI.
 * Everything here that differs between systems is in `LINUX` and `DARWIN`.
 */

/** Numbers that system headers define, and how a socket address is laid out. */
export interface System {
  readonly AF_INET: number;
  readonly AF_INET6: number;
  readonly AF_UNIX: number;
  readonly SOL_SOCKET: number;
  readonly SO_REUSEADDR: number;
  readonly SO_REUSEPORT: number;
  readonly SO_KEEPALIVE: number;
  readonly IPV6_V6ONLY: number;
  /** Seconds of silence before the first keep-alive probe. */
  readonly TCP_KEEPIDLE: number;
  /** Command of `fcntl`: a second descriptor of the same thing, which no process that is started inherits. */
  readonly F_DUPFD_CLOEXEC: number;
  /** How many files a process may have open, for `getrlimit`. */
  readonly RLIMIT_NOFILE: number;
  /** Or-ed to the type of a new socket: non-blocking, and not inherited but where asked for; 0 where there is none. */
  readonly socketFlags: number;
  /** Whether an address begins with a byte for its length (BSD), and the family has one byte after it. */
  readonly lengthByte: boolean;
  /** Whether the system spreads connections over several sockets that share a port by SO_REUSEPORT. */
  readonly spreads: boolean;
  /** The function that tells where errno is. */
  readonly errno: string;
  readonly libraries: readonly string[];
}

/** Linux on x64 and arm64 (asm-generic/socket.h, linux/in6.h, linux/tcp.h, linux/fcntl.h, asm-generic/resource.h), with glibc or musl. */
export const LINUX: System = {
  AF_INET: 2,
  AF_INET6: 10,
  AF_UNIX: 1,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_REUSEPORT: 15,
  SO_KEEPALIVE: 9,
  IPV6_V6ONLY: 26,
  TCP_KEEPIDLE: 4,
  F_DUPFD_CLOEXEC: 1030,
  RLIMIT_NOFILE: 7,
  socketFlags: 0o2000000 | 0o4000, // SOCK_CLOEXEC | SOCK_NONBLOCK
  lengthByte: false,
  spreads: true,
  errno: "__errno_location",
  libraries: ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"],
};

/** macOS (sys/socket.h, netinet6/in6.h, netinet/tcp.h, sys/fcntl.h, sys/resource.h). Its SO_REUSEPORT gives every connection to one of the sockets. */
export const DARWIN: System = {
  AF_INET: 2,
  AF_INET6: 30,
  AF_UNIX: 1,
  SOL_SOCKET: 0xffff,
  SO_REUSEADDR: 0x4,
  SO_REUSEPORT: 0x200,
  SO_KEEPALIVE: 0x8,
  IPV6_V6ONLY: 27,
  TCP_KEEPIDLE: 0x10, // called TCP_KEEPALIVE there
  F_DUPFD_CLOEXEC: 67,
  RLIMIT_NOFILE: 8,
  socketFlags: 0,
  lengthByte: true,
  spreads: false,
  errno: "__error",
  libraries: ["libSystem.B.dylib"],
};

/** Levels of options that are numbered alike everywhere, by their protocol (IANA protocol numbers). */
export const LEVEL = { tcp: 6, ipv6: 41 } as const;

// The same on every system that Weir runs on.
const SOCK_STREAM = 1;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const F_SETFL = 4;
const O_NONBLOCK_DARWIN = 4;
/** Where ids stand in `struct passwd` and `struct group`, behind the pointers to name and password. */
const IDS = 16;

/** A call's result: what it returned, or the name of its error such as `EADDRINUSE`. */
export type Result = { readonly ok: true; readonly value: number } | { readonly ok: false; readonly error: string };

/** Calls of the library. A file descriptor is a number that the caller closes. */
export interface Libc {
  readonly system: System;
  /** A stream socket, non-blocking. */
  socket(family: number): Result;
  setOption(fd: number, level: number, option: number, value: number): Result;
  bind(fd: number, address: Uint8Array): Result;
  connect(fd: number, address: Uint8Array): Result;
  listen(fd: number, backlog: number): Result;
  /** Writes the socket's own address into the buffer. */
  getsockname(fd: number, address: Uint8Array): Result;
  close(fd: number): void;
  /** Another descriptor of the same socket: it stays open when the first one is closed. */
  duplicate(fd: number): Result;
  /** How many files this process may have open, and up to where it may raise that itself; `null` where it is not to be had. */
  openFiles(): OpenFiles | null;
  /** Sets both. */
  setOpenFiles(limit: OpenFiles): Result;
  /** A user's id and that of its own group; `null` where there is none of this name. May ask a directory service, and wait for it. */
  user(name: string): { readonly uid: number; readonly gid: number } | null;
  group(name: string): number | null;
}

/** A limit of the system (`getrlimit(2)`): what holds, and up to where a process may raise it. */
export interface OpenFiles {
  readonly soft: bigint;
  readonly hard: bigint;
}

const SYMBOLS = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "buffer", "u32"], returns: "i32" },
  bind: { args: ["i32", "buffer", "u32"], returns: "i32" },
  connect: { args: ["i32", "buffer", "u32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
  getsockname: { args: ["i32", "buffer", "buffer"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  // Two numbers of 64 bits on every system that Weir runs on.
  getrlimit: { args: ["i32", "buffer"], returns: "i32" },
  setrlimit: { args: ["i32", "buffer"], returns: "i32" },
  getpwnam: { args: ["buffer"], returns: "ptr" },
  getgrnam: { args: ["buffer"], returns: "ptr" },
  // `fcntl` is variadic. On arm64 macOS a variadic argument goes on the stack, on x64 into the third register:
  // passing it third and ninth puts it in both places.
  fcntl: { args: ["i32", "i32", "i64", "i64", "i64", "i64", "i64", "i64", "i64"], returns: "i32" },
} as const;

function open(system: System): Libc | null {
  for (const library of system.libraries) {
    try {
      const { symbols: c } = dlopen(library, SYMBOLS);
      const { [system.errno]: where } = dlopen(library, { [system.errno]: { args: [], returns: "ptr" } }).symbols;
      if (where === undefined) continue;
      const result = (value: number): Result => {
        if (value >= 0) return { ok: true, value };
        return { ok: false, error: getSystemErrorName(-read.i32(where() as Pointer, 0)) };
      };
      const control = (fd: number, command: number, value: number): number =>
        c.fcntl(fd, command, value, 0, 0, 0, 0, 0, value);
      return {
        system,
        socket(family) {
          const made = result(c.socket(family, SOCK_STREAM | system.socketFlags, 0));
          if (made.ok && system.socketFlags === 0) {
            control(made.value, F_SETFD, FD_CLOEXEC);
            control(made.value, F_SETFL, O_NONBLOCK_DARWIN);
          }
          return made;
        },
        setOption: (fd, level, option, value) => result(c.setsockopt(fd, level, option, new Int32Array([value]), 4)),
        bind: (fd, address) => result(c.bind(fd, address, address.length)),
        connect: (fd, address) => result(c.connect(fd, address, address.length)),
        listen: (fd, backlog) => result(c.listen(fd, backlog)),
        getsockname: (fd, address) => result(c.getsockname(fd, address, new Uint32Array([address.length]))),
        close: (fd) => void c.close(fd),
        duplicate: (fd) => result(control(fd, system.F_DUPFD_CLOEXEC, 0)),
        openFiles() {
          const both = new BigUint64Array(2);
          const [soft, hard] = c.getrlimit(system.RLIMIT_NOFILE, both) === 0 ? both : [];
          return soft === undefined || hard === undefined ? null : { soft, hard };
        },
        setOpenFiles: ({ soft, hard }) => result(c.setrlimit(system.RLIMIT_NOFILE, new BigUint64Array([soft, hard]))),
        user(name) {
          const found = c.getpwnam(Buffer.from(`${name}\0`));
          return found === null ? null : { uid: read.u32(found, IDS), gid: read.u32(found, IDS + 4) };
        },
        group(name) {
          const found = c.getgrnam(Buffer.from(`${name}\0`));
          return found === null ? null : read.u32(found, IDS);
        },
      };
    } catch {
      // The next name; where none can be opened, workers bind for themselves.
    }
  }
  return null;
}

let opened: Libc | null | undefined;

/** The C library, or `null` where it cannot be called (no FFI, an unknown system, or `WEIR_FFI=off`). About 0.1 ms once. */
export function libc(): Libc | null {
  if (process.env["WEIR_FFI"] === "off") return null;
  if (opened === undefined) {
    opened = process.platform === "linux" ? open(LINUX) : process.platform === "darwin" ? open(DARWIN) : null;
  }
  return opened;
}
