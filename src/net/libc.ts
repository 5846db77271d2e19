import { dlopen, ptr, read, type Pointer } from "bun:ffi";
import { getPriority } from "node:os";
import { getSystemErrorName } from "node:util";

/**
 * The system's C library, for the few calls on sockets, limits and accounts that Bun does not offer: the only use of FFI.
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
  readonly CLOCK_MONOTONIC: number;
  /** Number of the system call, which libraries do not wrap; `null` where there is none. */
  readonly sched_setattr: number | null;
  /** Or-ed to the type of a new socket: non-blocking, and not inherited but where asked for; 0 where there is none. */
  readonly socketFlags: number;
  /** Whether an address begins with a byte for its length (BSD), and the family has one byte after it. */
  readonly lengthByte: boolean;
  /** Whether the system spreads connections over several sockets that share a port by SO_REUSEPORT. */
  readonly spreads: boolean;
  /** Whether descriptors are passed in messages laid out as `CONTROL` says. */
  readonly passes: boolean;
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
  CLOCK_MONOTONIC: 1,
  sched_setattr: process.arch === "arm64" ? 274 : 314, // asm-generic/unistd.h, asm/unistd_64.h
  socketFlags: 0o2000000 | 0o4000, // SOCK_CLOEXEC | SOCK_NONBLOCK
  lengthByte: false,
  spreads: true,
  passes: true,
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
  CLOCK_MONOTONIC: 6,
  sched_setattr: null,
  socketFlags: 0,
  lengthByte: true,
  spreads: false,
  passes: false, // its structures are laid out otherwise; workers bind new listeners themselves
  errno: "__error",
  libraries: ["libSystem.B.dylib"],
};

/** Levels of options that are numbered alike everywhere, by their protocol (IANA protocol numbers). */
export const LEVEL = { tcp: 6, ipv6: 41 } as const;

