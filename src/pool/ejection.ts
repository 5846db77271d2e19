import type { PassivePlan, SuccessRatePlan } from "../health-plan.ts";

/** Why a backend was ejected. Rates from 0 to 1. */
export type EjectionCause =
  | { readonly kind: "failures"; readonly inARow: number }
  | { readonly kind: "success-rate"; readonly rate: number; readonly mean: number; readonly threshold: number };

/**
 * What the traffic has told of a backend. Times in milliseconds.
 *
 * `inARow` counts ejections: it makes the next one longer, and falls by one whenever the backend has behaved for as long as
 * the last that counts was.
 */
export type Ejection =
  | { readonly kind: "in"; readonly inARow: number; readonly sinceMs: number }
  | { readonly kind: "ejected"; readonly until: number; readonly cause: EjectionCause; readonly inARow: number };

/** A backend that was never ejected. */
export const NEVER_EJECTED: Ejection = { kind: "in", inARow: 0, sinceMs: 0 };

/** How long the n-th ejection in a row lasts. */
export function ejectionMs(inARow: number, plan: PassivePlan): number {
  return Math.min(plan.maxEjectMs, plan.ejectMs * inARow);
}

/** Ejections in a row that still count. O(ejections in a row). */
export function countedEjections(ejection: Ejection, now: number, plan: PassivePlan): number {
  if (ejection.kind === "ejected") return ejection.inARow;
  let { inARow } = ejection;
  let behavedMs = now - ejection.sinceMs;
  while (inARow > 0 && behavedMs >= ejectionMs(inARow, plan)) {
    behavedMs -= ejectionMs(inARow, plan);
    inARow -= 1;
  }
  return inARow;
}

/** Ejects; one that is ejected already stays so, and no longer than it would. */
export function eject(ejection: Ejection, cause: EjectionCause, now: number, plan: PassivePlan): Ejection {
  if (ejection.kind === "ejected") return ejection;
  // More than fill the longest ejection would only take longer to be forgotten.
  const most = Math.max(1, Math.ceil(plan.maxEjectMs / plan.ejectMs));
  const inARow = Math.min(most, countedEjections(ejection, now, plan) + 1);
  return { kind: "ejected", until: now + ejectionMs(inARow, plan), cause, inARow };
}

/** Takes back in what has served its time. */
export function release(ejection: Ejection, now: number): Ejection {
  if (ejection.kind === "in" || ejection.until > now) return ejection;
  return { kind: "in", inARow: ejection.inARow, sinceMs: ejection.until };
}

/** Takes back in at once what there is no more room for among the ejected. */
export function pardon(ejection: Ejection, now: number): Ejection {
  return ejection.kind === "in" ? ejection : { kind: "in", inARow: ejection.inARow, sinceMs: now };
}

/** How many of a pool may be ejected at a time. One backend alone never is. */
export function mostEjected(backends: number, plan: PassivePlan): number {
  return Math.floor(backends * plan.maxEjected);
}

/** What became of a backend's attempts within a window. */
export interface Sample {
  readonly attempts: number;
  readonly failures: number;
}

/** A sample that is too far below the others. */
export interface Outlier {
  /** Position in the samples. */
  readonly index: number;
  readonly cause: EjectionCause & { readonly kind: "success-rate" };
}

/**
 * Backends whose success rate is an outlier against the pool, the worst first. Only those with enough requests are compared,
 * and only where enough of them have. O(n log n).
 *
 * Envoy's `success_rate` detector (mean − 1.9 σ of the population), which with 5 backends is the least that finds one alone: its
 * deviation is √(n − 1) σ. Envoy has no margin, and ejects for one failure in a thousand where the others had none.
 */
export function findOutliers(samples: readonly Sample[], plan: SuccessRatePlan): readonly Outlier[] {
  const rates: { readonly index: number; readonly rate: number }[] = [];
  for (const [index, { attempts, failures }] of samples.entries()) {
    if (attempts >= plan.requests) rates.push({ index, rate: Math.max(0, 1 - failures / attempts) });
  }
  if (rates.length < plan.backends) return [];
  const mean = rates.reduce((sum, { rate }) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0) / rates.length;
  const threshold = mean - Math.max(plan.margin, plan.deviations * Math.sqrt(variance));
  return rates
    .filter(({ rate }) => rate < threshold)
    .sort((a, b) => a.rate - b.rate || a.index - b.index)
    .map(({ index, rate }) => ({ index, cause: { kind: "success-rate", rate, mean, threshold } }));
}

/** A cause in words. */
export function causeText(cause: EjectionCause): string {
  switch (cause.kind) {
    case "failures":
      return `${cause.inARow} failures in a row`;
    case "success-rate":
      return `success rate ${percent(cause.rate)}, below ${percent(cause.threshold)} where the pool has ${percent(cause.mean)}`;
  }
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}
