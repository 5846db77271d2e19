import type { ErrorCode } from "../errors.ts";

/** Counts connections and says whether one more may come; who may not is turned away with a code. */
export interface Bound {
  readonly code: ErrorCode;
  /**
   * Counts a connection.
   * @param source as `sourceOf` tells it
   * @returns whether there was room for it; where there was none it is not counted
   */
  enter(source: string | null): boolean;
  /** A connection that was counted has gone. */
  leave(source: string | null): void;
}

/**
 * `limits.connections` where `limits.overLimit` is set: what comes beyond it is accepted and turned away, instead of left to wait as
 * `Room` does it. Who is turned away takes no place of those who are served. O(1).
 */
export class Crowd implements Bound {
  readonly code = "WEIR_NO_ROOM";
  #most: number;
  #count = 0;

  /** @param most connections at a time */
  constructor(most: number) {
    this.#most = most;
  }

  /** Another bound from now on. */
  limit(most: number): void {
    this.#most = most;
  }

  enter(): boolean {
    if (this.#count >= this.#most) return false;
    this.#count += 1;
    return true;
  }

  leave(): void {
    this.#count -= 1;
  }
}
