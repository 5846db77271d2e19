import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { plainHead } from "../../test/fixtures/fake-streams.ts";
import { DEFAULT_RETRY } from "../config/schema/defaults.ts";
import { type ErrorCode, EXCHANGE_ERROR_CODES } from "../errors.ts";
import type { RetryCause, RetryPlan } from "../plan.ts";
import { RetryBudget } from "../pool/retry-budget.ts";
import { Retry } from "./retry.ts";

const SPENT = { ratio: 0, floorPerSecond: 0, windowMs: 10_000 };

function retry(plan: Partial<RetryPlan> = {}, budget = new RetryBudget()): Retry {
  return new Retry({ ...DEFAULT_RETRY, ...plan }, budget);
}

const failed = { request: plainHead(), sent: true, whole: true, sends: 1, resets: 0 };

describe("by default", () => {
  test("what fails to connect is tried elsewhere, and what is reset without an answer", () => {
    const connecting = new Set<ErrorCode>([
      "BACKEND_REFUSED",
      "BACKEND_UNREACHABLE",
      "BACKEND_NAME",
      "BACKEND_CONNECT_TIMEOUT",
      "BACKEND_ATTEMPT_TIMEOUT",
      "BACKEND_RESET",
      "BACKEND_REMOVED",
    ]);
    for (const code of EXCHANGE_ERROR_CODES) {
      const reset = ["BACKEND_RESET", "BACKEND_INCOMPLETE", "BACKEND_REMOVED"].includes(code);
      expect([code, retry().wantedAfter(code, false)]).toEqual([code, connecting.has(code) || reset]);
      expect([code, retry().wantedAfter(code, true)]).toEqual([code, reset]);
    }
    for (const status of [200, 404, 500, 502, 503, 504]) expect(retry().wantedAfterStatus(status)).toBe(false);
  });

  test("idempotent methods may reach two backends (RFC 9110 §9.2.2)", () => {
    const may = (method: string): boolean => retry().mayReachTwo(plainHead({ method }));
    for (const method of ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]) expect(may(method)).toBe(true);
    for (const method of ["POST", "PATCH", "get", "GETS", "X"]) expect(may(method)).toBe(false);
  });
});

test("each cause covers its failures", () => {
  const covers = (on: RetryCause, sent: boolean): ErrorCode[] =>
    EXCHANGE_ERROR_CODES.filter((code) => retry({ on: [on] }).wantedAfter(code, sent));
  expect(covers("refused", false)).toEqual(["BACKEND_REFUSED"]);
  expect(covers("reset", true).sort()).toEqual(["BACKEND_INCOMPLETE", "BACKEND_REMOVED", "BACKEND_RESET"]);
  expect(covers("timeout", true).sort()).toEqual([
    "BACKEND_ATTEMPT_TIMEOUT",
    "BACKEND_CONNECT_TIMEOUT",
    "BACKEND_RESPONSE_TIMEOUT",
  ]);
  expect(covers("connect-failure", true)).toEqual([]);
});

test("says why there is no other attempt", () => {
  expect(retry().refusal(failed, 0)).toBe("");
  expect(retry({ attempts: 1 }).refusal(failed, 0)).toBe("one attempt is all it may have");
  expect(retry({ attempts: 1 }).refusal({ ...failed, sent: false, sends: 0 }, 0)).toBe(
    "one attempt is all it may have",
  );
  expect(retry().refusal({ ...failed, sends: 3 }, 0)).toBe("it has had its 3 attempts");
  expect(retry().refusal({ ...failed, whole: false }, 0)).toBe("its body was too long to be kept");
  expect(retry().refusal({ ...failed, request: plainHead({ method: "POST" }) }, 0)).toBe(
    "a POST must not be sent twice",
  );
  expect(retry({}, new RetryBudget(SPENT)).refusal(failed, 0)).toBe("the retry budget of its pool is spent");
});

test("what was not sent is bounded by no number, and pays nothing", () => {
  const broke = retry({ attempts: 2 }, new RetryBudget(SPENT));
  // A second attempt that was sent is not made, so that one at the most can have been before it.
  for (const sends of [0, 1]) expect(broke.refusal({ ...failed, sent: false, sends }, 0)).toBe("");
});

test("the first connection that is lost pays nothing, those after it do", () => {
  const broke = retry({ attempts: 9 }, new RetryBudget(SPENT));
  expect(broke.refusal({ ...failed, resets: 1 }, 0)).toBe("");
  expect(broke.isCharged({ ...failed, resets: 1 })).toBe(false);
  expect(broke.refusal({ ...failed, sends: 2, resets: 2 }, 0)).toBe("the retry budget of its pool is spent");
  expect(broke.isCharged({ ...failed, sends: 2, resets: 2 })).toBe(true);
});

test("property: what may not reach two backends never does once it was sent, and the budget pays for what may", () => {
  const method = fc.constantFrom("GET", "POST", "PUT", "PATCH");
  const methods = fc.subarray(["GET", "POST", "PUT", "PATCH"]);
  const counts = fc.record({ sends: fc.nat(5), resets: fc.nat(3), attempts: fc.integer({ min: 1, max: 5 }) });
  fc.assert(
    fc.property(
      method,
      methods,
      fc.boolean(),
      fc.boolean(),
      counts,
      (name, allowed, sent, whole, { sends, resets, attempts }) => {
        const request = plainHead({ method: name });
        const facts = { request, sent, whole, sends, resets };
        const refused = retry({ methods: allowed, attempts }).refusal(facts, 0) !== "";
        const must = attempts === 1 || !whole || (sent && (sends >= attempts || !allowed.includes(name)));
        expect(refused).toBe(must);
        const unpaid = retry({ methods: allowed, attempts }, new RetryBudget(SPENT)).refusal(facts, 0) !== "";
        expect(unpaid).toBe(must || (sent && resets !== 1));
      },
    ),
  );
});
