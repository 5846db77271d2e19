/**
 * All kinds of clients as a program: `client.ts PORT`. The end of its stdin is the end of the load. Writes its tally as a line of JSON again and
 * again, at last when each request has been answered or has failed.
 */
import { requestBody, responseBody } from "../bodies.ts";
import { type Answer, Connection } from "../connection.ts";
import { wrong } from "../response.ts";
import { downloadPiece, type Kind, noTraffic, PIECES, PIECE_MS } from "./traffic.ts";

/** How many clients of each kind there are. */
const LANES: Readonly<Record<Kind, number>> = {
  "keep-alive": 8,
  "new connection": 4,
  download: 4,
  upload: 4,
  WebSocket: 16,
};
const THINK_MS = 15;
/** Between two messages of a WebSocket. */
const MESSAGE_MS = 100;
const TELL_MS = 50;
/** An echo takes no longer than this. */
const ECHO_MS = 20_000;

const [port = 0] = process.argv.slice(2).map(Number);
const tally = noTraffic();
const stop = new AbortController();
const { signal } = stop;

function count(kind: Kind): (failed: string | null) => void {
  const counts = tally.kinds[kind];
  counts.sent += 1;
  return (failed) => {
    if (failed === null) counts.right += 1;
    else counts.failed[failed] = (counts.failed[failed] ?? 0) + 1;
  };
}

function verdictOn(answer: Answer, expected: string): string | null {
  return "failed" in answer ? answer.failed : wrong(answer, expected);
}

/** One client of requests: asks, checks, thinks. */
async function ask(kind: Exclude<Kind, "WebSocket">, lane: number): Promise<void> {
  let connection: Connection | null = null;
  for (let sequence = 0; !signal.aborted; sequence++) {
    const id = `${kind.replace(" ", "-")}-${lane}-${sequence}`;
    const done = count(kind);
    if (connection === null || connection.ended) connection = await Connection.open(port);
    if (connection === null) done("connection refused");
    else done(await request(kind, connection, id));
    if (kind === "new connection") connection?.close();
    await Bun.sleep(THINK_MS / 2 + ((sequence * 7 + lane * 13) % THINK_MS));
  }
  connection?.close();
}

async function request(kind: Exclude<Kind, "WebSocket">, connection: Connection, id: string): Promise<string | null> {
  const fields = `Host: weir.example\r\nX-Id: ${id}\r\n`;
  switch (kind) {
    case "keep-alive":
      return verdictOn(await connection.ask(`GET /short HTTP/1.1\r\n${fields}\r\n`), responseBody("GET", id, ""));
    case "new connection":
      return verdictOn(
        await connection.ask(`GET /short HTTP/1.1\r\n${fields}Connection: close\r\n\r\n`),
        responseBody("GET", id, ""),
      );
    case "download":
      return verdictOn(
        await connection.ask(`GET /download HTTP/1.1\r\n${fields}\r\n`),
        downloadPiece(id).repeat(PIECES),
      );
    case "upload": {
      const body = requestBody("POST", id, 299).repeat(PIECES);
      const head = `POST /upload HTTP/1.1\r\n${fields}Content-Length: ${body.length}\r\n\r\n`;
      const piece = body.length / PIECES;
      const rest = Array.from({ length: PIECES }, (_, i) => body.slice(i * piece, (i + 1) * piece));
      return verdictOn(await connection.ask(head, { pieces: rest, everyMs: PIECE_MS }), responseBody("POST", id, body));
    }
  }
}

/** One WebSocket, which is to stay open to the end. */
async function talk(lane: number): Promise<void> {
  let echoed: ((text: string | null) => void) | null = null;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers: { "x-id": `ws-${lane}` } });
  const opened = Promise.withResolvers<void>();
  const over = new AbortController();
  socket.addEventListener("open", () => {
    tally.open += 1;
    opened.resolve();
  });
  socket.addEventListener("message", ({ data }) => echoed?.(String(data)));
  socket.addEventListener("close", () => {
    if (!signal.aborted) tally.closed += 1;
    over.abort();
    opened.resolve();
    echoed?.(null);
  });
  await opened.promise;
  for (let sequence = 0; !signal.aborted && !over.signal.aborted; sequence++) {
    const text = `${lane} ${sequence} `.repeat(20);
    const done = count("WebSocket");
    const { promise, resolve } = Promise.withResolvers<string | null>();
    echoed = resolve;
    const late = setTimeout(() => resolve(""), ECHO_MS);
    socket.send(text);
    const answer = await promise;
    clearTimeout(late);
    done(answer === text ? null : answer === null ? "closed" : "wrong echo");
    await Bun.sleep(MESSAGE_MS);
  }
  socket.close();
}

const running = Object.entries(LANES).flatMap(([kind, lanes]) =>
  Array.from({ length: lanes }, (_, lane) =>
    kind === "WebSocket" ? talk(lane) : ask(kind as Exclude<Kind, "WebSocket">, lane),
  ),
);
const tell = (): void => console.log(JSON.stringify(tally));
const telling = setInterval(tell, TELL_MS);
for await (const _ of console);
stop.abort();
await Promise.all(running);
clearInterval(telling);
// Closed WebSockets may linger; the last tally is to be written whole before that is cut short.
process.stdout.write(`${JSON.stringify(tally)}\n`, () => process.exit(0));
