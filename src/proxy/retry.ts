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
  /** Backends tried, this one among them. */
  readonly tried: number;
}

/** Says which failures lead to another attempt, and for which requests. Pure but for the budget that it draws on. */
export class Retry {
  /** Backends tried for one request, in all. */
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
    this.#methods = plan.methods.map((method) => Buffer.from(method));
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
   * Why there is no other attempt; empty where there may be one, and `spend` is to be called for it where `sent`.
   *
   * Only an attempt that may have made its backend work is charged: trying elsewhere what could not even be connected
   * multiplies nothing, and a budget for it would turn the loss of two backends of three into errors.
   */
  refusal({ request, sent, whole, tried }: Failed, now: number): string {
    const { attempts } = this;
    if (tried >= attempts)
      return attempts === 1 ? "one attempt is all it may have" : `it has had its ${attempts} attempts`;
    const hindrance = this.hindrance(request, sent, whole);
    if (hindrance !== "") return hindrance;
    return !sent || this.#budget.affords(now) ? "" : "the retry budget of its pool is spent";
  }

  /** Why a request cannot be sent again, to whichever backend; empty where it can. */
  hindrance(request: Head, sent: boolean, whole: boolean): string {
    // What must not be sent again is not kept either.
    if (sent && !this.mayReachTwo(request)) return `a ${request.method} must not be sent twice`;
    return whole ? "" : "its body was too long to be kept";
  }
}

/** What a failure counts as. */
function causesOf(code: ErrorCode, sent: boolean): readonly RetryCause[] {
  const causes: RetryCause[] = [];
  if (!sent && ERRORS[code].retry) causes.push("connect-failure");
  switch (code) {
    case "BACKEND_REFUSED":
      causes.push("refused");
      break;
    case "BACKEND_RESET":
    case "BACKEND_INCOMPLETE":
    case "BACKEND_REMOVED":
      causes.push("reset");
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
