import type { Connection, Receiver } from "../../src/net/connection.ts";
import type { World } from "../world.ts";
import { ByteQueue } from "./byte-queue.ts";
import type { Teller } from "./tellers.ts";
import type { Way } from "./weather.ts";

/** The most that one read brings, as with Bun: 512 KiB. */
const READ_BYTES = 512 * 1024;
/** The system takes a little less than it could, once in so many writes. */
const PARTIAL = 12;
/** Within so many milliseconds the event loop comes to a socket: mostly, when it is busy, and to one that was reset. */
const TOLD_MS = 0.05;
const LATE_MS = 2;
const RESET_TOLD_MS = 20;
/** `drained` comes without need, once in so many turns. */
const NEEDLESS = 16;

const NOBODY: Receiver = { opened() {}, refused() {}, received() {}, drained() {}, ended() {}, closed() {} };

/**
 * One end of a simulated connection: a socket of the system under one of Bun. What each rule is taken from is in
 * `conformance.test.ts`, which holds both to the same scripts.
 */
export class Endpoint implements Connection {
  data: Receiver = NOBODY;
  readonly name: string;
  readonly remoteAddress: string;
  /** Told when it is over, before its receiver is: its file descriptor is free. */
  gone: () => void = () => {};
  /** Bytes told to the receiver. */
  delivered = 0;
  /** Bytes taken by `write`. */
  taken = 0;
  /** When bytes passed on it last, either way; before, when it opened. */
  movedAt = 0;
  /** How it was ended here, if it was. */
  act: "" | "close" | "terminate" = "";
  /** Whether the receiver was told `closed`. */
  over = false;
  /** And when. */
  overAt = Number.POSITIVE_INFINITY;
  /** Whether something was lost on the way for ever. */
  severed = false;
  /** Told more bytes than these its owner must not write any more: they were nobody's answer. */
  dirtyBeyond: number = Number.POSITIVE_INFINITY;
  /** Written to before they came: then they look like the answer, and nobody can know better. */
  confused = false;
  readonly #world: World;
  readonly #teller: Teller;
  readonly #way: Way;
  #peer: Endpoint | null = null;
  #open: boolean;
  #paused = false;
  /** What waits for the way. */
  readonly #outgoing: ByteQueue = new ByteQueue();
  /** On the way: they fill the buffer until they have arrived. */
  #travelling = 0;
  #sent = 0;
  #lastArrival = 0;
  #full = false;
  #shut = false;
  #finSent = false;
  readonly #incoming: ByteQueue = new ByteQueue();
  #finCame = false;
  #finTold = false;
  #reset: "" | "ECONNRESET" | "EPIPE" = "";
  /** A write was told of the reset: what follows looks like an end in good order. */
  #resetEaten = false;
  #eatenAt = 0;
  #woken = false;

  /** @param open whether its owner is told of what happens on it from the beginning, as with one that is accepted at once */
  constructor(world: World, teller: Teller, name: string, remoteAddress: string, way: Way, open: boolean) {
    this.#world = world;
    this.#teller = teller;
    this.name = name;
    this.remoteAddress = remoteAddress;
    this.#way = way;
    this.#open = open;
  }

  /** Ties two ends together. */
  static join(one: Endpoint, other: Endpoint): void {
    one.#peer = other;
    other.#peer = one;
  }

