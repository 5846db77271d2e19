/** How much room the words need: one row for each (pool, backend), as in the counters, and a line for each pool. */
export interface HealthWordsShape {
  readonly pools: number;
  readonly rows: number;
}

/** What may be said of a backend in `flags`. Bits. `pinned`: it drains, and takes the clients that are pinned to it; `left`: it has left its pool. */
export const HEALTH_FLAG = { down: 1, ejected: 2, drain: 4, maintenance: 8, ramp: 16, pinned: 32, left: 64 } as const;

/** What sends away pinned clients too, whatever else is said. A panic makes no difference: it lets the policy choose. */
const OUT = HEALTH_FLAG.down | HEALTH_FLAG.ejected | HEALTH_FLAG.maintenance;

/** Whether a backend with these flags is out because of what the traffic told of it, and for nothing else. */
export function isOnlyEjected(flags: number): boolean {
  const { down, ejected, drain, maintenance } = HEALTH_FLAG;
  return (flags & (down | ejected | drain | maintenance)) === ejected;
}

/** Whether a backend with these flags takes the clients that are pinned to it: it is well, or drains and keeps them. */
export function keepsPinned(flags: number): boolean {
  if ((flags & OUT) !== 0) return false;
  return (flags & HEALTH_FLAG.drain) === 0 || (flags & HEALTH_FLAG.pinned) !== 0;
}

/** Words of a cache line: what belongs to two backends is kept that far apart, since failures are written by all workers. */
const LINE = 16;
/** Places in a pool's line. */
const POOL = { version: 0, panic: 1, scale: 2, alarms: 3 } as const;
/** Places in a backend's line. The keeper writes the first two, workers the others. */
const ROW = { weight: 0, flags: 1, failures: 2, strikes: 3, notices: 4 } as const;
/** The scale is a fraction where weights had to be rounded: fixed point. */
const SCALE_UNIT = 4096;

/** Bytes of memory for words of that shape. */
export function healthWordsBytes({ pools, rows }: HealthWordsShape): number {
  return (pools + rows) * LINE * 4;
}

/** Where some rows and lines of pools are in the memory of the words: bytes, each range from the first to before the last. */
export function healthWordsRanges(
  shape: HealthWordsShape,
  rows: { readonly from: number; readonly to: number },
  pools: { readonly from: number; readonly to: number },
): readonly { readonly from: number; readonly to: number }[] {
  const first = shape.pools * LINE * 4;
  return [
    { from: pools.from * LINE * 4, to: pools.to * LINE * 4 },
    { from: first + rows.from * LINE * 4, to: first + rows.to * LINE * 4 },
  ];
}

/** What the keeper of a pool says of it. By the position of the backend in its pool. */
export interface Published {
  /** 0 where a backend gets no new work. */
  readonly weights: ArrayLike<number>;
  /** Of `HEALTH_FLAG`. */
  readonly flags: ArrayLike<number>;
  readonly panic: boolean;
  /** What the configured weights were multiplied by. */
  readonly scale: number;
}

/**
 * What supervisor and workers tell each other about health, in memory that all of them map. Downwards: an effective weight and
 * flags for each backend, written by the keeper alone, and a version for each pool, so that a pick learns by one plain read
 * that its picker is stale. Upwards: failures in a row over all workers, so that one worker's evidence counts for all.
 */
export class HealthWords {
  readonly shape: HealthWordsShape;
  readonly #pools: Int32Array;
  readonly #rows: Int32Array;
  /** Told when an alarm was raised here, so that the keeper need not look all the time; it may be told often. */
  onAlarm: () => void = () => {};

  /** @param memory at least `healthWordsBytes(shape)` bytes from `offset`, a multiple of 64, on; zeroed when new */
  constructor(memory: ArrayBufferLike, shape: HealthWordsShape, offset = 0) {
    this.shape = shape;
    this.#pools = new Int32Array(memory, offset, shape.pools * LINE);
    this.#rows = new Int32Array(memory, offset + shape.pools * LINE * 4, shape.rows * LINE);
  }

