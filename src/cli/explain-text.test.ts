import { expect, test } from "bun:test";
import type { BackendExplained, Explanation } from "../engine/explanation.ts";
import type { RouteConsidered } from "../route/explain-routes.ts";
import { explanationText } from "./explain-text.ts";

function backend(index: number, said: Partial<BackendExplained> = {}): BackendExplained {
  return {
    backend: `10.0.0.${index}:80`,
    states: [],
    why: "",
    weight: 1,
    effectiveWeight: 1,
    inFlight: 0,
    limit: null,
    latencyMs: null,
    failing: null,
    score: null,
    odds: 0,
    refused: "",
    ...said,
  };
}

function explained(backends: readonly BackendExplained[], considered: readonly RouteConsidered[] = []): Explanation {
  return {
    worker: 0,
    request: { method: "GET", host: "a.test", path: "/", from: "192.0.2.1", trusted: true },
    listener: { name: "web", address: ":80", mode: "http", why: "it was named" },
    routes: { chosen: 0, considered, left: 0 },
    pool: {
      name: "app",
      policy: "two-choices",
      compares: "load",
      why: "",
      key: null,
      affinity: { cookie: "weir", named: "10.0.0.9:80", pinned: null, why: "it expired" },
      limits: { outcome: "waits", why: "the pool is full", most: 5, learnt: 3, taken: 5, waiting: 2 },
      panic: true,
      backends,
      left: 7,
    },
    choice: { outcome: "waits", backend: null, possible: [], by: "gate", why: "the pool is full", code: null },
  };
}

test("a table of what there is to say, and no column of which nothing is", () => {
  const failing = backend(1, { states: ["drain"], effectiveWeight: 0, why: "drains", failing: 0.25, odds: null });
  const text = explanationText(explained([backend(0, { inFlight: 3, limit: 4 }), failing]), "worker 0");
  expect(text.split("\n")).toEqual([
    "GET a.test/ from 192.0.2.1, a trusted proxy; asked: worker 0",
    "",
    "listener  web  :80  (http; it was named)",
    "",
    "routes",
    "",
    "pool  app  two-choices  PANIC: too few backends are healthy",
    "  cookie  weir: of 10.0.0.9:80; it expired",
    "  limits  waits: the pool is full; 5 of 5 in flight in the pool, 3 learnt for this worker, 2 wait",
    "",
    "  backend      state  weight  in flight  odds",
    "  10.0.0.0:80  up     1       3 of 4",
    "  10.0.0.1:80  drain  1 → 0   0          ?     drains; 25 % of its attempts fail",
    "  … and 7 more",
    "  score: load",
    "",
    "→ waits for a backend with room, by the limits of the pool: the pool is full",
  ]);
});

test("of many routes and backends the first are listed, and those that matter", () => {
  const routes = Array.from({ length: 100 }, (_, position): RouteConsidered => {
    return { position, host: `h${position}.test`, path: "/*", verdict: position === 90 ? "chosen" : "host" };
  });
  const text = explanationText(
    explained(
      Array.from({ length: 80 }, (_, i) => backend(i)),
      routes,
    ),
    "worker 0",
  );
  expect(text).toContain("*  91  h90.test /*  chosen");
  expect(text).toContain("  … and 79 more");
  expect(text).toContain("  … and 37 more");
});

test("where no listener takes it there is nothing more to say", () => {
  const choice = { outcome: "refused", backend: null, possible: [], by: "listener", code: null } as const;
  const nobody = { ...explained([]), listener: null, routes: null, pool: null };
  expect(
    explanationText({ ...nobody, choice: { ...choice, why: "none is named so" } }, "worker 0").split("\n"),
  ).toEqual([
    "GET a.test/ from 192.0.2.1, a trusted proxy; asked: worker 0",
    "",
    "→ refused, no listener takes it: none is named so",
  ]);
});
