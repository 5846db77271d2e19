import { WeirError } from "../../errors.ts";
import type { HedgePlan, RetryCause } from "../../plan.ts";
import { parseDuration } from "../../units.ts";

/** One thing that leads to another attempt: a failure, or a response with a status. */
export type RetryOn = { readonly cause: RetryCause } | { readonly status: number };

/** The failures that may stand in `retry.on`. */
export const RETRY_CAUSES: readonly RetryCause[] = ["connect-failure", "refused", "reset", "timeout"];

/** Of a method (RFC 9110 §5.6.2). */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** Reads what leads to another attempt. @throws CONFIG_BAD_VALUE */
export function parseRetryOn(value: string | number): RetryOn {
  const cause = RETRY_CAUSES.find((each) => each === value);
  if (cause !== undefined) return { cause };
  const text = String(value);
  if (/^[45]\d\d$/.test(text)) return { status: Number(text) };
  throw bad(value, "nothing that a retry follows", `${RETRY_CAUSES.join(", ")}, or a status from 400 to 599`);
}

/** Reads a method. @throws CONFIG_BAD_VALUE */
export function parseRetryMethod(text: string): string {
  if (TOKEN.test(text) && text !== "CONNECT") return text;
  throw bad(text, "no method", 'a method such as "GET" or "POST"; CONNECT is never sent twice');
}

/** Reads a part of the whole: `20%`, or 0.2. @throws CONFIG_BAD_VALUE */
export function parseShare(value: string | number): number {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(String(value))?.[1];
  const share = percent === undefined ? Number(value) : Number(percent) / 100;
  if (share >= 0 && share <= 1 && String(value).trim() !== "") return share;
  throw bad(value, "no part of the requests", 'a percentage such as "20%", or a number from 0 to 1');
}

/** Reads when a second attempt is made: a duration, or the quantile of the pool's latencies. @throws CONFIG_BAD_VALUE */
export function parseHedgeAfter(value: string | number): HedgePlan["after"] {
  const quantile = /^p(\d{1,2}(?:\.\d+)?)$/.exec(String(value))?.[1];
  if (quantile === undefined) {
    const milliseconds = parseDuration(value);
    if (milliseconds > 0) return { kind: "time", milliseconds };
  } else if (Number(quantile) > 0) return { kind: "quantile", q: Number(quantile) / 100 };
  throw bad(value, "no time after which to ask twice", 'a quantile such as "p95", or a duration such as "50ms"');
}

function bad(value: string | number, what: string, use: string): WeirError {
  return new WeirError("CONFIG_BAD_VALUE", `${JSON.stringify(value)} is ${what}; use ${use}`);
}
