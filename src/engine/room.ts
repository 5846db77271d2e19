/** Kept free of connections: for what the runtime has open itself, logs, files, names that are looked up, dials that were given up. */
const RESERVE = 64;
/** Of the reserve, what connections to backends may take when there is nothing else. Most of it is in use from the start. */
const LAST_DIALS = 8;
/** A room that was full takes clients again below this part of it, not at each one that leaves. */
const AGAIN = 0.95;

/** What bounds a room. */
export interface RoomBounds {
  /** Clients at a time; `Infinity` for no bound. */
  readonly clients: number;
  /** File descriptors of the process that connections may take, clients' and dialled ones together; `Infinity` for no bound. */
  readonly descriptors: number;
  /** How many dialled connections hold now. */
  readonly dialled: () => number;
  /** Closes dialled connections that wait for work. */
  readonly giveUpIdle: () => void;
}

/** Nothing but a number of clients. */
export function boundOfClients(clients: number): RoomBounds {
  return { clients, descriptors: Number.POSITIVE_INFINITY, dialled: () => 0, giveUpIdle() {} };
}

/**
 * Of the file descriptors that a process may have open, those for connections.
 * @param listeners each takes one itself
 */
export function descriptorsForConnections(limit: number, listeners: number): number {
  // A process with hardly any does something with half of them.
  return Math.max(2, limit - Math.min(RESERVE, Math.floor(limit / 2)) - listeners);
}

/** Most clients for so many file descriptors: each may need a second one, for its backend. */
export function clientsFor(descriptors: number): number {
  return Math.floor(descriptors / 2);
}

/** One worker's part of what is bounded over all of them: an even one, at least 1, since a worker that accepts nothing has a queue too. */
export function shareOf(total: number, worker: number, workers: number): number {
  if (total === Number.POSITIVE_INFINITY) return total;
  return Math.max(1, Math.floor(total / workers) + (worker < total % workers ? 1 : 0));
}

/**
 * How many clients may be connected at a time. Plain numbers: whoever asks stops accepting and begins again. A client is let in only
 * while there is room for its backend as well. O(1) but for giving up idle connections.
 */
export class Room {
  /** Clients with which it is full. */
  most = 0;
  #again = 0;
  #descriptors = 0;
  readonly #dialled: () => number;
  readonly #giveUpIdle: () => void;
  #clients = 0;
  #full = false;

  constructor({ clients, descriptors, dialled, giveUpIdle }: RoomBounds) {
    this.#dialled = dialled;
    this.#giveUpIdle = giveUpIdle;
    this.limit(clients, descriptors);
  }

  /** Other bounds; see `RoomBounds`. Whether it is full is to be asked anew: `look` or `fill`. */
  limit(clients: number, descriptors: number): void {
    this.most = Math.min(clients, clientsFor(descriptors));
    this.#again = Math.floor(this.most * AGAIN);
    this.#descriptors = descriptors;
  }

  get clients(): number {
    return this.#clients;
  }

  /** Whether no client is to be let in. */
  get full(): boolean {
    return this.#full;
  }

  /** A client came. @returns whether the room has become full with it */
  enter(): boolean {
    this.#clients += 1;
    return this.fill();
  }

  /** Clients who came before anybody counted them. */
  admit(clients: number): void {
    this.#clients += clients;
  }

  /** @returns whether the room has become full just now */
  fill(): boolean {
    if (this.#full || (this.#clients < this.most && !this.#isTight())) return false;
    this.#full = true;
    return true;
  }

  /** A client has gone. @returns whether a room that was full has room again */
  leave(): boolean {
    this.#clients -= 1;
    return this.#full && this.look();
  }

  /** For a room that is full: whether it has room again, which may also come of dialled connections that are gone. */
  look(): boolean {
    if (this.#clients > this.#again || this.#isTight()) return false;
    this.#full = false;
    return true;
  }

  /** Before a connection is dialled, for which idle ones may have to go. @returns whether there is a descriptor for it */
  mayDial(): boolean {
    if (this.#clients + this.#dialled() + 1 <= this.#descriptors) return true;
    this.#giveUpIdle();
    return this.#clients + this.#dialled() < this.#descriptors + LAST_DIALS;
  }

  /** Whether there is none for another client and its backend, even without idle connections. */
  #isTight(): boolean {
    const left = this.#descriptors - this.#clients - 2;
    if (this.#dialled() <= left) return false;
    this.#giveUpIdle();
    return this.#dialled() > left;
  }
}
