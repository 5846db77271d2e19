import type { ErrorCode } from "../errors.ts";
import type { Trace } from "./trace-context.ts";

/** Who is told of a record when all of it is known. */
export interface Recorder {
  finished(record: ExchangeRecord): void;
}

/** One try on a backend, as access log and traces tell of it. Times in milliseconds of the clock; -1 for what has not come. */
export class AttemptRecord {
  /** The backend's address in canonical text. */
  readonly backend: string;
  readonly begunMs: number;
  /** Whether it was made beside one that took long. */
  hedge = false;
  /** Whether its connection had served another request before. */
  reused = false;
  /** When its stream was ready for the request. */
  connectedMs = -1;
  /** When its response's final head came. */
  answeredMs = -1;
  /** When it failed. */
  failedMs = -1;
  /** The final status; 0 where none came. */
  status = 0;
  code: ErrorCode | null = null;
  /** Of its span; empty where nobody has asked for it: see `Trace.spanOf`. */
  spanId = "";

  constructor(backend: string, begunMs: number) {
    this.backend = backend;
    this.begunMs = begunMs;
  }

  /** Its stream is ready: the request goes out. Again where its first connection turned out to be stale. */
  connected(now: number, reused: boolean): void {
    this.connectedMs = now;
    this.reused = reused;
  }

  answered(now: number, status: number): void {
    this.answeredMs = now;
    this.status = status;
  }

  failed(now: number, code: ErrorCode): void {
    this.failedMs = now;
    this.code = code;
  }
}

const NO_BYTES = Buffer.alloc(0);

/**
 * What is told of one exchange or TCP connection when it is over. The request is kept as bytes and offsets, so that no text
 * is made before somebody writes it; the bytes are those that came, which nobody reuses. Plain data: about 300 bytes.
 */
export class ExchangeRecord {
  readonly #recorder: Recorder;
  readonly kind: "http" | "tcp";
  readonly listener: string;
  /** The client's address. */
  readonly client: string;
  /** When it began: milliseconds since 1970-01-01T00:00:00Z. */
  readonly time: number;
  /** The same by the clock that all times below are told by. */
  readonly startedMs: number;

  bytes: Buffer = NO_BYTES;
  methodStart = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  hostStart = 0;
  hostEnd = 0;
  agentStart = 0;
  agentEnd = 0;
  refererStart = 0;
  refererEnd = 0;
  /** 0 for HTTP/1.0. */
  minor = 1;

  /** Name of the pool; empty where it is not known where the request goes. */
  pool = "";
  /** What the route matches, such as `api.example.com/v1/*`; empty where no route matched. */
  route = "";
  /** What the client was answered; 0 where no response began. */
  status = 0;
  /** Why it failed. */
  code: ErrorCode | null = null;
  /** Bytes of heads and bodies, free of their framing, from the client. */
  bytesIn = 0;
  /** The same to the client. */
  bytesOut = 0;
  /** Of `bytesOut`, those of the final head. */
  headOut = 0;
  /** When the response began. */
  firstByteMs = -1;
  endedMs = -1;
  readonly attempts: AttemptRecord[] = [];
  /** Empty where the request has none. */
  requestId = "";
  /** The field line with the request id that the response gets, and the request where it is a new one; `null` for none. */
  idLine: Buffer | null = null;
  /** Whether the request goes with `idLine`: the client's own id is not kept. */
  newId = false;
  /** `null` where traces are off. */
  trace: Trace | null = null;

  constructor(
    recorder: Recorder,
    kind: "http" | "tcp",
    listener: string,
    client: string,
    time: number,
    startedMs: number,
  ) {
    this.#recorder = recorder;
    this.kind = kind;
    this.listener = listener;
    this.client = client;
    this.time = time;
    this.startedMs = startedMs;
  }

  /** It is known where it goes. */
  goesTo(pool: string, route: string): void {
    this.pool = pool;
    this.route = route;
  }

  /** An attempt begins. */
  begin(backend: string, now: number): AttemptRecord {
    const attempt = new AttemptRecord(backend, now);
    this.attempts.push(attempt);
    return attempt;
  }

  /** The response's final head is on its way to the client. @param bytes of that head */
  responds(status: number, bytes: number, now: number): void {
    this.status = status;
    this.headOut = bytes;
    this.bytesOut += bytes;
    this.firstByteMs = now;
  }

  /** All is over: it is told, once. */
  end(now: number): void {
    if (this.endedMs !== -1) return;
    this.endedMs = now;
    this.#recorder.finished(this);
  }
}
