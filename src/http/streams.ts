import type { ErrorCode } from "../errors.ts";
import type { Connection } from "../net/connection.ts";
import type { Outbox } from "../net/outbox.ts";
import type { Head } from "./head.ts";

/**
 * The seam between an exchange and the protocols on its two sides. An HTTP/1.1 connection is one stream at a time,
 * an HTTP/2 connection many; the exchange knows neither. All calls are synchronous, bodies come free of framing.
 */

/** The client's side of an exchange: what it may do with the stream on which its request came. */
export interface InboundStream {
  /** What the exchange adds to a forwarded request to tell who sent it. */
  readonly origin: Origin;
  /** Says what the request's route has for the time after it: for the next request, and for a slow reader of the response. */
  settle(keepAliveMs: number, bodyMs: number): void;
  /** Sends a response's head: any number of interim ones (1xx), then one that is final. */
  sendHead(response: Head): void;
  sendBody(bytes: Buffer, start: number, end: number): void;
  /** Ends the response in good order. */
  sendEnd(trailers: Head | null): void;
  /** Ends the response so that the client sees it broken. */
  abort(): void;
  /** Whether bytes of the response wait for the client; `RequestEvents.clientWritable` follows. */
  readonly blocked: boolean;
  /** Stops and starts the request's body. */
  pauseBody(): void;
  resumeBody(): void;
  /** Gives the bare connection away, for a tunnel after 101. */
  detach(): Detached;
}

/** A connection given away by its codec. */
export interface Detached {
  readonly connection: Connection;
  readonly outbox: Outbox;
  /** Bytes that came behind the head and belong to the tunnel. */
  readonly early: Buffer | null;
}

/** What the client's side tells its exchange. */
export interface RequestEvents {
  requestBody(bytes: Buffer, start: number, end: number): void;
  requestEnd(trailers: Head | null): void;
  /** The request cannot be completed: the client is gone or broke the framing of its body. Nothing follows. */
  requestFailed(code: ErrorCode, detail: string): void;
  /** The client has taken some of what waited, all of it when the stream is not `blocked` any more. */
  clientWritable(): void;
}

/** Makes an exchange of a request; the codec then tells it what follows. */
export type Serve = (stream: InboundStream, request: Head) => RequestEvents;

/** Who sent a request, as forwarded fields tell it. */
export interface Origin {
  /** The client's address. */
  readonly address: string;
  /** `X-Forwarded-For` and `-Proto` of this client, ready to be sent, each line with its CRLF. */
  readonly forwarded: Buffer;
  /** Whether the client's own `X-Forwarded-*` are believed and kept. */
  readonly trusted: boolean;
  /** Whether `Via` is added. */
  readonly via: boolean;
}

/** The backend's side of an attempt: a stream leased for one request. */
export interface OutboundStream {
  /** Whether the request may be sent now; else `ResponseEvents.backendReady` follows. */
  readonly ready: boolean;
  /** Whether the connection had served another request before: it may have been closed meanwhile. */
  readonly reused: boolean;
  /** Whether any byte of this request may have reached the backend. */
  readonly sent: boolean;
  /** Sends the request's head with the fields that pass. */
  sendHead(request: Head, origin: Origin): void;
  sendBody(bytes: Buffer, start: number, end: number): void;
  sendEnd(trailers: Head | null): void;
  /** Sets the time in which something must come of it, from now; `ResponseEvents.stalled` follows when nothing does. 0 is never. */
  wait(milliseconds: number): void;
  /** Whether bytes of the request wait for the backend; `ResponseEvents.backendWritable` follows. */
  readonly blocked: boolean;
  /** Gives up: nothing more is told. The connection is not used again. */
  cancel(): void;
  pauseBody(): void;
  resumeBody(): void;
  detach(): Detached;
}

/** What the backend's side tells its exchange. */
export interface ResponseEvents {
  /** The stream is ready for the request's head. */
  backendReady(): void;
  /** A head came: any number of interim ones (1xx, 101 being the last), then one that is final. */
  responseHead(response: Head): void;
  responseBody(bytes: Buffer, start: number, end: number): void;
  responseEnd(trailers: Head | null): void;
  /** The attempt failed. Nothing follows. */
  attemptFailed(code: ErrorCode, detail: string): void;
  /** The backend has taken some of what waited, all of it when the stream is not `blocked` any more. */
  backendWritable(): void;
  /** The time of `OutboundStream.wait` has passed. The stream is as it was. */
  stalled(): void;
}
