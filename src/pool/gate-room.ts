import type { Slots } from "../observe/slots.ts";
import type { MaxInFlight, PoolLimits } from "../plan.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";

/** The limits of something: of a backend, or of a pool as a whole. */
interface Bounded {
  readonly maxConnections: number | null;
  readonly maxInFlight: MaxInFlight;
}

/** The bounds of one backend, or of a pool, as one worker sees them. */
interface Bounds {
  /** Over all workers; `Infinity` for none. */
  readonly most: number;
  /** Of this worker alone; `null` where nothing is to be learnt. */
  readonly learnt: ConcurrencyLimit | null;
  readonly slots: Slots;
}

/** What is taken of a limit just now. */
export interface RoomState {
  /** Over all workers; `Infinity` for none. */
  readonly most: number;
  /** Of this worker, as learnt from latency; `null` where nothing is. */
  readonly learnt: number | null;
  /** Under way in this worker. */
  readonly own: number;
  /** Under way over all workers. */
  readonly taken: number;
  /** Whether one more would get in. */
  readonly open: boolean;
}

function boundsOf({ maxConnections, maxInFlight }: Bounded, slots: Slots, known: ConcurrencyLimit | null): Bounds {
  const numbers = [maxConnections, maxInFlight].filter((value) => typeof value === "number");
  return {
    most: Math.min(Number.POSITIVE_INFINITY, ...numbers),
    learnt: maxInFlight === "auto" ? (known ?? new ConcurrencyLimit()) : null,
    slots,
  };
}

function take({ most, learnt, slots }: Bounds): boolean {
  return (learnt === null || slots.own < learnt.limit) && slots.tryTake(most);
}

/** Whether anything of a pool is limited: without it there is no gate. */
export function isLimited(pool: Bounded, backends: readonly Bounded[]): boolean {
  return [pool, ...backends].some(({ maxConnections, maxInFlight }) => maxConnections !== null || maxInFlight !== null);
}

/** The slots of a pool and of its backends, over all workers: whoever has both may begin an attempt. One for each worker and pool. */
export class GateRoom {
  readonly #pool: Bounds;
  readonly #backends: readonly Bounds[];
  readonly #learns: boolean;

  /**
   * @param pool in-flight slots of the pool's row, which go up and down with those of its backends
   * @param slots in-flight slots of the backends' rows
   * @param known the limit that was learnt of a backend, or of the pool (-1), before this took its place
   */
  constructor(
    limits: PoolLimits,
    pool: Slots,
    backends: readonly Bounded[],
    slots: readonly Slots[],
    known: (index: number) => ConcurrencyLimit | null = () => null,
  ) {
    this.#pool = boundsOf(limits, pool, known(-1));
    this.#backends = backends.map((backend, index) => boundsOf(backend, slots[index]!, known(index)));
    this.#learns = [this.#pool, ...this.#backends].some(({ learnt }) => learnt !== null);
  }

  /** The limit that is learnt of a backend, or of the pool where `index` is -1; `null` where none is. */
  learntOf(index: number): ConcurrencyLimit | null {
    return (index === -1 ? this.#pool : this.#backends[index]!).learnt;
  }

  /** As a policy sees it: most that a backend takes over all workers, 0 while this worker has as much there as it may. */
  capacity(index: number): number {
    const { most, learnt, slots } = this.#backends[index]!;
    return learnt !== null && slots.own >= learnt.limit ? 0 : most;
  }

  /** The limit of a backend, or of the pool where `index` is -1, and what is taken of it, without taking any. O(workers). */
  describe(index: number): RoomState {
    const { most, learnt, slots } = index === -1 ? this.#pool : this.#backends[index]!;
    const { own, taken } = slots;
    const limit = learnt === null ? null : learnt.limit;
    return { most, learnt: limit, own, taken, open: (limit === null || own < limit) && taken < most };
  }

  /** Takes a slot in the pool. */
  takePool(): boolean {
    return take(this.#pool);
  }

  /** Gives it back, for want of a backend. */
  givePool(): void {
    this.#pool.slots.give();
  }

  /** Takes a slot at a backend. With the one in the pool, its row is then begun. */
  take(index: number): boolean {
    return take(this.#backends[index]!);
  }

  /**
   * Whether this worker has its share of the slots, where several workers want more than there are: it then leaves what comes free to
   * the others, who would otherwise get none as long as this one has something waiting.
   * @param wanting workers in which something waits, 1 or more
   * @param eligible backends that take work
   */
  hasShare(wanting: number, eligible: readonly number[]): boolean {
    let all = 0;
    for (const index of eligible) all += this.#backends[index]!.most;
    // What is left over by a division goes round: rounded up, it might leave nothing for the last one.
    return this.#pool.slots.own >= Math.floor(Math.min(all, this.#pool.most) / wanting);
  }

  /** See `Gate.sample`. */
  sample(index: number, microseconds: number, dropped: boolean): void {
    if (!this.#learns) return;
    for (const { learnt, slots } of [this.#backends[index]!, this.#pool])
      learnt?.sample(microseconds, Math.max(1, slots.own), dropped);
  }
}
