// Sends requests at a fixed rate, whatever the responses do, and prints their latencies as one JSON line.
// Run by open-loop.ts as: bun open-loop-client.ts PORT RATE SECONDS CONNECTIONS
//
// A request's latency counts from the moment it was due, not from when it could be sent. When all connections
// are busy it waits in line and the wait counts, so a stall is charged to every request that it delayed
// (no "coordinated omission").
import type { Socket } from "bun";
import { percentile } from "./percentile.ts";
import { completeResponse } from "./response.ts";

const [port = 0, rate = 1, seconds = 1, connections = 1] = process.argv.slice(2).map(Number);
const warmUpMs = 500;
const graceMs = 2000;
/** How long the client sleeps between looks at the clock and the sockets; with the kernel's slack 0.15 ms, its own error. */
const napMs = 0.05;
const request = Buffer.from(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);

interface Connection {
  /** When its request was due; negative when it has none. */
  due: number;
  received: string;
}

const idle: Socket<Connection>[] = [];
const gapMs = 1000 / rate;
const total = Math.floor((warmUpMs + seconds * 1000) / gapMs);
const latencies: number[] = [];
let sent = 0;
let answered = 0;
let errors = 0;
let startedAt = 0;
const nap = new Int32Array(new SharedArrayBuffer(4));

process.stdin.resume().on("end", () => process.exit(0));
for (let index = 0; index < connections; index++) idle.push(await open());
const connected = new Set(idle);
startedAt = performance.now();
turn();

function open(): Promise<Socket<Connection>> {
  return Bun.connect<Connection>({
    hostname: "127.0.0.1",
    port,
    data: { due: -1, received: "" },
    socket: { data: receive, close: lose, error: lose },
  });
}

function turn(): void {
  const now = performance.now() - startedAt;
  while (sent < total && sent * gapMs <= now) {
    const socket = idle.pop();
    if (socket === undefined) break;
    socket.data.due = sent * gapMs;
    sent += 1;
    socket.write(request);
  }
  const late = now > total * gapMs + graceMs;
  if (answered + errors >= total || late || connected.size === 0) return finish(now);
  if (sent * gapMs > now) Atomics.wait(nap, 0, 0, napMs);
  setImmediate(turn);
}

function receive(socket: Socket<Connection>, bytes: Buffer): void {
  const connection = socket.data;
  connection.received += bytes.toString("latin1");
  const response = completeResponse(connection.received);
  if (response === undefined) return;
  if (response.status !== 200) errors += 1;
  else record(connection.due, performance.now() - startedAt);
  connection.due = -1;
  connection.received = "";
  idle.push(socket);
}

function record(due: number, now: number): void {
  answered += 1;
  if (due >= warmUpMs) latencies.push(now - due);
}

function lose(socket: Socket<Connection>): void {
  if (!connected.delete(socket)) return;
  errors += 1;
  const index = idle.indexOf(socket);
  if (index >= 0) idle.splice(index, 1);
}

function finish(now: number): never {
  const reached = latencies.length / seconds;
  // What was never answered has waited at least until now: it belongs to the tail.
  for (const socket of connected) if (socket.data.due >= warmUpMs) latencies.push(now - socket.data.due);
  for (let index = sent; index < total; index++) latencies.push(now - index * gapMs);
  latencies.sort((a, b) => a - b);
  const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
  console.log(JSON.stringify({ p50, p99, reached, errors }));
  process.exit(0);
}
