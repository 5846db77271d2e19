import { expect, test } from "bun:test";
import { explainLine } from "./explain-line.ts";
import type { BackendExplained, Explanation } from "./explanation.ts";

function backend(index: number, said: Partial<BackendExplained> = {}): BackendExplained {
  return {
    backend: `10.0.0.${index}:80`,
    states: [],
    why: "",
    weight: 1,
    effectiveWeight: 1,
    inFlight: 2,
    limit: null,
    latencyMs: null,
    failing: null,
    score: 1 / 3,
    odds: 1,
    refused: "",
    ...said,
  };
}

function explained(backends: readonly BackendExplained[]): Explanation {
  return {
    worker: 1,
    request: { method: "GET", host: "a.test", path: "/", from: "192.0.2.1", trusted: false },
    listener: { name: "web", address: "127.0.0.1:80", mode: "http", why: "" },
    routes: { chosen: 0, considered: [{ position: 0, host: "a.test", path: null, verdict: "chosen" }], left: 0 },
    pool: {
      name: "app",
      policy: "ring",
      compares: "",
      why: "",
      key: { parts: ["header:x-user", "source"], hash: 4_000_000_000 },
      affinity: null,
      limits: null,
      panic: true,
      backends,
      left: 5,
    },
    choice: {
      outcome: "goes",
      backend: "10.0.0.0:80",
      possible: [],
      by: "policy",
      why: 'says "so"\r\nX: y',
      code: null,
    },
  };
}

test("is one dictionary of RFC 8941, whatever is in it", () => {
  const line = explainLine(
    explained([backend(0), backend(1, { states: ["drain"], refused: "full", odds: 0 })]),
    "10.0.0.1:80",
  );
  expect(line.toString()).toBe(
    'weir-explain: worker=1, listener="web", route="a.test/*", pool="app", policy="ring", ' +
      'key=4000000000;of="header:x-user+source", panic=?1, outcome=goes, backend="10.0.0.0:80", by=policy, ' +
      'why="says \\"so\\"??X: y", answered="10.0.0.1:80", ' +
      'backends=("10.0.0.0:80";weight=1;inflight=2;score=0.333;odds=1 ' +
      '"10.0.0.1:80";weight=1;inflight=2;score=0.333;odds=0;drain;refused="full"), more=5\r\n',
  );
});

test("is bounded, whatever there is to tell, and says what it leaves out", () => {
  const many = Array.from({ length: 500 }, (_, i) => backend(i, { refused: "x".repeat(i) }));
  const base = explained(many);
  const line = explainLine({ ...base, choice: { ...base.choice, why: "y".repeat(10_000) } }, "z".repeat(5000));
  expect(line.length).toBeLessThanOrEqual(2048);
  const told = [...line.toString().matchAll(/"10\.0\.0\.\d+:80";weight/g)].length;
  expect(told).toBeGreaterThan(5);
  expect(line.toString()).toEndWith(`, more=${500 - told + 5}\r\n`);
});
