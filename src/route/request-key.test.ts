import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { requestHead } from "../../test/fixtures/head-text.ts";
import { hostOf, pathOf } from "./request-key.ts";

const host = (name: string): string => hostOf(requestHead(`GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`));
const path = (target: string, method = "GET"): string =>
  pathOf(requestHead(`${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`));

describe("the host", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["Example.COM", "example.com"],
    ["example.com:8080", "example.com"],
    ["example.com:", "example.com"],
    ["example.com.", "example.com"],
    ["example.com.:80", "example.com"],
    ["[2001:DB8::1]:80", "[2001:db8::1]"],
    ["[::1]", "[::1]"],
  ];
  for (const [given, expected] of cases) test(`${given} → ${expected}`, () => expect(host(given)).toBe(expected));

  test("of an absolute target counts, not that of the Host field", () => {
    expect(hostOf(requestHead("GET http://B:1/ HTTP/1.1\r\nHost: a\r\n\r\n"))).toBe("b");
  });

  test("is empty where there is none", () => {
    expect(hostOf(requestHead("GET / HTTP/1.0\r\n\r\n"))).toBe("");
  });
});

describe("the path", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["/", "/"],
    ["/a/b?c=/d", "/a/b"],
    ["/?q", "/"],
    ["http://b/x/y?q", "/x/y"],
    ["http://b", "/"],
    ["http://b?q", "/"],
    ["/a/./b", "/a/b"],
    ["/a/../b", "/b"],
    ["/a/..", "/"],
    ["/a/.", "/a/"],
    ["/../../a", "/a"],
    ["/a/.../b", "/a/.../b"],
    ["/a/.b", "/a/.b"],
    ["/public/%2e%2e/admin", "/admin"],
    ["/public/%2E./admin", "/admin"],
    ["/%61dmin", "/admin"],
    ["/%41", "/A"],
    ["/a%2fb", "/a%2Fb"],
    ["/a%20b", "/a%20b"],
    ["/a%zzb", "/a%zzb"],
    ["/a%2", "/a%2"],
    ["/a%252e", "/a%252e"],
    ["//a", "//a"],
    ["/a//../b", "/a/b"],
  ];
  for (const [given, expected] of cases) test(`${given} → ${expected}`, () => expect(path(given)).toBe(expected));

  test("of OPTIONS for the whole server is *", () => {
    expect(path("*", "OPTIONS")).toBe("*");
    expect(path("http://b", "OPTIONS")).toBe("*");
    expect(path("http://b/", "OPTIONS")).toBe("/");
  });

  const segment = fc.constantFrom("a", "b", "", ".", "..", "%2e", "%2E%2e", "%41", "%2f", "...", ".a", "%");
  const target = fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => `/${segments.join("/")}`);

  test("property: normalizing twice is normalizing once, and leaves no dot segment", () => {
    fc.assert(
      fc.property(target, (given) => {
        const once = path(given);
        expect(once).toStartWith("/");
        expect(once.split("/")).not.toContain("..");
        expect(once.split("/")).not.toContain(".");
        expect(path(once)).toBe(once);
      }),
    );
  });

  test("property: dots are resolved as a URL parser resolves them", () => {
    const plain = fc.constantFrom("a", "b", ".", "..", "%2e", "%2E%2e", "...", ".a");
    fc.assert(
      fc.property(fc.array(plain, { minLength: 1, maxLength: 6 }), (segments) => {
        const given = `/${segments.join("/")}`;
        expect(path(given)).toBe(new URL(given, "http://a").pathname);
      }),
    );
  });
});
