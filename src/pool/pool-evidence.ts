import { type ErrorCode, ERRORS } from "../errors.ts";
import type { PassivePlan, ProbePlan } from "../health-plan.ts";
import type { HealthWords } from "../observe/health-words.ts";
import { hasStatus } from "./status-set.ts";

/** What a client is told to wait for a pool without probes: nobody knows when one of its backends takes work again. */
const RETRY_SECONDS = 5;

/**
 * What one worker's traffic tells of the health of a pool, and what it is to know of the pool as a whole. Costs a plain read
 * for an attempt that goes well, and nothing where the plan wants no evidence.
 */
export class PoolEvidence {
  /** Seconds after which a client may try again that found no backend: the time until all have been probed once more. */
  readonly retryAfterSeconds: number;
  readonly #words: HealthWords;
  readonly #pool: number;
  readonly #rows: readonly number[];
  /** Failures in a row that eject; 0 where nobody wants to know of them. */
  readonly #failures: number;
  readonly #statuses: PassivePlan["statuses"];

  /**
   * @param pool its position in the plan
   * @param rows of its backends in the words
   */
  constructor(
    words: HealthWords,
    pool: number,
    rows: readonly number[],
    plan: { readonly passive: PassivePlan | null; readonly probe: ProbePlan | null },
  ) {
    this.#words = words;
    this.#pool = pool;
    this.#rows = rows;
    this.#failures = plan.passive?.failures ?? 0;
    this.#statuses = plan.passive?.statuses ?? [];
    this.retryAfterSeconds = plan.probe === null ? RETRY_SECONDS : Math.max(1, Math.ceil(plan.probe.intervalMs / 1000));
  }

  /** Whether too few backends are healthy, so that all of them get work. */
  get panics(): boolean {
    return this.#words.panic(this.#pool);
  }

  /** An attempt on a backend, by its position, has failed. Counts only what is the backend's fault, and not that of a slow upload. */
  failed(index: number, code: ErrorCode): void {
    if (this.#failures === 0 || ERRORS[code].source !== "backend" || code === "BACKEND_SLOW_READER") return;
    this.#words.failed(this.#pool, this.#rows[index]!, this.#failures);
  }

  /** A backend has answered with a final status. */
  answered(index: number, status: number): void {
    if (this.#failures === 0) return;
    if (hasStatus(this.#statuses, status)) this.#words.failed(this.#pool, this.#rows[index]!, this.#failures);
    else this.#words.succeeded(this.#rows[index]!);
  }

  /** A backend has accepted a connection, which is all that is to be known in mode `tcp`. */
  connected(index: number): void {
    if (this.#failures !== 0) this.#words.succeeded(this.#rows[index]!);
  }

  /** A backend has asked in a response to be drained. */
  asksToDrain(index: number): void {
    this.#words.asksToDrain(this.#pool, this.#rows[index]!);
  }
}
