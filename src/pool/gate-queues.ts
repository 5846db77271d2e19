import type { Slots } from "../observe/slots.ts";
import { type Place, WaitQueue } from "./wait-queue.ts";

/** What the queues of a gate are made of. Counts are over all workers. */
export interface GateQueuesParts {
  /** What waits for the pool, pinned ones included. */
  readonly waiting: Slots;
  /** What waits for one backend, by its index: those that are pinned to it. */
  readonly waitingFor: readonly Slots[];
  /** Most that may wait for the pool. */
  readonly maxQueue: number;
  /** Of these, most that may wait for one backend, by its index. */
  readonly maxQueueFor: readonly number[];
}

/** One that waits, and for what. */
export interface Waiting<W> {
  readonly waiter: W;
  readonly key: number;
  readonly tried: readonly number[];
  /** The backend in whose queue it stands, -1 for that of the pool. */
  at: number;
  place: Place<Waiting<W>> | null;
}

/**
 * Who waits at a gate: in one queue for any backend of the pool, and in one for each full backend that something is pinned to. All of
 * them together are bounded over all workers. O(1) for all but `move`.
 */
export class GateQueues<W> {
  readonly #parts: GateQueuesParts;
  /** For any backend. */
  readonly any: WaitQueue<Waiting<W>>;
  /** By backend; only where something waits. */
  readonly #pinned: Map<number, WaitQueue<Waiting<W>>> = new Map();
  readonly #all: Map<W, Waiting<W>> = new Map();

  constructor(parts: GateQueuesParts) {
    this.#parts = parts;
    this.any = new WaitQueue(parts.maxQueue);
  }

  /** What waits in this worker. */
  get size(): number {
    return this.#all.size;
  }

  /** Workers in which something waits. */
  get workers(): number {
    return this.#parts.waiting.holders();
  }

  /** The queues of backends in which something waits. */
  get pinned(): Iterable<readonly [index: number, queue: WaitQueue<Waiting<W>>]> {
    return this.#pinned;
  }

  /** Whether something waits for this backend. */
  isWaitedFor(index: number): boolean {
    return this.#pinned.has(index);
  }

  /**
   * Puts one into the queue of a backend, or of the pool where `at` is -1.
   * @returns whether there was room for it
   */
  add(waiter: W, key: number, tried: readonly number[], at: number, now: number): boolean {
    const { waiting, waitingFor, maxQueue, maxQueueFor } = this.#parts;
    if (!waiting.tryTake(maxQueue)) return false;
    if (at !== -1 && !waitingFor[at]!.tryTake(maxQueueFor[at]!)) {
      waiting.give();
      return false;
    }
    const one: Waiting<W> = { waiter, key, tried, at, place: null };
    one.place = this.#queueOf(at).add(one, now);
    this.#all.set(waiter, one);
    return true;
  }

  /** Whether one more may wait: for a backend, or for the pool where `at` is -1. */
  hasRoom(at: number): boolean {
    const { waiting, waitingFor, maxQueue, maxQueueFor } = this.#parts;
    if (waiting.taken >= maxQueue) return false;
    return at === -1 || waitingFor[at]!.taken < maxQueueFor[at]!;
  }

  /** Who waits under this name. */
  find(waiter: W): Waiting<W> | undefined {
    return this.#all.get(waiter);
  }

  /** Takes one out. */
  remove(one: Waiting<W>): void {
    this.#unplace(one);
    this.#parts.waiting.give();
    this.#all.delete(one.waiter);
  }

  /** Who has waited since that time or longer, the longest first in each queue; `null` where nobody has. */
  waitingSince(latest: number): Waiting<W> | null {
    const { oldest } = this.any;
    if (oldest !== null && oldest.since <= latest) return oldest.item;
    for (const queue of this.#pinned.values()) {
      const first = queue.oldest;
      if (first !== null && first.since <= latest) return first.item;
    }
    return null;
  }

  /** Sends those who wait for a backend to the queue of the pool, each to the place that its age gives it. */
  move(index: number, now: number): void {
    const queue = this.#pinned.get(index);
    if (queue === undefined) return;
    for (let place = queue.oldest; place !== null; place = queue.oldest) {
      const { item, since } = place;
      this.#unplace(item);
      item.at = -1;
      // All queues together are no longer than this one may be.
      item.place = this.any.add(item, since, now);
    }
  }

  #queueOf(index: number): WaitQueue<Waiting<W>> {
    if (index === -1) return this.any;
    let queue = this.#pinned.get(index);
    if (queue === undefined) this.#pinned.set(index, (queue = new WaitQueue(this.#parts.maxQueue)));
    return queue;
  }

  #unplace({ at, place }: Waiting<W>): void {
    if (place === null) return;
    const queue = this.#queueOf(at);
    queue.remove(place);
    if (at === -1) return;
    this.#parts.waitingFor[at]!.give();
    if (queue.size === 0) this.#pinned.delete(at);
  }
}
