// Sends requests at a rate whatever becomes of them, gives each up at its deadline, and prints a tally as one JSON line.
// Run by contest-run.ts as: bun paced-client.ts PORT RATE LEAD_MS MEASURED_MS DEADLINE_MS SEED
//
// Each request is sent when it is due, on an idle connection or a new one, so a slow proxy does not slow the load (open
// loop), and its latency and deadline count from then. A client that gives up closes its connection, as programs do.
// The load goes on until what became of all measured requests is known: those still in a queue get no easier end.
import type { Socket } from "bun";
import { seededRandom } from "../src/random.ts";
import { Alarms } from "./alarms.ts";
import { arrivals } from "./arrivals.ts";
import { percentile } from "./percentile.ts";
import { completeResponse } from "./response.ts";
import { Tally } from "./tally.ts";

const [port = 0, rate = 1, leadMs = 0, measuredMs = 1, deadlineMs = 1, seed = 1] = process.argv.slice(2).map(Number);
/** Different paths, for policies with a key. */
const paths = 10_000;

interface Exchange {
  readonly due: number;
  readonly request: string;
  socket: Socket<Connection> | null;
  settled: boolean;
}

interface Connection {
  exchange: Exchange | null;
  received: string;
}

const random = seededRandom(seed);
const alarms = new Alarms();
const untilMs = leadMs + measuredMs;
const tally = new Tally(leadMs, untilMs);
const idle: Socket<Connection>[] = [];
const lags: number[] = [];
/** Requests that count, or come before, and of which nothing is known yet; and one until all of those are sent. */
let open = 1;
const moments = arrivals(rate, random);
const startedAt = performance.now();

process.stdin.resume().on("end", () => process.exit(0));
sendNext();
alarms.at(startedAt + untilMs, () => settleOne(0));

function sinceStart(): number {
  return performance.now() - startedAt;
}

function sendNext(): void {
  const due = moments.next().value;
  alarms.at(startedAt + due, () => {
    lags.push(sinceStart() - due);
    const request = `GET /${random.below(paths)} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
    send({ due, request, socket: null, settled: false });
    sendNext();
  });
}

function send(exchange: Exchange): void {
  if (exchange.due < untilMs) open += 1;
  alarms.at(startedAt + exchange.due + deadlineMs, () => giveUp(exchange));
  const socket = idle.pop();
  if (socket !== undefined) {
    begin(socket, exchange);
    return;
  }
  void Bun.connect<Connection>({
    hostname: "127.0.0.1",
    port,
    data: { exchange, received: "" },
    socket: {
      open: (opened) => begin(opened, exchange),
      data: receive,
      close: lose,
      error: lose,
      connectError: () => settleBroken(exchange),
    },
  }).catch(() => settleBroken(exchange));
}

function begin(socket: Socket<Connection>, exchange: Exchange): void {
  if (exchange.settled) {
    socket.end();
    return;
  }
  exchange.socket = socket;
  socket.data.exchange = exchange;
  socket.write(exchange.request);
}

function receive(socket: Socket<Connection>, bytes: Buffer): void {
  const { data } = socket;
  if (data.exchange === null || data.exchange.settled) return;
  data.received += bytes.toString("latin1");
  const response = completeResponse(data.received);
  if (response === undefined) return;
  const { exchange } = data;
  exchange.settled = true;
  tally.answer(exchange.due, sinceStart(), response);
  data.exchange = null;
  data.received = "";
  if (response.last) socket.end();
  else idle.push(socket);
  settleOne(exchange.due);
}

function giveUp(exchange: Exchange): void {
  if (exchange.settled) return;
  exchange.settled = true;
  tally.late(exchange.due);
  exchange.socket?.end();
  settleOne(exchange.due);
}

function lose(socket: Socket<Connection>): void {
  const index = idle.lastIndexOf(socket);
  if (index >= 0) idle.splice(index, 1);
  if (socket.data.exchange !== null) settleBroken(socket.data.exchange);
}

function settleBroken(exchange: Exchange): void {
  if (exchange.settled) return;
  exchange.settled = true;
  tally.broken(exchange.due);
  settleOne(exchange.due);
}

function settleOne(due: number): void {
  if (due >= untilMs) return;
  open -= 1;
  if (open === 0) finish();
}

function finish(): never {
  const lag = percentile(
    lags.toSorted((a, b) => a - b),
    0.99,
  );
  console.log(JSON.stringify({ ...tally.result(), lag }));
  process.exit(0);
}
