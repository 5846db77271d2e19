import type { ErrorCode } from "../errors.ts";
import type { Head } from "../http/head.ts";
import type { Origin } from "../http/streams.ts";
import type { TimerWheel } from "../net/timer-wheel.ts";
import { COLUMN } from "../observe/columns.ts";
import type { ExchangeRecord } from "../observe/exchange-record.ts";
import { FULL, NONE, WAITING, type Waiter } from "../pool/gate.ts";
import { Deadline } from "./deadline.ts";
import { ALL_FULL, Failover, NO_OTHER } from "./failover.ts";
import type { Hedge } from "./hedge.ts";
import { type AttemptEvents, HttpAttempt } from "./http-attempt.ts";
import type { KeptBody } from "./kept-body.ts";
import { isReset } from "./retry.ts";
import type { Link, Target } from "./target.ts";

/** An exchange as its attempts see it. */
export interface Trying extends AttemptEvents, Waiter {
  readonly request: Head;
  readonly origin: Origin;
  /** What has come of the body; `null` while nothing has. */
  readonly kept: KeptBody | null;
  readonly wheel: TimerWheel;
  /** For delays of few milliseconds. */
  readonly fineWheel: TimerWheel;
  /** What is told of it; `null` where nobody wants to know. */
  readonly record: ExchangeRecord | null;
}

const NOTHING_TRIED: readonly number[] = [];

/** The attempts of one exchange: which backends, in which order, and two at a time where that is wanted. */
export class Attempts {
  readonly #exchange: Trying;
  readonly #target: Target<Link>;
  /** Whether the request may reach two backends. */
  readonly repeatable: boolean;
  /** Whether the client belongs to the backend that it goes to. */
  #pinned = false;
  #first: HttpAttempt | null = null;
  /** A second attempt beside one that takes long. */
  #rival: HttpAttempt | null = null;
  /** `null` while no attempt has failed. */
  #failover: Failover | null = null;
  #hedging: Deadline | null = null;
  /** Until the next attempt; `null` where there is none to come. */
  #pause: Deadline | null = null;
  /** Whether there was a second attempt already: there is no third one. */
  #hedged = false;

  constructor(exchange: Trying, target: Target<Link>) {
    this.#exchange = exchange;
    this.#target = target;
    this.repeatable = target.retry.mayReachTwo(exchange.request);
  }

  /** The attempt that the request's body goes to, and whose response is sent; `null` while there is none. */
  get current(): HttpAttempt | null {
    return this.#first;
  }

  /** Whether two are under way, and nobody knows yet whose the response will be. */
  get race(): boolean {
    return this.#rival !== null;
  }

  /** Whether no backend has been asked, nor given up. */
  get untried(): boolean {
    return this.#first === null && this.#failover === null;
  }

