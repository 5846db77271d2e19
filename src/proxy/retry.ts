import { type ErrorCode, ERRORS } from "../errors.ts";
import type { Head } from "../http/head.ts";
import type { RetryCause, RetryPlan } from "../plan.ts";
import { hasStatus } from "../pool/status-set.ts";
import type { RetryBudget } from "../pool/retry-budget.ts";

/** What is to be known of an attempt that failed before anything of its response reached the client. */
export interface Failed {
  readonly request: Head;
  /** Whether any byte of the request may have reached the backend. */
  readonly sent: boolean;
  /** Whether all that the backend was sent is still there to be sent again. */
  readonly whole: boolean;
  /** How many attempts may have sent a byte of it, this one among them. */
  readonly sends: number;
  /** How many of these were lost with their connection, this one among them; 0 where this one was not. */
  readonly resets: number;
}

/** Whether a failure says that a connection was lost on which the request had been sent. */
export function isReset(code: ErrorCode): boolean {
  return code === "BACKEND_RESET" || code === "BACKEND_INCOMPLETE" || code === "BACKEND_REMOVED";
}

/** Says which failures lead to another attempt, and for which requests. Pure but for the budget that it draws on. */
export class Retry {
  /** Backends that one request may be sent to, in all; 1 goes nowhere else either after what could not be connected to. */
  readonly attempts: number;
  /** How long an attempt may take until its response's head; 0 for no limit of its own. */
  readonly attemptMs: number;
  readonly #plan: RetryPlan;
  readonly #budget: RetryBudget;
  readonly #methods: readonly Buffer[];

  constructor(plan: RetryPlan, budget: RetryBudget) {
    this.attempts = plan.attempts;
    this.attemptMs = plan.attemptMs;
    this.#plan = plan;
    this.#budget = budget;
    this.#methods = methodsOf(plan);
  }

  /** Whether an attempt that failed by an error is to be followed by another one, were it possible. */
  wantedAfter(code: ErrorCode, sent: boolean): boolean {
    const { on } = this.#plan;
    return causesOf(code, sent).some((cause) => on.includes(cause));
  }

  /** Whether an attempt that was answered with a status is to be followed by another one, were it possible. */
  wantedAfterStatus(status: number): boolean {
    return hasStatus(this.#plan.statuses, status);
  }

  /** Whether a request may reach two backends: its method is idempotent, or the configuration names it. */
  mayReachTwo(request: Head): boolean {
    return this.#methods.some((method) => request.methodIs(method));
  }

  /** Counts an attempt after one that may have made its backend work. */
  spend(now: number): void {
    this.#budget.spend(now);
  }

  /**
   * Why there is no other attempt; empty where there may be one, and `spend` is to be called for it where `isCharged`.
   *
   * What could not even be connected to costs nothing: going on multiplies no work, and a bound on it would turn the loss of
   * some backends, before they are ejected, into errors. What was sent is bounded, since it may be the request that kills.
   */
  refusal(failed: Failed, now: number): string {
    const { attempts } = this;
    if (attempts === 1) return "one attempt is all it may have";
    const { request, sent, whole, sends } = failed;
    if (sent && sends >= attempts) return `it has had its ${attempts} attempts`;
    const hindrance = this.hindrance(request, sent, whole);
    if (hindrance !== "") return hindrance;
    return !this.isCharged(failed) || this.#budget.affords(now) ? "" : "the retry budget of its pool is spent";
  }

  /**
   * Whether an attempt after this failure is charged to the budget. The first one after a reset is not: a backend that dies takes
   * with it all that it had in hand, which may be more than any part of the requests that came lately.
   */
  isCharged({ sent, resets }: Failed): boolean {
    return sent && resets !== 1;
  }

  /** Why a request cannot be sent again, to whichever backend; empty where it can. */
  hindrance(request: Head, sent: boolean, whole: boolean): string {
    // What must not be sent again is not kept either.
    if (sent && !this.mayReachTwo(request)) return `a ${request.method} must not be sent twice`;
    return whole ? "" : "its body was too long to be kept";
  }
}

/** Ten thousand routes with the same plan would have made 60,000 buffers otherwise, each of which collections of garbage look at. */
const METHODS = new WeakMap<RetryPlan, readonly Buffer[]>();

function methodsOf(plan: RetryPlan): readonly Buffer[] {
  let methods = METHODS.get(plan);
  if (methods === undefined) METHODS.set(plan, (methods = plan.methods.map((method) => Buffer.from(method))));
  return methods;
}

/** What a failure counts as. */
function causesOf(code: ErrorCode, sent: boolean): readonly RetryCause[] {
  const causes: RetryCause[] = [];
  if (!sent && ERRORS[code].retry) causes.push("connect-failure");
  if (isReset(code)) causes.push("reset");
  switch (code) {
    case "BACKEND_REFUSED":
      causes.push("refused");
      break;
    case "BACKEND_CONNECT_TIMEOUT":
    case "BACKEND_RESPONSE_TIMEOUT":
    case "BACKEND_ATTEMPT_TIMEOUT":
      causes.push("timeout");
      break;
    default:
  }
  return causes;
}
