import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type RouteMatch, RouteTable } from "./table.ts";

function table(...routes: (readonly [host: string | null, path: string | null, to: string])[]): RouteTable<string> {
  return new RouteTable(routes.map(([host, path, to]) => [{ host, path }, to] as const));
}

describe("the most specific route wins", () => {
  const routes = table(
    [null, null, "rest"],
    [null, "/v1/*", "any v1"],
    ["*.example.com", null, "below"],
    ["*.api.example.com", null, "below api"],
    ["a.example.com", "/v1/*", "a v1"],
    ["a.example.com", "/v1/users/*", "a users"],
    ["a.example.com", "/v1/users/me", "a me"],
  );
  const cases: readonly (readonly [string, string, string])[] = [
    ["other.org", "/", "rest"],
    ["other.org", "/v1/x", "any v1"],
    ["other.org", "/v1/", "any v1"],
    ["other.org", "/v1", "rest"],
    ["other.org", "/v10", "rest"],
    ["b.example.com", "/", "below"],
    ["b.example.com", "/v1/x", "below"],
    ["x.y.example.com", "/", "below"],
    ["x.api.example.com", "/", "below api"],
    ["api.example.com", "/", "below"],
    ["example.com", "/", "rest"],
    ["notexample.com", "/", "rest"],
    ["a.example.com", "/v1/x", "a v1"],
    ["a.example.com", "/v1/users/you", "a users"],
    ["a.example.com", "/v1/users/me", "a me"],
    ["a.example.com", "/v1/users/me/x", "a users"],
    ["a.example.com", "/elsewhere", "below"],
    ["", "/", "rest"],
    ["other.org", "*", "rest"],
  ];
  for (const [host, path, to] of cases) test(`${host}${path} → ${to}`, () => expect(routes.find(host, path)).toBe(to));
});

test("nothing matches, nothing is found", () => {
  expect(table(["a", "/x", "1"]).find("a", "/y")).toBeNull();
  expect(table(["a", "/x", "1"]).find("b", "/x")).toBeNull();
  expect(table().find("a", "/")).toBeNull();
});

test("tells what it looks at", () => {
  const needs = ({ needsHost, needsPath }: RouteTable<string>): [boolean, boolean] => [needsHost, needsPath];
  expect(needs(table([null, null, "1"]))).toEqual([false, false]);
  expect(needs(table([null, "/*", "1"]))).toEqual([false, false]);
  expect(needs(table(["a", null, "1"]))).toEqual([true, false]);
  expect(needs(table([null, "/a", "1"]))).toEqual([false, true]);
  expect(needs(table(["*.a", "/a/*", "1"]))).toEqual([true, true]);
});

// The reference: tries every route and keeps the most specific.

function hostRank(pattern: string | null, host: string): number {
  if (pattern === null) return 0;
  if (pattern.startsWith("*.")) return host.endsWith(pattern.slice(1)) ? pattern.length : -1;
  return pattern === host ? 1_000 : -1;
}

function pathRank(pattern: string | null, path: string): number {
  if (pattern === null || pattern === "/*") return 0;
  if (pattern.endsWith("/*")) return path.startsWith(pattern.slice(0, -1)) ? pattern.length : -1;
  return pattern === path ? 1_000 : -1;
}

function reference(routes: readonly RouteMatch[], host: string, path: string): RouteMatch | null {
  let best: RouteMatch | null = null;
  let bestRank = -1;
  for (const route of routes) {
    const [ofHost, ofPath] = [hostRank(route.host, host), pathRank(route.path, path)];
    if (ofHost === -1 || ofPath === -1) continue;
    const rank = ofHost * 10_000 + ofPath;
    if (rank > bestRank) [best, bestRank] = [route, rank];
  }
  return best;
}

const label = fc.constantFrom("a", "b", "api");
const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
const path = fc
  .array(fc.constantFrom("", "v1", "v2", "x"), { maxLength: 4 })
  .map((segments) => `/${segments.join("/")}`);
const hostPattern = fc.oneof(
  fc.constant(null),
  host,
  host.map((name) => `*.${name}`),
);
const pathPattern = fc.oneof(
  fc.constant(null),
  path,
  path.map((name) => `${name}/*`.replace("//*", "/*")),
);
const match: fc.Arbitrary<RouteMatch> = fc.record({ host: hostPattern, path: pathPattern });
/** No two match the same requests: which of them wins is then the configuration's mistake, not the table's. */
const matches = fc.uniqueArray(match, {
  maxLength: 12,
  selector: ({ host: name, path: where }) => `${name} ${where === "/*" ? null : where}`,
});

test("property: the table finds what trying all routes finds, in whatever order they stand", () => {
  fc.assert(
    fc.property(matches, fc.array(fc.tuple(host, path), { minLength: 1, maxLength: 8 }), (routes, requests) => {
      const entries = routes.map((route) => [route, route] as const);
      const forward = new RouteTable(entries);
      const backward = new RouteTable([...entries].reverse());
      for (const [name, where] of requests) {
        const expected = reference(routes, name, where);
        expect(forward.find(name, where)).toBe(expected);
        expect(backward.find(name, where)).toBe(expected);
      }
    }),
    { numRuns: 500 },
  );
});

test("property: what a table does not need, it does not look at", () => {
  fc.assert(
    fc.property(matches, host, path, (routes, name, where) => {
      const found = new RouteTable(routes.map((route) => [route, route] as const));
      expect(found.find(found.needsHost ? name : "", found.needsPath ? where : "")).toBe(found.find(name, where));
    }),
  );
});
