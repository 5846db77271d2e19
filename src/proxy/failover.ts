import type { Head } from "../http/head.ts";
import type { Origin } from "../http/streams.ts";
import { FULL } from "../pool/gate.ts";
import type { HttpAttempt } from "./http-attempt.ts";
import type { Link, Target } from "./target.ts";

/** Why there is no other attempt where every backend that takes work has been tried. */
export const NO_OTHER = "no other backend takes work";
const NOTHING_TRIED: readonly number[] = [];

/** Where an exchange goes after an attempt that failed. Made when the first one has. */
export class Failover {
  readonly #target: Target<Link>;
  readonly #request: Head;
  readonly #origin: Origin;
  /** Backends tried, in order; one stands there twice where there was no other. */
  #tried: readonly number[] = NOTHING_TRIED;

  constructor(target: Target<Link>, request: Head, origin: Origin) {
    this.#target = target;
    this.#request = request;
    this.#origin = origin;
  }

  /** An attempt has come to nothing. */
  add(attempt: HttpAttempt): void {
    this.#tried = [...this.#tried, attempt.index];
  }

  /**
   * Chooses for another attempt, where that is allowed and possible.
   * @param sent whether a backend may have worked on the request
   * @param whole whether all that was sent can be sent again
   * @returns a position in the pool, or why there is none
   */
  next(sent: boolean, whole: boolean, now: number): number | string {
    const tried = this.#tried;
    const why = this.#target.retry.refusal({ request: this.#request, sent, whole, tried: tried.length }, now);
    if (why !== "") return why;
    const next = this.other(-1);
    if (next >= 0) return next;
    const { pool, gate } = this.#target.live;
    const last = next === FULL ? -1 : pool.lastResort(tried);
    if (last !== -1 && (gate === null || gate.tryTake(last))) return last;
    return next === FULL ? "all other backends are full" : NO_OTHER;
  }

  /**
   * Another backend than those that were tried.
   * @param taken one more that will not do; -1 for none
   * @returns its position, `NONE` or `FULL`
   */
  other(taken: number): number {
    return this.#pick(taken === -1 ? this.#tried : [...this.#tried, taken]);
  }

  /** A backend that was tried: what is to be asked again is, where there is no other. */
  again(): number | string {
    const next = this.#pick(NOTHING_TRIED);
    return next >= 0 ? next : NO_OTHER;
  }

  #pick(tried: readonly number[]): number {
    const { pool, gate, key: poolKey } = this.#target.live;
    const key = poolKey === null ? 0 : poolKey.ofRequest(this.#request, this.#origin);
    return gate === null ? pool.pick(key, tried) : gate.tryEnter(key, tried);
  }
}
