// Sends requests at a steady rate on connections that are kept, and prints how long each took as one JSON line when stdin ends.
// Run by scenarios/reload.ts as: bun steady-client.ts PORT RATE
//
// Requests are sent when they are due, whatever became of those before (open loop): every millisecond what is due by then, without a busy
// wait for the exact moment, which would take from the proxy what processors there are.
import type { Socket } from "bun";
import { completeResponse } from "./response.ts";

/** Bun's timers count whole milliseconds: they end up to one too early or too late. Where it is later, the time counts from when a request was due. */
const timerErrorMs = 2;

const [port = 0, rate = 1] = process.argv.slice(2).map(Number);
const request = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;

interface Exchange {
  readonly fromMs: number;
  received: string;
  open: boolean;
}

const idle: Socket<Exchange>[] = [];
/** Moments (milliseconds since 1970) and latencies (milliseconds) of what was answered, and moments of what was not. */
const sentAt: number[] = [];
const took: number[] = [];
const failedAt: number[] = [];
let next = performance.now();

process.stdin.resume().on("end", () => {
  console.log(JSON.stringify({ sentAt, took, failedAt }));
  process.exit(0);
});
sendDue();

function sendDue(): void {
  for (const nowMs = performance.now(); next <= nowMs; next += 1000 / rate)
    send(nowMs - next > timerErrorMs ? next : nowMs);
  setTimeout(sendDue, 1);
}

function send(fromMs: number): void {
  const socket = idle.pop();
  if (socket !== undefined) {
    socket.data = { fromMs, received: "", open: true };
    socket.write(request);
    return;
  }
  const data: Exchange = { fromMs, received: "", open: true };
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
    sentAt.push(performance.timeOrigin + exchange.fromMs);
    took.push(performance.now() - exchange.fromMs);
  } else failedAt.push(performance.timeOrigin + exchange.fromMs);
  if (response.last) socket.end();
  else idle.push(socket);
}

function fail(exchange: Exchange): void {
  exchange.open = false;
  failedAt.push(performance.timeOrigin + exchange.fromMs);
}
