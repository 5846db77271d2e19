import { z } from "zod";
import { DEFAULT_HEDGE, DEFAULT_RETRY } from "./defaults.ts";
import { choice, duration, key, reading, whole } from "./leaves.ts";
import { parseHedgeAfter, parseRetryMethod, parseRetryOn, parseShare, RETRY_CAUSES } from "./retry-parts.ts";
import { DEFAULT_RETRY_BUDGET } from "../../pool/retry-budget.ts";

const SECTION = { expects: "a section with keys", type: "section" } as const;
const numeric = z.union([z.string(), z.number()]);
const CAUSES = RETRY_CAUSES.join(", ");

function share(meaning: string, fallback: number): z.ZodType<number, string | number> {
  return key(numeric.transform(reading(parseShare)), meaning, {
    expects: 'a percentage such as "20%", or a number from 0 to 1',
    type: "percentage",
    fallback: `${fallback * 100}%`,
  });
}

const routeRetry = z.strictObject({
  attempts: whole(
    "Backends that one request may be sent to, in all. One that could not be connected to is not counted, so that each other one is tried; 1 is no retry at all, of a TCP connection neither. What is sent again over a fresh connection because a used one was closed under it is not counted either.",
    DEFAULT_RETRY.attempts,
    1,
    100,
  ).optional(),
  on: key(
    z
      .array(
        key(numeric.transform(reading(parseRetryOn)), "A failure or a status.", {
          expects: `${CAUSES}, or a status from 400 to 599`,
          type: "failure or status",
        }),
      )
      .readonly(),
    "What leads to another attempt, on another backend while there is one: failures, and responses by their status. `connect-failure` is all that fails before a byte of the request was sent.",
    {
      expects: `a list of ${CAUSES} and statuses from 400 to 599`,
      type: "list of `connect-failure`, `refused`, `reset`, `timeout` and statuses",
      fallback: "`connect-failure`, `reset`",
    },
  ).optional(),
  perAttemptTimeout: duration(
    "How long one attempt may take until its response's head, the connecting included, not the time in which the client still sends; 0 for no other limit than those of `timeouts`.",
    0,
  ).optional(),
  methods: key(
    z
      .array(
        key(z.string().transform(reading(parseRetryMethod)), "A method.", {
          expects: 'a method such as "GET"',
          type: "method",
        }),
      )
      .readonly(),
    "Methods of requests that may reach two backends; of others no byte may have been sent.",
    {
      expects: "a list of methods",
      type: "list of methods",
      fallback: "the idempotent ones (RFC 9110 §9.2.2)",
    },
  ).optional(),
});

const poolRetry = routeRetry.extend({
  budget: share(
    "Part of the requests of ten seconds that may be tried again after a backend may have worked on them.",
    DEFAULT_RETRY_BUDGET.ratio,
  ).optional(),
  budgetFloor: whole(
    "So many of these a second in any case, over all workers.",
    DEFAULT_RETRY_BUDGET.floorPerSecond,
    0,
    1_000_000,
  ).optional(),
});

const longHedge = z.strictObject({
  after: key(
    numeric.transform(reading(parseHedgeAfter)),
    "How long the first attempt is waited for: a time, or the time that this part of the pool's answers keep to.",
    {
      expects: 'a quantile such as "p95", or a duration such as "50ms"',
      type: "quantile or duration",
      fallback: "p95",
    },
  ).optional(),
  budget: share("Part of the requests that may be asked for twice.", DEFAULT_HEDGE.budget).optional(),
});

const hedge = key(
  z.union([choice(["off"], "No second attempts.", "off"), key(longHedge, "When to ask twice.", SECTION)]),
  "A second attempt elsewhere for an idempotent request that takes long; the first answer wins. See [resilience.md](resilience.md).",
  { expects: '"off" or a section', type: "`off` or section", fallback: "off" },
);

/** `retry` of a pool. */
export const poolRetrySchema: typeof poolRetry = key(
  poolRetry,
  "When an attempt that failed is followed by another one; see [resilience.md](resilience.md).",
  SECTION,
);
/** `retry` of a route. */
export const routeRetrySchema: typeof routeRetry = key(
  routeRetry,
  "When an attempt that failed is followed by another one; each key over that of the pool.",
  SECTION,
);
/** `hedge` of a pool or a route. */
export const hedgeSchema: typeof hedge = hedge;

/** `retry`, read. */
export type ReadRetry = z.output<typeof poolRetry>;
/** `hedge`, read. */
export type ReadHedge = z.output<typeof hedge>;
