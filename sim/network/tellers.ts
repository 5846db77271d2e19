import { cork } from "../../src/net/cork.ts";
import { SOCKET_EVENTS } from "../../src/net/handlers.ts";
import type { Endpoint } from "./endpoint.ts";

/** How the owner of an end is told of what happens on it. */
export interface Teller {
  opened(endpoint: Endpoint): void;
  refused(endpoint: Endpoint, error: Error): void;
  received(endpoint: Endpoint, bytes: Buffer): void;
  drained(endpoint: Endpoint): void;
  ended(endpoint: Endpoint): void;
  closed(endpoint: Endpoint, error: Error | undefined): void;
}

/** Tells Weir through the very handlers that it gives to Bun, and like Bun passes on to `error` what one throws. */
export function weirTeller(defect: (error: unknown) => void): Teller {
  const guarded = (endpoint: Endpoint, tell: () => void): void => {
    try {
      tell();
    } catch (error) {
      defect(error);
      endpoint.terminate();
    }
  };
  return {
    // As `net/dial.ts` has it.
    opened: (endpoint) =>
      guarded(endpoint, () => {
        endpoint.data.opened(endpoint);
        cork.flush();
      }),
    refused: (endpoint, error) =>
      guarded(endpoint, () => {
        endpoint.data.refused(error);
        cork.flush();
      }),
    received: (endpoint, bytes) => guarded(endpoint, () => SOCKET_EVENTS.data(endpoint, bytes)),
    drained: (endpoint) => guarded(endpoint, () => SOCKET_EVENTS.drain(endpoint)),
    ended: (endpoint) => guarded(endpoint, () => SOCKET_EVENTS.end(endpoint)),
    closed: (endpoint, error) => guarded(endpoint, () => SOCKET_EVENTS.close(endpoint, error)),
  };
}

/** Tells an actor, and sends nothing of Weir's: what Weir forgot to send stays unsent. */
export const ACTOR_TELLER: Teller = {
  opened: (endpoint) => endpoint.data.opened(endpoint),
  refused: (endpoint, error) => endpoint.data.refused(error),
  received: (endpoint, bytes) => endpoint.data.received(bytes),
  drained: (endpoint) => endpoint.data.drained(),
  ended: (endpoint) => endpoint.data.ended(),
  closed: (endpoint, error) => endpoint.data.closed(error),
};
