import type { Connection } from "../net/connection.ts";

/** A client's connection, for whoever shows or closes it. */
export interface ClientFacts {
  /** What it is, for the worker alone: the same object as long as it is open in that state. */
  readonly of: object;
  /** Its connection. */
  readonly connection: Connection;
  /** `tunnel`: TCP, or upgraded. */
  readonly state: "idle" | "active" | "tunnel";
  /** Closes it at once, with all that is under way on it. */
  close(): void;
}

/** The same, and where it came in. */
export interface ListenedClient extends ClientFacts {
  readonly listener: string;
  readonly mode: "http" | "tcp";
}
