// Sends requests at a steady rate on connections that are kept, and prints how long each took as one JSON line when stdin ends.
// Run by scenarios/reload.ts as: bun steady-client.ts PORT RATE
//
// Each request is sent when it is due, whatever became of those before (open loop), and its latency counts from then.
import type { Socket } from "bun";
import { Alarms } from "./alarms.ts";
import { completeResponse } from "./response.ts";

const [port = 0, rate = 1] = process.argv.slice(2).map(Number);
const request = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;

interface Exchange {
  dueMs: number;
  received: string;
  open: boolean;
}

const idle: Socket<Exchange>[] = [];
const alarms = new Alarms();
/** Moments (milliseconds since 1970) and latencies (milliseconds) of what was answered, and moments of what was not. */
const sentAt: number[] = [];
const took: number[] = [];
const failedAt: number[] = [];
let next = performance.now();

process.stdin.resume().on("end", () => {
  console.log(JSON.stringify({ sentAt, took, failedAt }));
  process.exit(0);
});
sendNext();

function sendNext(): void {
  next += 1000 / rate;
  const dueMs = next;
  alarms.at(dueMs, () => {
    send(dueMs);
    sendNext();
  });
}

function send(dueMs: number): void {
  const socket = idle.pop();
  if (socket !== undefined) {
    socket.data = { dueMs, received: "", open: true };
    socket.write(request);
    return;
  }
  const data: Exchange = { dueMs, received: "", open: true };
  const failed = (): void => {
    if (data.open) fail(data);
  };
  Bun.connect<Exchange>({
    hostname: "127.0.0.1",
    port,
    socket: {
      open(opened) {
        opened.data = data;
        opened.write(request);
      },
      data: received,
      close: (closed) => {
        if (closed.data.open) fail(closed.data);
        const at = idle.lastIndexOf(closed);
        if (at >= 0) idle.splice(at, 1);
      },
      error: failed,
      connectError: failed,
    },
  }).catch(failed);
}

function received(socket: Socket<Exchange>, bytes: Buffer): void {
  const exchange = socket.data;
  exchange.received += bytes.toString("latin1");
  const response = completeResponse(exchange.received);
  if (response === undefined) return;
  exchange.open = false;
  if (response.status === 200) {
    sentAt.push(performance.timeOrigin + exchange.dueMs);
    took.push(performance.now() - exchange.dueMs);
  } else failedAt.push(performance.timeOrigin + exchange.dueMs);
  if (response.last) socket.end();
  else idle.push(socket);
}

function fail(exchange: Exchange): void {
  exchange.open = false;
  failedAt.push(performance.timeOrigin + exchange.dueMs);
}