  /**
   * Says what holds now. The version is bumped last: a worker that reads in between reads again.
   * @param rows of the pool's backends
   */
  publish(pool: number, rows: readonly number[], { weights, flags, panic, scale }: Published): void {
    const line = pool * LINE;
    for (const [index, row] of rows.entries()) {
      Atomics.store(this.#rows, row * LINE + ROW.weight, weights[index] ?? 0);
      Atomics.store(this.#rows, row * LINE + ROW.flags, flags[index] ?? 0);
    }
    Atomics.store(this.#pools, line + POOL.panic, panic ? 1 : 0);
    Atomics.store(this.#pools, line + POOL.scale, Math.round(scale * SCALE_UNIT));
    this.#bump(line);
  }

  /** Takes all work from backends that have left a pool, for exchanges that still go by the plan before. */
  withdraw(pool: number, rows: readonly number[]): void {
    for (const row of rows) {
      Atomics.store(this.#rows, row * LINE + ROW.weight, 0);
      Atomics.store(this.#rows, row * LINE + ROW.flags, HEALTH_FLAG.drain | HEALTH_FLAG.left);
    }
    this.#bump(pool * LINE);
  }

  /**
   * Number of the pool's latest publication; another one means that a picker is stale. 0 while there was none: the weights of
   * the plan hold. To be read before the weights. One plain read.
   */
  version(pool: number): number {
    return this.#pools[pool * LINE + POOL.version]!;
  }

  panic(pool: number): boolean {
    return this.#pools[pool * LINE + POOL.panic] === 1;
  }

  scale(pool: number): number {
    return this.#pools[pool * LINE + POOL.scale]! / SCALE_UNIT;
  }

  /** The effective weight of a backend. */
  weight(row: number): number {
    return this.#rows[row * LINE + ROW.weight]!;
  }

  /** Bits of `HEALTH_FLAG`. */
  flags(row: number): number {
    return this.#rows[row * LINE + ROW.flags]!;
  }

  /**
   * Counts a failed attempt. Whoever brings the failures in a row to a multiple of the threshold raises the alarm: a success that
   * follows must not hide it from a keeper that looks only now and then. About 20 ns.
   * @param threshold failures in a row that eject, 1 or more
   */
  failed(pool: number, row: number, threshold: number): void {
    const inARow = Atomics.add(this.#rows, row * LINE + ROW.failures, 1) + 1;
    if (inARow % threshold === 0) this.#alarm(pool, row * LINE + ROW.strikes);
  }

  /** Ends a row of failures. One plain read where there was none. */
  succeeded(row: number): void {
    const at = row * LINE + ROW.failures;
    if (this.#rows[at] !== 0) Atomics.store(this.#rows, at, 0);
  }

  /** Passes on that a backend has asked, by a field of a response, to be drained. */
  asksToDrain(pool: number, row: number): void {
    this.#alarm(pool, row * LINE + ROW.notices);
  }

  /** How often the alarm was raised for any backend of the pool. While it stays, `strikes` and `notices` do. One plain read. */
  alarms(pool: number): number {
    return this.#pools[pool * LINE + POOL.alarms]!;
  }

  /** Failures in a row, over all workers, as of now. */
  failures(row: number): number {
    return this.#rows[row * LINE + ROW.failures]!;
  }

  /** How often failures in a row have reached a multiple of the threshold. */
  strikes(row: number): number {
    return this.#rows[row * LINE + ROW.strikes]!;
  }

  /** How often the backend has asked to be drained. */
  notices(row: number): number {
    return this.#rows[row * LINE + ROW.notices]!;
  }

  /** Forgets a backend, for a row that becomes another's. To be called when no worker writes it. */
  clear(row: number): void {
    this.#rows.fill(0, row * LINE, (row + 1) * LINE);
  }

  /** Forgets a pool, for a line that becomes another's. To be called when no worker reads or writes it. */
  clearPool(pool: number): void {
    this.#pools.fill(0, pool * LINE, (pool + 1) * LINE);
  }

  #bump(line: number): void {
    const version = (this.#pools[line + POOL.version]! + 1) | 0;
    // 0 is kept for what was never published.
    Atomics.store(this.#pools, line + POOL.version, version === 0 ? 1 : version);
  }

  #alarm(pool: number, word: number): void {
    Atomics.add(this.#rows, word, 1);
    Atomics.add(this.#pools, pool * LINE + POOL.alarms, 1);
    this.onAlarm();
  }
}