  /** Chooses a backend and begins, now or when the gate of the pool lets it. @returns why there is none, 0 otherwise */
  begin(): 0 | typeof NONE | typeof FULL {
    const { pool, gate, affinity, key: poolKey } = this.#target.live;
    const { request, origin } = this.#exchange;
    const key = poolKey === null ? 0 : poolKey.ofRequest(request, origin);
    const pinned = affinity === null ? -1 : affinity.pinnedOf(request);
    this.#pinned = pinned !== -1;
    let index = pinned;
    if (gate !== null) index = gate.enter(this.#exchange, key, NOTHING_TRIED, pinned);
    else if (pinned === -1) index = pool.pick(key, NOTHING_TRIED);
    if (index >= 0) this.try(index);
    return index >= 0 || index === WAITING ? 0 : (index as typeof NONE | typeof FULL);
  }

  /** Begins an attempt on a backend. */
  try(index: number): void {
    const attempt = this.#make(index);
    this.#first = attempt;
    // A connection that has waited may be closing: it is for those that can be sent again.
    if (this.#failover === null) attempt.begin(this.repeatable ? "any" : "recent");
    else attempt.begin(this.#failover.reuse(this.repeatable));
  }

  /** Whether an attempt that the stale keep-alive race has ended may be sent again (RFC 9112 §9.3.1). */
  mayRepeat(attempt: HttpAttempt): boolean {
    return this.#whole() && (this.repeatable || !attempt.sent);
  }

  /** All of the request is with an attempt: from now on its backend is waited for. */
  asked(attempt: HttpAttempt): void {
    const { hedge } = this.#target;
    const { request, wheel, fineWheel } = this.#exchange;
    // A session is at one backend: the answer of another one would be quick and wrong.
    if (hedge === null || this.#pinned || !this.repeatable || request.upgrade) return;
    if (this.#hedged || !attempt.asked) return;
    const delayMs = hedge.delayMs(wheel.now);
    this.#hedging?.cancel();
    if (delayMs > 0) this.#hedging = new Deadline(fineWheel, delayMs, () => this.#askTwice(hedge, wheel.refresh()));
  }

  /**
   * An attempt has failed: what now?
   * @returns `null` when another one goes on; else why there is none, empty where nobody wanted one
   */
  failed(attempt: HttpAttempt, code: ErrorCode): string | null {
    const { sent, reached } = attempt;
    // What it was repeated for on a fresh connection, that one has not survived.
    const reset = reached && (!sent || isReset(code));
    if (this.#leavesRace(attempt, reset)) return null;
    if (this.#target.retry.wantedAfter(code, sent)) {
      // A backend that resets connections is not asked again; one that is slow may be, where there is no other.
      const same = sent && code !== "BACKEND_RESET" && code !== "BACKEND_INCOMPLETE";
      return this.#another(attempt, reset, same, code);
    }
    // A stale connection asks for a repetition by itself; it was refused.
    return attempt.stale ? this.#target.retry.hindrance(this.#exchange.request, sent, this.#whole()) : "";
  }

  /**
   * An attempt was answered with a status: is that of another one to be sent instead?
   * @param complete whether all of the request has come
   * @returns as `failed`
   */
  answered(attempt: HttpAttempt, status: number, complete: boolean): string | null {
    if (!this.#target.retry.wantedAfterStatus(status)) return "";
    if (this.#leavesRace(attempt, false)) return null;
    return complete ? this.#another(attempt, false, true, null) : "its body is still on its way";
  }

  /** The response will be that of this attempt. */
  settle(attempt: HttpAttempt): void {
    this.#hedging?.cancel();
    const rival = attempt === this.#first ? this.#rival : this.#first;
    this.#first = attempt;
    this.#rival = null;
    rival?.outrun();
  }

  /** Gives all of them up. */
  cancel(): void {
    this.#target.live.gate?.leave(this.#exchange);
    const first = this.#first;
    const rival = this.#rival;
    this.end();
    first?.cancel();
    rival?.cancel();
  }

  /** Ends what is at these backends, which were removed. Of an exchange that may be asked elsewhere it is no more than a failed attempt. */
  evict(links: ReadonlySet<object>): void {
    // What has its response is asked nowhere else: where that has no end, there would be ever more of these.
    if (this.#first?.responded !== true) this.#failovers().without(links);
    if (this.#first === null) {
      // It waits for room: where none but these could ever have some, for nothing.
      if (!this.#failovers().hopeless) return;
      this.#target.live.gate?.leave(this.#exchange);
      const why = "all backends of its pool were removed, and the time to finish is over";
      this.#exchange.turnedAway("POOL_NO_BACKEND", why);
      return;
    }
    for (const attempt of [this.#rival, this.#first])
      if (attempt !== null && links.has(attempt.link))
        attempt.fail("BACKEND_REMOVED", "its backend was removed, and the time to finish is over");
  }

  /** The exchange is over. */
  end(): void {
    this.#hedging?.cancel();
    this.#pause?.cancel();
    this.#first = null;
    this.#rival = null;
  }

  #make(index: number): HttpAttempt {
    const link = this.#target.live.links[index];
    if (link === undefined) throw new RangeError(`the pool has no backend ${index}`);
    const { record, wheel } = this.#exchange;
    const attempt = new HttpAttempt(this.#exchange, this.#target, index, link, wheel);
    if (record !== null) attempt.record = record.begin(link.id, wheel.now);
    return attempt;
  }

  /**
   * @param reset whether it was lost with a connection on which it had been sent
   * @param same whether the same backend will do where there is no other
   * @param code of the failure; `null` where it was answered
   * @returns as `failed`
   */
  #another(attempt: HttpAttempt, reset: boolean, same: boolean, code: ErrorCode | null): string | null {
    const { retry } = this.#target;
    const failover = this.#failovers();
    failover.add(attempt, reset);
    const now = this.#exchange.wheel.refresh();
    const failed = failover.describe(attempt.reached, reset, this.#whole());
    const refusal = retry.refusal(failed, now);
    if (refusal !== "") return refusal;
    const charged = retry.isCharged(failed);
    const pauseMs = failover.pauseMs(reset);
    if (code === null || pauseMs === 0) return this.#goOn(failover, attempt, charged, same);
    // At once, or all that pause together would find the same budget.
    if (charged) retry.spend(now);
    this.#first = null;
    this.#pause = new Deadline(this.#exchange.fineWheel, pauseMs, () => {
      this.#exchange.wheel.refresh();
      const why = this.#goOn(failover, attempt, false, same);
      if (why !== null) this.#exchange.turnedAway(code, `not retried: ${why}`);
    });
    return null;
  }

  /**
   * Begins another attempt after one that failed, now or when the gate lets it.
   * @param charged whether it is to be charged to the budget
   * @returns as `failed`
   */
  #goOn(failover: Failover, attempt: HttpAttempt, charged: boolean, same: boolean): string | null {
    const { retry, live } = this.#target;
    let next = failover.next();
    if (next === NONE && same) next = failover.again();
    // Had it been known that its backend is gone, it would have waited in the first place.
    else if (next === FULL && !same && live.gate !== null)
      next = live.gate.enter(this.#exchange, failover.key, failover.tried, -1);
    if (next === NONE) return NO_OTHER;
    if (next === FULL) return ALL_FULL;
    if (charged) retry.spend(this.#exchange.wheel.now);
    attempt.link.row.add(COLUMN.retries, 1);
    if (next === WAITING) this.#first = null;
    else this.try(next);
    return null;
  }

  /** The attempt takes long: another one beside it. */
  #askTwice(hedge: Hedge, now: number): void {
    const first = this.#first;
    if (first === null || !hedge.affordable(now) || !this.#whole()) return;
    const index = this.#failovers().other(first.index);
    if (index < 0) return;
    hedge.spend(now);
    this.#hedged = true;
    const rival = this.#make(index);
    rival.link.row.add(COLUMN.hedges, 1);
    if (rival.record !== null) rival.record.hedge = true;
    this.#rival = rival;
    rival.begin("any");
  }

  /** Whether it was one of two attempts, and the other one goes on alone. */
  #leavesRace(attempt: HttpAttempt, reset: boolean): boolean {
    const rival = this.#rival;
    if (rival === null) return false;
    this.#rival = null;
    this.#failover?.add(attempt, reset);
    if (attempt === this.#first) this.#first = rival;
    return true;
  }

  #failovers(): Failover {
    const { request, origin } = this.#exchange;
    return (this.#failover ??= new Failover(this.#target, request, origin));
  }

  /** Whether all of the body that has come is still there: a head without it would make a body of the next request. */
  #whole(): boolean {
    const { kept } = this.#exchange;
    return kept === null || kept.whole;
  }
}
