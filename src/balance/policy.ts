import type { Random } from "../random.ts";

/** A backend as a policy sees it: an index into the pool's backends and a weight above 0. */
export interface Candidate {
  /** Position of the backend in its pool; what `pick` returns. */
  readonly index: number;
  /** Whole number from 1 to 65535; shares are in proportion to it. */
  readonly weight: number;
}

/** What a policy may ask while it picks. */
export interface Tools {
  readonly random: Random;
  /** Exchanges (HTTP) or connections (TCP) in flight on a backend, over all workers, by its index in the pool. */
  readonly inFlight: (index: number) => number;
  /**
   * Most exchanges or connections that a backend takes at a time, by its index; `Infinity` where there is no limit.
   * Only `first` chooses by it. Every other policy leaves it to whoever makes the list of candidates to take a full backend
   * off that list.
   */
  readonly capacity: (index: number) => number;
  /** Takes the next number of the pool's cursor, which all workers share: 0, 1, 2, … up to 2³² − 1, then again from 0. */
  readonly nextTurn: () => number;
}

/** A policy made ready for one set of eligible backends. It lives until that set or a weight changes. */
export interface Picker {
  /**
   * Chooses a backend for one attempt.
   * @param key hash of what the request is keyed by, 32 bits; 0 where the policy uses no key
   * @returns the `index` of a candidate, or -1 where none will take it
   */
  pick(key: number): number;
}

/** How a pool chooses a backend. A policy sees candidates and a key, nothing else. */
export interface Policy {
  /** The name in the configuration. */
  readonly name: string;
  /**
   * Does the work of a change (tables, cycles), so that `pick` only reads.
   * @param candidates the backends that may take new work, in the pool's order; never empty
   */
  prepare(candidates: readonly Candidate[], tools: Tools): Picker;
}
