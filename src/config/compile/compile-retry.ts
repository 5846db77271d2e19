import type { HedgePlan, PoolPlan, RetryCause, RetryPlan } from "../../plan.ts";
import { DEFAULT_RETRY_BUDGET } from "../../pool/retry-budget.ts";
import { DEFAULT_HEDGE, DEFAULT_RETRY } from "../schema/defaults.ts";
import type { RetryOn } from "../schema/retry-parts.ts";
import type { ReadHedge, ReadRetry } from "../schema/retry-schema.ts";

/** Lays what is set nearer over what is set further out. */
export function overRetry(under: RetryPlan, own: Omit<ReadRetry, "budget" | "budgetFloor"> | undefined): RetryPlan {
  if (own === undefined) return under;
  return {
    attempts: own.attempts ?? under.attempts,
    on: own.on === undefined ? under.on : causesOf(own.on),
    statuses: own.on === undefined ? under.statuses : statusesOf(own.on),
    attemptMs: own.perAttemptTimeout ?? under.attemptMs,
    methods: own.methods ?? under.methods,
  };
}

/** `retry` of a pool. */
export function retryOf(read: ReadRetry | undefined): RetryPlan {
  return overRetry(DEFAULT_RETRY, read);
}

/** What `retry` of a pool says of its budget. */
export function retryBudgetOf(read: ReadRetry | undefined): PoolPlan["retryBudget"] {
  return {
    ratio: read?.budget ?? DEFAULT_RETRY_BUDGET.ratio,
    floorPerSecond: read?.budgetFloor ?? DEFAULT_RETRY_BUDGET.floorPerSecond,
  };
}

/** `hedge` of a route, or that of its pool. */
export function hedgeOf(route: ReadHedge | undefined, pool: ReadHedge | undefined): HedgePlan | null {
  const read = route ?? pool;
  if (read === undefined || read === "off") return null;
  const under = pool === undefined || pool === "off" ? {} : pool;
  return {
    after: read.after ?? under.after ?? DEFAULT_HEDGE.after,
    budget: read.budget ?? under.budget ?? DEFAULT_HEDGE.budget,
  };
}

function causesOf(on: readonly RetryOn[]): RetryCause[] {
  return on.flatMap((each) => ("cause" in each ? [each.cause] : []));
}

function statusesOf(on: readonly RetryOn[]): RetryPlan["statuses"] {
  return on.flatMap((each) => ("status" in each ? [[each.status, each.status] as const] : []));
}
