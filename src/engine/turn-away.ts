import type { ErrorCode } from "../errors.ts";
import { errorResponse } from "../http/error-response.ts";
import { writeResponseHead } from "../http1/head-writer.ts";
import type { Connection, Receiver } from "../net/connection.ts";
import { cork } from "../net/cork.ts";
import { Outbox } from "../net/outbox.ts";
import { type Expiring, Timer, type TimerWheel } from "../net/timer-wheel.ts";
import { COLUMN } from "../observe/columns.ts";
import type { Row } from "../observe/counters.ts";
import type { OverLimit } from "../plan.ts";
import { NOBODY } from "./counted-connection.ts";
import { Members } from "./members.ts";

/** What a client that is turned away has to ask something and to take its answer in. */
const PATIENCE_MS = 2_000;
/** So many may be answered at a time; what comes beyond them is reset, so that they do not take the file descriptors of those who are served. */
const MOST_ANSWERED = 1_000;
/** When it may try again: nobody knows, and soon is not at once (RFC 9110 §10.2.3). */
const RETRY_AFTER_S = 1;
const STATUS = 503;
const FRAMING = { chunked: false, close: true, keepAlive: false, via: false };

/** Where those end for whom there is no room. */
export interface TurningAway {
  /** Takes a connection that was accepted and is not served. */
  receive(connection: Connection, code: ErrorCode): Receiver;
  /** Closes those that still wait for their answer. */
  close(): void;
}

/**
 * Turns away what a listener cannot take: by a reset, or by 503 to what the client asks first.
 * @param how as the plan in force has it
 * @param row of the listener, where it is counted
 */
export function turningAway(how: () => OverLimit | undefined, row: Row, wheel: TimerWheel): TurningAway {
  const answered = new Members<Refused>();
  return {
    receive(connection, code) {
      if (how() !== "503" || answered.size >= MOST_ANSWERED) return turnAway(connection, row, code);
      const refused = new Refused(connection, code, row, wheel, () => answered.delete(refused));
      answered.add(refused);
      connection.data = refused;
      return refused;
    },
    close() {
      for (const refused of answered.list()) refused.expired();
    },
  };
}

/** Closes a connection with a reset, so that it takes no room. */
export function turnAway(connection: Connection, row: Row, code: ErrorCode): Receiver {
  row.fail(code);
  connection.data = NOBODY;
  connection.terminate();
  return NOBODY;
}

/** A client that gets 503 for whatever it asks, and reads it in peace: closed at once, its connection could be reset (RFC 9112 §9.6). */
class Refused implements Receiver, Expiring {
  place = -1;
  readonly #connection: Connection;
  readonly #code: ErrorCode;
  readonly #row: Row;
  readonly #wheel: TimerWheel;
  readonly #left: () => void;
  readonly #timer: Timer = new Timer(this);
  #asked = false;

  constructor(connection: Connection, code: ErrorCode, row: Row, wheel: TimerWheel, left: () => void) {
    this.#connection = connection;
    this.#code = code;
    this.#row = row;
    this.#wheel = wheel;
    this.#left = left;
    row.fail(code);
    wheel.set(this.#timer, PATIENCE_MS);
  }

  opened(): void {}

  refused(): void {}

  received(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#row.add(COLUMN.requests, 1);
    this.#row.respond(STATUS);
    const outbox = new Outbox(this.#connection);
    const { head, body } = errorResponse(this.#code, "", RETRY_AFTER_S, STATUS);
    writeResponseHead(outbox, head, FRAMING);
    outbox.send(body, 0, body.length);
    cork.flush();
    // A system that does not take a few hundred bytes of a new connection at once has no room for them: they are lost with it.
    outbox.finish();
  }

  drained(): void {}

  ended(): void {
    this.#connection.close();
  }

  closed(): void {
    this.#wheel.remove(this.#timer);
    this.#left();
  }

  expired(): void {
    this.#connection.terminate();
  }
}