// The same on every system that Weir runs on.
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SCM_RIGHTS = 1;
/** `struct msghdr` and `struct cmsghdr` of Linux with 64 bits (socket(7), cmsg(3)): sizes and offsets in bytes. */
const MESSAGE = { bytes: 56, parts: 16, partCount: 24, control: 32, controlBytes: 40 } as const;
const CONTROL = { bytes: 16, level: 8, type: 12 } as const;
/** Flags of sendmsg and recvmsg on Linux: no signal where nobody reads; not to wait; not for processes started later. */
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
/** `struct sched_attr` (linux/sched/types.h): its size in bytes, and where flags, nice value and time (in nanoseconds) are in it. */
const SCHED_ATTR = { bytes: 56, flags: 8, nice: 16, runtime: 24 } as const;
/** The policy of the thread stays what it is (linux/sched.h). The nice value would stay with another flag, but so would the time. */
const SCHED_FLAG_KEEP_POLICY = 0x08n;
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
  /** Two sockets that are connected with each other, for `sendDescriptors`. */
  socketPair(): Result & { readonly other?: number };
  /** Sends descriptors, at most 250, over a unix socket; they stay open here. Does not wait. */
  sendDescriptors(fd: number, descriptors: readonly number[]): Result;
  /** Takes what one `sendDescriptors` sent; empty where nothing is there. Does not wait. */
  receiveDescriptors(fd: number): readonly number[];
  /** Sends a datagram to a unix socket. Does not wait. */
  sendDatagram(address: Uint8Array, data: Uint8Array): Result;
  /** Microseconds of the clock that all processes of the system share and nobody sets (CLOCK_MONOTONIC); `null` where that is not to be had. */
  monotonicMicros(): bigint | null;
  /**
   * How many milliseconds a thread (0 for the calling one), and threads and processes that it starts from now on, run at a stretch where
   * others want the processor too (sched_setattr(2)); 0 for as long as is usual. Its policy and priority stay. Linux has it since 6.12; before,
   * it does nothing.
   */
  setTimeSlice(thread: number, ms: number): Result;
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
  socketpair: { args: ["i32", "i32", "i32", "buffer"], returns: "i32" },
  sendmsg: { args: ["i32", "buffer", "i32"], returns: "i64" },
  recvmsg: { args: ["i32", "buffer", "i32"], returns: "i64" },
  // Two numbers of 64 bits.
  clock_gettime: { args: ["i32", "buffer"], returns: "i32" },
  // Variadic, with numbers and pointers only: Linux passes those as to any other function.
  syscall: { args: ["i64", "i64", "buffer", "i64"], returns: "i64" },
  sendto: { args: ["i32", "buffer", "u64", "i32", "buffer", "u32"], returns: "i64" },
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
      const fcntl = (fd: number, command: number, value: number): number =>
        c.fcntl(fd, command, value, 0, 0, 0, 0, 0, value);
      return {
        system,
        socket(family) {
          const made = result(c.socket(family, SOCK_STREAM | system.socketFlags, 0));
          if (made.ok && system.socketFlags === 0) {
            fcntl(made.value, F_SETFD, FD_CLOEXEC);
            fcntl(made.value, F_SETFL, O_NONBLOCK_DARWIN);
          }
          return made;
        },
        setOption: (fd, level, option, value) => result(c.setsockopt(fd, level, option, new Int32Array([value]), 4)),
        bind: (fd, address) => result(c.bind(fd, address, address.length)),
        connect: (fd, address) => result(c.connect(fd, address, address.length)),
        listen: (fd, backlog) => result(c.listen(fd, backlog)),
        getsockname: (fd, address) => result(c.getsockname(fd, address, new Uint32Array([address.length]))),
        close: (fd) => void c.close(fd),
        duplicate: (fd) => result(fcntl(fd, system.F_DUPFD_CLOEXEC, 0)),
        socketPair() {
          const pair = new Int32Array(2);
          const made = result(c.socketpair(system.AF_UNIX, SOCK_STREAM | system.socketFlags, 0, pair));
          return made.ok ? { ok: true, value: pair[0]!, other: pair[1]! } : made;
        },
        sendDescriptors(fd, descriptors) {
          if (!system.passes) return { ok: false, error: "ENOSYS" };
          const { header, control } = messageFor(system, descriptors.length);
          new Int32Array(control.buffer, CONTROL.bytes, descriptors.length).set(descriptors);
          return result(Number(c.sendmsg(fd, header, MSG_NOSIGNAL | MSG_DONTWAIT)));
        },
        receiveDescriptors(fd) {
          if (!system.passes) return [];
          const { header, control } = messageFor(system, MOST_DESCRIPTORS);
          if (Number(c.recvmsg(fd, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)) <= 0) return [];
          const bytes = Number(new DataView(header.buffer).getBigUint64(MESSAGE.controlBytes, true));
          if (bytes < CONTROL.bytes) return [];
          const used = Number(new DataView(control.buffer).getBigUint64(0, true));
          return [...new Int32Array(control.buffer, CONTROL.bytes, (used - CONTROL.bytes) / 4)];
        },
        sendDatagram(address, data) {
          const made = result(c.socket(system.AF_UNIX, SOCK_DGRAM | system.socketFlags, 0));
          if (!made.ok) return made;
          const flags = system.passes ? MSG_NOSIGNAL | MSG_DONTWAIT : 0;
          const sent = result(Number(c.sendto(made.value, data, data.length, flags, address, address.length)));
          c.close(made.value);
          return sent;
        },
        monotonicMicros() {
          const time = new BigInt64Array(2);
          const [seconds, nanos] = c.clock_gettime(system.CLOCK_MONOTONIC, time) === 0 ? time : [];
          return seconds === undefined || nanos === undefined ? null : seconds * 1_000_000n + nanos / 1000n;
        },
        setTimeSlice(thread, ms) {
          if (system.sched_setattr === null) return { ok: false, error: "ENOSYS" };
          const attributes = new BigUint64Array(SCHED_ATTR.bytes / 8);
          attributes[0] = BigInt(SCHED_ATTR.bytes); // and the policy above it, which does not count
          attributes[SCHED_ATTR.flags / 8] = SCHED_FLAG_KEEP_POLICY;
          attributes[SCHED_ATTR.nice / 8] = BigInt.asUintN(32, BigInt(niceOf(thread)));
          attributes[SCHED_ATTR.runtime / 8] = BigInt(ms * 1e6);
          return result(Number(c.syscall(system.sched_setattr, thread, attributes, 0)));
        },
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

/** A little below what one message may carry on Linux (SCM_MAX_FD, 253). */
const MOST_DESCRIPTORS = 250;

interface Message {
  readonly header: Uint8Array<ArrayBuffer>;
  readonly control: Uint8Array<ArrayBuffer>;
}

/** What the pointers of the last message's head point at: it must not be collected while the system reads it. */
const held: { parts: readonly unknown[] } = { parts: [] };

/** From -20 to 19; 0 for a thread that is gone. @param thread 0 for the calling one */
function niceOf(thread: number): number {
  try {
    return getPriority(thread);
  } catch {
    return 0;
  }
}

/** A message of one byte with room for so many descriptors: a stream carries none without a byte. */
function messageFor(system: System, count: number): Message {
  const byte = new Uint8Array(1);
  const control = new Uint8Array(CONTROL.bytes + Math.ceil(count / 2) * 8);
  const head = new DataView(control.buffer);
  head.setBigUint64(0, BigInt(CONTROL.bytes + count * 4), true);
  head.setInt32(CONTROL.level, system.SOL_SOCKET, true);
  head.setInt32(CONTROL.type, SCM_RIGHTS, true);
  const part = new BigUint64Array([BigInt(ptr(byte)), 1n]); // struct iovec
  const header = new Uint8Array(MESSAGE.bytes);
  const view = new DataView(header.buffer);
  view.setBigUint64(MESSAGE.parts, BigInt(ptr(part)), true);
  view.setBigUint64(MESSAGE.partCount, 1n, true);
  view.setBigUint64(MESSAGE.control, BigInt(ptr(control)), true);
  view.setBigUint64(MESSAGE.controlBytes, BigInt(control.length), true);
  held.parts = [byte, part, header, control];
  return { header, control };
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
