import { METHODS, type Method, requestBody, responseBody } from "./bodies.ts";
import { type Answer, Connection } from "./connection.ts";
import { wrong } from "./response.ts";

/** What one client needs. */
export interface LaneOptions {
  readonly port: number;
  /** Its number: part of each request's id. */
  readonly lane: number;
  /** Whether each request gets a connection of its own. */
  readonly fresh: boolean;
  /** Called before a request; what it returns is called with why it failed, `null` when it did not, and how long it took. */
  readonly onRequest: (method: Method) => (failed: string | null, tookMs: number) => void;
  readonly signal: AbortSignal;
}

/** A client thinks so long between two requests, more or less. */
const THINK_MS = 20;

/** One client: asks, checks, thinks, until the signal. */
export async function runLane({ port, lane, fresh, onRequest, signal }: LaneOptions): Promise<void> {
  let connection: Connection | null = null;
  for (let sequence = 0; !signal.aborted; sequence++) {
    const method = METHODS[sequence % METHODS.length] ?? "GET";
    const id = `${lane}-${sequence}`;
    const body = requestBody(method, id, sequence);
    const done = onRequest(method);
    const began = performance.now();
    if (connection === null || connection.ended) connection = await Connection.open(port);
    const answer: Answer = (await connection?.ask(text(method, id, body, fresh))) ?? { failed: "connection refused" };
    const failed = "failed" in answer ? answer.failed : wrong(answer, responseBody(method, id, body));
    done(failed, performance.now() - began);
    if (fresh) connection?.close();
    await Bun.sleep(THINK_MS / 2 + ((sequence * 7 + lane * 13) % THINK_MS));
  }
  connection?.close();
}

function text(method: Method, id: string, body: string, close: boolean): string {
  const length = method === "GET" ? "" : `Content-Length: ${body.length}\r\n`;
  const last = close ? "Connection: close\r\n" : "";
  return `${method} /chaos HTTP/1.1\r\nHost: weir.example\r\nX-Id: ${id}\r\n${length}${last}\r\n${body}`;
}
