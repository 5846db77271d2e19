import type { Head } from "../http/head.ts";
import type { Origin } from "../http/streams.ts";
import { FULL, NONE } from "../pool/gate.ts";
import type { HttpAttempt } from "./http-attempt.ts";
import type { Failed } from "./retry.ts";
import type { Link, Reuse, Target } from "./target.ts";

/** Why there is no other attempt where every backend that takes work has been tried. */
export const NO_OTHER = "no other backend takes work";
/** Why there is none where those that were not tried have no room. */
export const ALL_FULL = "all other backends are full";
const NOTHING_TRIED: readonly number[] = [];

/**
 * A request that was lost with this many connections waits before it is sent once more: backends that are killed together take some
 * milliseconds to be gone, in which they still accept, and what was sent to the next one of them would be lost as well.
 */
const RESETS_AT_ONCE = 2;
/** Longer than that takes, save for very large processes; and nothing to a client who was in such a moment. */
const PAUSE_MS = 100;

/** So many are tried in a row, some of which may refuse before the dialling returns: the stack ends, and others want their turn. */
const TRIES_AT_ONCE = 64;
const TURN_MS = 1;

/** Where an exchange goes after an attempt that failed. Made when the first one has. */
export class Failover {
  readonly #target: Target<Link>;
  readonly #request: Head;
  readonly #origin: Origin;
  /** Backends tried, in order; one stands there twice where there was no other. */
  #tried: readonly number[] = NOTHING_TRIED;
  /** Those of them that could not be connected to, or lost the request with their connection: they are not asked again. */
  #refused: readonly number[] = NOTHING_TRIED;
  /** How many of them the request was sent to. */
  #sends = 0;
  /** How many of these lost it with their connection. */
  #resets = 0;
  /** Ways to backends that were removed and whose time to finish is over. */
  #over: readonly ReadonlySet<object>[] = [];

  constructor(target: Target<Link>, request: Head, origin: Origin) {
    this.#target = target;
    this.#request = request;
    this.#origin = origin;
  }

  /** The key that the policy of its pool chooses by. */
  get key(): number {
    const { key } = this.#target.live;
    return key === null ? 0 : key.ofRequest(this.#request, this.#origin);
  }

  /** Backends tried, and those whose time is over. Never changed: a later one is another list. */
  get tried(): readonly number[] {
    return this.#withOver(this.#tried);
  }

  /** Whether there is no backend that may be asked, tried or not. O(backends) where all but the last are over. */
  get hopeless(): boolean {
    return this.#target.live.links.every((link) => this.#isOver(link));
  }

  /** These are asked nothing any more, whatever else fails. */
  without(links: ReadonlySet<object>): void {
    if (!this.#over.includes(links)) this.#over = [...this.#over, links];
  }

  /**
   * How long the next attempt waits; 0 for not at all.
   * @param reset whether the last one was lost with a connection on which it had been sent
   */
  pauseMs(reset: boolean): number {
    if (reset && this.#resets >= RESETS_AT_ONCE) return PAUSE_MS;
    return this.#tried.length % TRIES_AT_ONCE === 0 ? TURN_MS : 0;
  }

  /**
   * Which connections will do for the next attempt. Where a backend has just died, those to others may be dead as well and not be known
   * to be: what was written to them would count as sent. A new one tells.
   */
  reuse(repeatable: boolean): Reuse {
    return repeatable && this.#resets === 0 ? "any" : "none";
  }

  /**
   * An attempt has come to nothing.
   * @param reset whether it was lost with a connection on which it had been sent
   */
  add(attempt: HttpAttempt, reset: boolean): void {
    this.#tried = [...this.#tried, attempt.index];
    if (reset || !attempt.reached) this.#refused = [...this.#refused, attempt.index];
    if (attempt.reached) this.#sends += 1;
    if (reset) this.#resets += 1;
  }

  /**
   * What is to be known of the failure that was added last, for those who decide on another attempt.
   * @param sent whether its backend may have worked on the request
   * @param reset as in `add`
   * @param whole whether all that was sent can be sent again
   */
  describe(sent: boolean, reset: boolean, whole: boolean): Failed {
    return { request: this.#request, sent, whole, sends: this.#sends, resets: reset ? this.#resets : 0 };
  }

  /** Chooses for another attempt: a backend that was not tried, the ejected ones last. @returns its position, `NONE` or `FULL` */
  next(): number {
    const next = this.other(-1);
    if (next >= 0 || next === FULL) return next;
    const { pool, gate } = this.#target.live;
    const last = pool.lastResort(this.tried);
    return last !== -1 && (gate === null || gate.tryTake(last)) ? last : NONE;
  }

  /**
   * Another backend than those that were tried.
   * @param taken one more that will not do; -1 for none
   * @returns its position, `NONE` or `FULL`
   */
  other(taken: number): number {
    return this.#pick(taken === -1 ? this.#tried : [...this.#tried, taken]);
  }

  /** A backend that was tried and has taken the request, where there is no other: the last one at last. @returns its position, `NONE` or `FULL` */
  again(): number {
    const other = this.#pick([...this.#refused, this.#tried.at(-1) ?? -1]);
    return other >= 0 ? other : this.#pick(this.#refused);
  }

  #pick(tried: readonly number[]): number {
    const { pool, gate } = this.#target.live;
    const not = this.#withOver(tried);
    return gate === null ? pool.pick(this.key, not) : gate.tryEnter(this.key, not);
  }

  #withOver(tried: readonly number[]): readonly number[] {
    if (this.#over.length === 0) return tried;
    const over = this.#target.live.links.flatMap((link, index) => (this.#isOver(link) ? [index] : []));
    return [...tried, ...over];
  }

  #isOver(link: Link): boolean {
    return this.#over.some((links) => links.has(link));
  }
}
