/** What the backends and the clients of this folder agree on. */

/** Kinds of clients, each with a tally of its own. */
export const KINDS = ["keep-alive", "new connection", "download", "upload", "WebSocket"] as const;
export type Kind = (typeof KINDS)[number];

/** A download and an upload come in so many pieces, one each so many milliseconds: a second and a half. */
export const PIECES = 30;
export const PIECE_MS = 50;

/** What a download repeats: only this request's. */
export function downloadPiece(id: string): string {
  return `${id} `.repeat(400);
}

/** What came of the requests of one kind; of a WebSocket a message and its echo are a request. */
export interface Counts {
  sent: number;
  right: number;
  /** By why. */
  readonly failed: Record<string, number>;
}

/** What came of all clients. `open` and `closed` are those of WebSockets. */
export interface TrafficTally {
  readonly kinds: Record<Kind, Counts>;
  open: number;
  closed: number;
}

/** Nothing yet. */
export function noTraffic(): TrafficTally {
  const none = (): Counts => ({ sent: 0, right: 0, failed: {} });
  const kinds = Object.fromEntries(KINDS.map((kind) => [kind, none()])) as Record<Kind, Counts>;
  return { kinds, open: 0, closed: 0 };
}