  /** The other end. */
  get other(): Endpoint {
    if (this.#peer === null) throw new Error(`${this.name} has no other end`);
    return this.#peer;
  }

  /** Whether its owner is told of what happens on it: not yet while it is dialled. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether a write was told of a reset: the end that its owner is told of then is none. */
  get ateReset(): boolean {
    return this.#resetEaten;
  }

  /** The dialled end opens. */
  openUp(): void {
    this.#open = true;
    this.movedAt = this.#world.now;
    this.#world.note(() => `${this.name} opened`);
    this.#teller.opened(this);
    this.#wake();
  }

  /** It was accepted after a wait in the queue: its owner is told of what has happened meanwhile. */
  accepted(): void {
    this.#open = true;
    this.#world.note(() => `${this.name} is accepted`);
    this.#wake();
  }

  // Connection: what its owner does.

  write(bytes: Uint8Array, offset = 0, length: number = bytes.length - offset): number {
    if (this.over || this.#shut) return -1;
    this.#checkDirty();
    if (this.#reset !== "") {
      if (!this.#resetEaten) this.#eatenAt = this.#world.now;
      this.#resetEaten = true;
      return -1;
    }
    let room = Math.max(0, this.#way.sendBuffer - this.#outgoing.length - this.#travelling);
    if (room > 1 && length > 1 && this.#world.dice.oneIn(PARTIAL))
      room = this.#world.dice.between(1, Math.min(room, length));
    const count = Math.min(length, room);
    if (count > 0) {
      this.#outgoing.push(Buffer.from(bytes.subarray(offset, offset + count)));
      this.taken += count;
      this.movedAt = this.#world.now;
      this.#pump();
    }
    if (count < length) this.#full = true;
    this.#world.note(() => `${this.name} write ${length}${count < length ? ` took ${count}` : ""}`);
    if (count < length) this.#wakeIfRoom();
    return count;
  }

  shutdown(): void {
    if (this.over || this.#shut) return;
    this.#world.note(() => `${this.name} shutdown`);
    this.#shut = true;
    this.#pump();
    this.#wake();
  }

  close(): void {
    if (this.over) return;
    this.#world.note(() => `${this.name} close${this.#incoming.length > 0 ? `, ${this.#incoming.length} unread` : ""}`);
    this.act = "close";
    // The system resets a connection that is closed with bytes unread (RFC 2525 §2.17).
    if (this.#incoming.length > 0) this.#sendReset();
    this.#shut = true;
    this.#pump();
    this.#end(undefined);
  }

  terminate(): void {
    if (this.over) return;
    this.#world.note(() => `${this.name} terminate`);
    this.act = "terminate";
    this.#sendReset();
    this.#end(undefined);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#wake();
  }

  #checkDirty(): void {
    if (this.dirtyBeyond === Number.POSITIVE_INFINITY) return;
    if (this.delivered > this.dirtyBeyond)
      this.#world.violate(`${this.name} is used again although more came than was asked for`);
    else this.confused = true;
    this.dirtyBeyond = Number.POSITIVE_INFINITY;
  }

  // The way to the other end.

  #pump(): void {
    const peer = this.#peer;
    if (peer === null || this.severed) return;
    while (this.#outgoing.length > 0) {
      const { piece, cutAfter, resetAfter } = this.#way;
      if (this.#sent >= cutAfter) return this.#cut();
      if (this.#sent >= resetAfter) return this.#strike();
      const window = this.#way.receiveBuffer - peer.#incoming.length - this.#travelling;
      const most = Math.min(this.#outgoing.length, window, cutAfter - this.#sent, resetAfter - this.#sent);
      if (most <= 0) return;
      // Pieces grow, as with a real connection: what is to be learnt of small ones is learnt soon.
      const largest = piece + (this.#sent >> 3);
      const count = Math.min(most, this.#world.dice.between(Math.ceil(largest / 8), largest));
      const bytes = this.#outgoing.move(count);
      this.#travelling += count;
      this.#sent += count;
      this.#world.at(this.#arrival(count), () => peer.#arrive(bytes));
    }
    if (this.#shut && !this.#finSent) {
      this.#finSent = true;
      this.#world.at(this.#arrival(0), () => peer.#finArrives());
    }
  }

  /** When what leaves now arrives: nothing overtakes. */
  #arrival(bytes: number): number {
    const { latencyMs, bandwidth } = this.#way;
    this.#lastArrival = Math.max(this.#lastArrival, this.#world.now + latencyMs) + bytes / bandwidth;
    return this.#lastArrival;
  }

  #cut(): void {
    this.#world.note(() => `${this.name} is cut off: nothing arrives any more`);
    this.severed = true;
    this.#peer!.severed = true;
  }

  /** The network resets both ends. */
  #strike(): void {
    this.#world.note(() => `${this.name} is reset by the network after ${this.#sent} bytes`);
    const peer = this.#peer!;
    this.#dropOutgoing();
    peer.#dropOutgoing();
    this.#finSent = true;
    peer.#finSent = true;
    this.#world.at(this.#arrival(0), () => peer.#resetArrives());
    this.#resetArrives();
  }

  #sendReset(): void {
    this.#dropOutgoing();
    const peer = this.#peer;
    if (peer === null || this.severed) return;
    // After a FIN has been sent a reset may still follow; after that nothing.
    this.#finSent = true;
    this.#world.at(this.#arrival(0), () => peer.#resetArrives());
  }

  #dropOutgoing(): void {
    this.#outgoing.clear();
  }

  #arrive(bytes: Buffer): void {
    const peer = this.#peer!;
    peer.#travelling -= bytes.length;
    if (this.over || this.#reset !== "") {
      // Nobody is here any more: the system answers with a reset, and forgets what it had still to send.
      if (this.over) this.#sendReset();
      return;
    }
    this.#incoming.push(bytes);
    this.#wake();
    peer.#wakeIfRoom();
    peer.#pump();
  }

  #finArrives(): void {
    if (this.over || this.#reset !== "") return;
    this.#finCame = true;
    this.#wake();
  }

  #resetArrives(): void {
    this.#dropOutgoing();
    if (this.over || this.#reset !== "") return;
    this.#reset = this.#finCame ? "EPIPE" : "ECONNRESET";
    // Late now and then: what is written meanwhile meets the reset first.
    this.#wake(this.#world.dice.oneIn(2) ? RESET_TOLD_MS : TOLD_MS);
  }

  // What its owner is told.

  #wakeIfRoom(): void {
    if (this.#full && this.#outgoing.length + this.#travelling < this.#way.sendBuffer) this.#wake();
  }

  /** The event loop comes to it a little later: what happens meanwhile is told together. */
  #wake(withinMs: number = this.#world.dice.oneIn(8) ? LATE_MS : TOLD_MS): void {
    if (this.#woken || this.over || !this.#open) return;
    this.#woken = true;
    this.#world.after((withinMs * this.#world.dice.below(1000)) / 1000, () => this.#turn());
  }

  /** One turn of the event loop: room to write, then bytes, then the end, as with epoll and Bun. */
  #turn(): void {
    this.#woken = false;
    if (this.over) return;
    this.#tellRoom();
    this.#tellBytes();
    this.#tellEnd();
  }

  #tellRoom(): void {
    if (this.#reset !== "") return;
    const room = this.#full && this.#outgoing.length + this.#travelling < this.#way.sendBuffer;
    if (!room && !this.#world.dice.oneIn(NEEDLESS)) return;
    if (room) this.#full = false;
    this.#world.note(() => `${this.name} drained`);
    this.#teller.drained(this);
  }

  #tellBytes(): void {
    if (this.#isLeftAlone) return;
    // A reset is told to a paused socket too, and with it one read of what had come before.
    let reads = this.#reset === "" ? Number.POSITIVE_INFINITY : this.#world.dice.below(4);
    if (this.#paused) reads = this.#reset === "" ? 0 : Math.min(reads, 1);
    while (reads > 0 && this.#incoming.length > 0 && !this.over) {
      const bytes = this.#incoming.take(Math.min(this.#incoming.length, READ_BYTES));
      this.delivered += bytes.length;
      this.movedAt = this.#world.now;
      this.#world.note(() => `${this.name} received ${bytes.length}`);
      this.#teller.received(this, bytes);
      this.#peer!.#pump();
      reads = this.#paused ? 0 : reads - 1;
    }
    if (this.#incoming.length > 0 && !this.#paused && this.#reset === "" && !this.over) this.#wake();
  }

  /** Of a reset that a write has met a paused socket is told nothing until it reads on, but for what the event loop had in hand by then. */
  get #isLeftAlone(): boolean {
    return this.#paused && this.#resetEaten && this.#world.now - this.#eatenAt > TOLD_MS;
  }

  #tellEnd(): void {
    if (this.over || this.#isLeftAlone) return;
    if (this.#reset !== "" && !this.#resetEaten && !this.#finCame) return this.#end(error(this.#reset));
    const allRead = this.#incoming.length === 0;
    const ends = this.#finCame || this.#resetEaten;
    if (ends && allRead && !this.#finTold && (!this.#paused || this.#reset !== "")) {
      this.#finTold = true;
      // One that has sent its own FIN is gone at once, and not told of the other's.
      if (this.#shut) return this.#end(undefined);
      this.#world.note(() => `${this.name} ended`);
      this.#teller.ended(this);
      if (this.over) return;
    }
    if (this.#reset !== "") this.#end(this.#resetEaten ? undefined : error(this.#reset));
    else if (this.#finTold && this.#shut) this.#end(undefined);
  }

  #end(cause: Error | undefined): void {
    this.over = true;
    this.overAt = this.#world.now;
    this.#incoming.clear();
    if (this.#reset === "") this.#pump();
    this.#world.note(() => `${this.name} closed${cause === undefined ? "" : ` ${cause.message}`}`);
    this.gone();
    this.#teller.closed(this, cause);
  }
}

function error(code: string): Error {
  return Object.assign(new Error(code), { code });
}
