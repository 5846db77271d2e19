import type { Random } from "../random.ts";
import type { Explained } from "./explained.ts";
import type { Tried } from "./tried.ts";

/** A backend as a policy sees it: an index into the pool's backends, who it is, and a weight above 0. */
export interface Candidate {
  /** Position of the backend in its pool; what `pick` returns. */
  readonly index: number;
  /** Its address in canonical text. Whatever hashes goes by it, never by the position: lists are reordered and grow. */
  readonly id: string;
  /** Whole number from 1 to 65535; shares are in proportion to it. */
  readonly weight: number;
}

/** What a policy may ask while it picks. */
export interface Tools {
  readonly random: Random;
  /**
   * Exchanges (HTTP) or connections (TCP) in flight on a backend, over all workers, by its index in the pool; `Infinity` for
   * one that is to be chosen only where there is no other.
   */
  readonly inFlight: (index: number) => number;
  /**
   * Exchanges or connections in flight on all candidates together, over all workers; those of backends that are no candidates any
   * more may be among them until they end. Asked for once in a pick with bounded load, and while a backend fails: it should
   * cost no more than `inFlight`.
   */
  readonly totalInFlight: () => number;
  /**
   * Most exchanges or connections that a backend takes at a time, by its index; `Infinity` where there is no limit, 0 for
   * one that takes none for now. `first` chooses by it, and a keyed policy walks past a full backend to where its keys
   * belong meanwhile. Every other policy leaves it to whoever makes the list of candidates to take a full backend off it.
   */
  readonly capacity: (index: number) => number;
  /**
   * Microseconds until the next answer of a backend, as is to be expected now: its peak-EWMA, failures counted as slow
   * answers. A backend that has not answered yet has what is usual in its pool; 0 where nothing is known of any backend of the
   * pool; `Infinity` for one that is to be chosen only where there is no other. See `pool/peak-ewma.ts`.
   */
  readonly latency: (index: number) => number;
  /** Which part of a backend's latest attempts failed, from 0 to 1; 0 where too few did to matter. */
  readonly failing: (index: number) => number;
  /** Takes the next number of the pool's cursor, which all workers share: 0, 1, 2, … up to 2³² − 1, then again from 0. */
  readonly nextTurn: () => number;
  /** What `nextTurn` would give now, without taking it: for `Picker.explain`. */
  readonly turn: () => number;
}

/** What a pool may set about its policy, beside the name. */
export interface PolicyOptions {
  /** What `two-choices` compares: the number in flight, or the time that this number will take. */
  readonly load: "in-flight" | "peak-ewma";
  /**
   * How many times its even share of what is in flight a backend of a keyed policy may have, above 1; `null` for no bound.
   * V. Mirrokni, M. Thorup, M. Zadimoghaddam, "Consistent hashing with bounded loads", SODA 2018.
   */
  readonly maxLoadFactor: number | null;
}

/** The options of a pool that sets none. */
export const DEFAULT_OPTIONS: PolicyOptions = { load: "in-flight", maxLoadFactor: null };

/** A policy made ready for one set of eligible backends. It lives until that set or a weight changes. */
export interface Picker {
  /**
   * Chooses a backend for one attempt. Synchronous; allocates nothing.
   * @param key of the request, 0 where the policy is not keyed. It is the CRC-32 of the key's bytes (`crc32.ts`), for every keyed
   *   policy: `ring` is then, request for request, nginx's `hash … consistent`, and the others mix it further
   * @param tried backends this exchange was tried on already. A keyed policy passes over them to the backend that
   *   would have the key without them; any other may ignore them, and `pickUntried` asks it again
   * @returns the `index` of a candidate, or -1 where none will take it
   */
  pick(key: number, tried?: Tried): number;
  /**
   * Tells how it would choose now, by the same code and numbers as `pick` for an exchange that has tried nothing: no cursor
   * moves, no dice are thrown. For people who ask, and not for the way of a request: O(candidates) at least, and it allocates.
   */
  explain(key: number): Explained;
}

/** How a pool chooses a backend. A policy sees candidates and a key, nothing else. */
export interface Policy {
  /** The name in the configuration. */
  readonly name: string;
  /** Whether it chooses by `key`. */
  readonly keyed: boolean;
  /** The values of `load` that a pool may choose from; empty where it has no such choice. */
  readonly loads: readonly PolicyOptions["load"][];
  /** Whether it asks for `latency` or `failing`, which then have to be learnt from every attempt. */
  learns(options: PolicyOptions): boolean;
  /**
   * Does the work of a change (tables, cycles), so that `pick` only reads.
   * @param candidates the backends that may take new work, in the pool's order; never empty
   * @param options `DEFAULT_OPTIONS` where it is left out
   */
  prepare(candidates: readonly Candidate[], tools: Tools, options?: PolicyOptions): Picker;
}
