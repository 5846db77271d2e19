import { expect, test } from "bun:test";
import fc from "fast-check";
import { explain, explainRoutes, matches } from "./explain-routes.ts";
import { type RouteMatch, RouteTable } from "./table.ts";

const hosts = ["a.test", "b.test", "x.a.test", "y.x.a.test"];
const paths = ["/", "/v1", "/v1/x", "/v1/x/y", "/v2"];
const match = fc.record({
  host: fc.option(fc.constantFrom("a.test", "b.test", "x.a.test", "*.a.test", "*.test", "*.x.a.test")),
  path: fc.option(fc.constantFrom("/", "/v1", "/v1/x", "/v1/*", "/v1/x/*", "/*", "/v2")),
});
const routes = fc.array(match, { maxLength: 12 });

function table(matchers: readonly RouteMatch[]): RouteTable<number> {
  return new RouteTable(matchers.map((each, position) => [each, position] as const));
}

function verdicts(matchers: readonly RouteMatch[], host: string, path: string): string[] {
  return explain(table(matchers), matchers, host, path).considered.map(({ verdict }) => verdict);
}

test("property: what is explained as chosen is what is found, and whatever else matches is told to", () => {
  fc.assert(
    fc.property(routes, fc.constantFrom(...hosts), fc.constantFrom(...paths), (matchers, host, path) => {
      const found = table(matchers).find(host, path) ?? -1;
      const { chosen, considered, left } = explain(table(matchers), matchers, host, path);
      expect([chosen, left, considered.length]).toEqual([found, 0, matchers.length]);
      for (const { position, verdict } of considered) {
        const alone = matches(matchers[position]!, host, path);
        expect(verdict === "chosen").toBe(position === found);
        expect(alone).toBe(verdict === "chosen" || verdict === "less-specific" || verdict === "shadowed");
        // Without the chosen one, what was less specific has its turn.
        const rest = matchers.filter((_, at) => at !== found);
        if (verdict === "less-specific") expect(table(rest).find(host, path)).not.toBeNull();
      }
    }),
    { seed: 5, numRuns: 2000 },
  );
});

test("says of each route whether host or path is in the way, and which is narrower", () => {
  const matchers = [
    { host: null, path: null },
    { host: "a.test", path: "/v1/*" },
    { host: "a.test", path: "/v2" },
    { host: "b.test", path: "/v1/*" },
    { host: "*.test", path: null },
    { host: "a.test", path: "/v1/*" },
  ];
  expect(verdicts(matchers, "a.test", "/v1/x")).toEqual([
    "less-specific",
    "chosen",
    "path",
    "host",
    "less-specific",
    "shadowed",
  ]);
  expect(verdicts(matchers, "c.example", "/")).toEqual(["chosen", "host", "host", "host", "host", "host"]);
});

test("tells of some routes one by one, and of the chosen one wherever it stands", () => {
  const matchers = Array.from({ length: 50 }, (_, i) => ({ host: `h${i}.test`, path: null }));
  const told = explainRoutes(matchers, 30, "h30.test", "/", 10);
  expect(told.considered.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 30]);
  expect(told.left).toBe(39);
});
