import type { Slots } from "../observe/slots.ts";
import type { MaxInFlight, PoolLimits } from "../plan.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";

/** The limits of something: of a backend, or of a pool as a whole. */
interface Bounded {
  readonly maxConnections: number | null;
  readonly maxInFlight: MaxInFlight;
}

/** The limit of a backend, or of a pool, as one worker sees it. The same object in all plans: who waits at the gate of an older one goes by it too. */
export interface Limit {
  /** Over all workers; `Infinity` for none. */
  most: number;
  /** Of this worker alone; `null` where nothing is to be learnt. */
  learnt: ConcurrencyLimit | null;
}

interface Bounds {
  readonly limit: Limit;
  /** What the limit is once this room is in force. */
  readonly planned: Readonly<Limit>;
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

const UNLIMITED: Readonly<Limit> = { most: Number.POSITIVE_INFINITY, learnt: null };

function boundsOf({ maxConnections, maxInFlight }: Bounded, slots: Slots, known: Limit | null): Bounds {
  const numbers = [maxConnections, maxInFlight].filter((value) => typeof value === "number");
  const planned = {
    most: Math.min(Number.POSITIVE_INFINITY, ...numbers),
    learnt: maxInFlight === "auto" ? (known?.learnt ?? new ConcurrencyLimit()) : null,
  };
  return { limit: known ?? planned, planned, slots };
}

function set(limit: Limit, { most, learnt }: Readonly<Limit>): void {
  limit.most = most;
  limit.learnt = learnt;
}

function take({ limit: { most, learnt }, slots }: Bounds): boolean {
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
   * @param known the limit of a backend, or of the pool (-1), in the room that this is to take the place of; it holds until `begin`
   */
  constructor(
    limits: PoolLimits,
    pool: Slots,
    backends: readonly Bounded[],
    slots: readonly Slots[],
    known: (index: number) => Limit | null = () => null,
  ) {
    this.#pool = boundsOf(limits, pool, known(-1));
    this.#backends = backends.map((backend, index) => boundsOf(backend, slots[index]!, known(index)));
    this.#learns = [this.#pool, ...this.#backends].some(({ planned }) => planned.learnt !== null);
  }

  /** Its plan is in force: its limits hold from now on, in the rooms before it too. O(backends). */
  begin(): void {
    for (const { limit, planned } of [this.#pool, ...this.#backends]) set(limit, planned);
  }

  /**
   * A plan without limits is in force. O(backends).
   * @param stays whether a backend is in it; one that is not keeps its limit
   */
  lift(stays: (index: number) => boolean): void {
    const lifted = [this.#pool, ...this.#backends.filter((_, index) => stays(index))];
    for (const { limit } of lifted) set(limit, UNLIMITED);
  }

  /** The limit of a backend, or of the pool where `index` is -1, for the room that takes the place of this one. */
  limitOf(index: number): Limit {
    return (index === -1 ? this.#pool : this.#backends[index]!).limit;
  }

  /** As a policy sees it: most that a backend takes over all workers, 0 while this worker has as much there as it may. */
  capacity(index: number): number {
    const { limit, slots } = this.#backends[index]!;
    const { most, learnt } = limit;
    return learnt !== null && slots.own >= learnt.limit ? 0 : most;
  }

  /** The limit of a backend, or of the pool where `index` is -1, and what is taken of it, without taking any. O(workers). */
  describe(index: number): RoomState {
    const { limit, slots } = index === -1 ? this.#pool : this.#backends[index]!;
    const { own, taken } = slots;
    const { most } = limit;
    const learnt = limit.learnt === null ? null : limit.learnt.limit;
    return { most, learnt, own, taken, open: (learnt === null || own < learnt) && taken < most };
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
    for (const index of eligible) all += this.#backends[index]!.limit.most;
    // What is left over by a division goes round: rounded up, it might leave nothing for the last one.
    return this.#pool.slots.own >= Math.floor(Math.min(all, this.#pool.limit.most) / wanting);
  }

  /** See `Gate.sample`. */
  sample(index: number, microseconds: number, dropped: boolean): void {
    if (!this.#learns) return;
    for (const { limit, slots } of [this.#backends[index]!, this.#pool])
      limit.learnt?.sample(microseconds, Math.max(1, slots.own), dropped);
  }
}
