// Opens connections, asks for a large response on each, and reads next to nothing of it; run by scenarios/readers.ts as:
// bun reader-client.ts PORT COUNT
// Prints "open" once all have sent their request; when standard input ends it prints how many are still open and ends.
//
// By system calls, since two things must be set before connecting: segments as small as those of clients far away (on the loopback
// they are 64 KiB, and the buffers of the system grow with them to megabytes for each connection), and a small receive buffer.
import { dlopen, FFIType, ptr, read } from "bun:ffi";

const [port = 0, count = 1] = process.argv.slice(2).map(Number);
/** What a connection over Ethernet has (RFC 9293 §3.7.1: 1500 bytes less the headers). */
const segmentBytes = 1460;
const receiveBytes = 16 * 1024;
/** A sip of each, every so often: 4 KiB a second. */
const sipBytes = 4096;
const everyMs = 1000;
const steps = 20;

const [AF_INET, SOCK_STREAM, SOL_SOCKET, SO_RCVBUF, IPPROTO_TCP, TCP_MAXSEG, MSG_DONTWAIT, EAGAIN] = [
  2, 1, 1, 8, 6, 2, 0x40, 11,
];

const { i32, pointer, u64, i64 } = FFIType;
const { symbols: libc } = dlopen("libc.so.6", {
  socket: { args: [i32, i32, i32], returns: i32 },
  setsockopt: { args: [i32, i32, i32, pointer, i32], returns: i32 },
  connect: { args: [i32, pointer, i32], returns: i32 },
  send: { args: [i32, pointer, u64, i32], returns: i64 },
  recv: { args: [i32, pointer, u64, i32], returns: i64 },
  __errno_location: { args: [], returns: pointer },
});

const request = Buffer.from(`GET /large HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
const sip = Buffer.alloc(sipBytes);
/** `struct sockaddr_in` of the loopback (ip(7)). */
const address = new Uint8Array([AF_INET, 0, port >> 8, port & 0xff, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
const open = new Set<number>();

process.stdin.resume().on("end", () => {
  console.log(String(open.size));
  process.exit(0);
});
const all = Array.from({ length: count }, openOne);
console.log("open");
let step = 0;
setInterval(() => {
  for (let index = step; index < all.length; index += steps) take(all[index]!);
  step = (step + 1) % steps;
}, everyMs / steps);

function openOne(): number {
  const fd = must("socket", libc.socket(AF_INET, SOCK_STREAM, 0));
  setOption(fd, IPPROTO_TCP, TCP_MAXSEG, segmentBytes);
  setOption(fd, SOL_SOCKET, SO_RCVBUF, receiveBytes);
  must("connect", libc.connect(fd, ptr(address), address.length));
  must("send", Number(libc.send(fd, ptr(request), BigInt(request.length), 0)));
  open.add(fd);
  return fd;
}

function setOption(fd: number, level: number, name: number, value: number): void {
  const bytes = new Int32Array([value]);
  must("setsockopt", libc.setsockopt(fd, level, name, ptr(bytes), 4));
}

function take(fd: number): void {
  if (!open.has(fd)) return;
  const taken = Number(libc.recv(fd, ptr(sip), BigInt(sip.length), MSG_DONTWAIT));
  if (taken > 0 || (taken < 0 && errno() === EAGAIN)) return;
  open.delete(fd);
}

function errno(): number {
  const at = libc.__errno_location();
  return at === null ? 0 : read.i32(at, 0);
}

function must(what: string, result: number): number {
  if (result < 0) throw new Error(`${what} failed: errno ${errno()}`);
  return result;
}
