import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { requestHead } from "../../test/fixtures/head-text.ts";
import { crc32 } from "../balance/crc32.ts";
import { parseKeyPart } from "../config/schema/key-parts.ts";
import type { Origin } from "../http/streams.ts";
import { HashKey } from "./hash-key.ts";
import { hostOf, pathOf } from "./request-key.ts";

const SOURCE = "192.0.2.7";
const origin = (address = SOURCE, trusted = false): Origin => ({
  address,
  trusted,
  via: false,
  forwarded: Buffer.alloc(0),
});
const crcOf = (text: string): number => crc32(Buffer.from(text, "latin1"));

/** The key of a request with these lines. */
function keyOf(parts: string | readonly string[], lines: readonly string[], target = "/", from = origin()): number {
  const key = new HashKey([parts].flat().map(parseKeyPart));
  const head = requestHead(`GET ${target} HTTP/1.1\r\n${["Host: a.example", ...lines].join("\r\n")}\r\n\r\n`);
  return key.ofRequest(head, from);
}

describe("a key is the CRC-32 of", () => {
  const cases: readonly (readonly [string, readonly string[], string, string])[] = [
    ["source", [], "/", SOURCE],
    ["path", [], "/a/b?c=d", "/a/b"],
    ["path", [], "/a/%62/./c", "/a/b/c"],
    ["path", [], "/..a/b.c", "/..a/b.c"],
    ["path", [], "http://b?q", "/"],
    ["host", [], "/", "a.example"],
    ["host", [], "http://B.Example.:81/", "b.example"],
    ["host", [], "http://[2001:DB8::1]:81/", "[2001:db8::1]"],
    ["header:X-User", ["x-user:  ann "], "/", "ann"],
    ["header:x_user", ["X_User: ann"], "/", "ann"],
    ["header:host", [], "/", "a.example"],
    ["header:x-user", ["X-User: ann", "Other: 1", "X-USER: bob"], "/", "ann, bob"],
    ["header:x-user", ["X-User:", "X-User: bob"], "/", "bob"],
    ["cookie:sid", ["Cookie: a=1; sid=42; b=2"], "/", "42"],
    ["cookie:sid", ["Cookie: a=1", "Cookie: sid=42"], "/", "42"],
    ["cookie:sid", ["Cookie: xsid=1;\tsid = 2; SID=3; sid=4 "], "/", "4"],
    ["cookie:sid", ["Cookie: sid=a=b"], "/", "a=b"],
    ["cookie:sid", ["Cookie: sid"], "/", SOURCE],
    ["query:u", [], "/?a=1&u=2&u=3", "2"],
    ["query:u", [], "/?xu=1&u=a%40b+c%zz%4", "a@b c%zz%4"],
    ["query:a b", [], "/?a%20b=1", "1"],
    ["query:u", [], "/?u=a=b", "a=b"],
    ["query:u", [], "/u=1", SOURCE],
    ["query:u", [], "/?u", SOURCE],
    ["query:u", [], "/?uu=1&=2", SOURCE],
  ];
  for (const [part, lines, target, bytes] of cases)
    test(`${part} of ${target} ${JSON.stringify(lines)}: ${bytes}`, () =>
      expect(keyOf(part, lines, target)).toBe(crcOf(bytes)));
});

describe("where a part is missing or empty", () => {
  for (const [part, line] of [
    ["header:x-user", "X-User: "],
    ["cookie:sid", "Cookie: sid=; a=1"],
    ["query:u", "Q: 1"],
  ] as const)
    test(`the client's address stands in for ${part}`, () => {
      for (const lines of [[], [line]]) expect(keyOf(part, lines, "/?u=")).toBe(crcOf(SOURCE));
      expect(keyOf(["path", part], [line], "/?u=")).toBe(crcOf(`/\0${SOURCE}`));
      expect(keyOf([part, "path"], [line], "/?u=")).toBe(crcOf(`${SOURCE}\0/`));
    });

  test("the client's address stands in for the host of HTTP/1.0", () => {
    const head = requestHead("GET / HTTP/1.0\r\n\r\n");
    expect(new HashKey([{ kind: "host" }]).ofRequest(head, origin())).toBe(crcOf(SOURCE));
  });

  test("a client without an address gets another key each time", () => {
    const key = new HashKey([{ kind: "source" }]);
    const head = requestHead("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const keys = Array.from({ length: 100 }, () => key.ofRequest(head, origin("unknown")));
    expect(new Set([...keys, key.ofConnection("unknown")]).size).toBe(101);
  });
});

describe("the source", () => {
  const forwarded = (...values: string[]): number =>
    keyOf(
      "source",
      values.map((value) => `X-Forwarded-For: ${value}`),
      "/",
      origin("10.0.0.1", true),
    );

  test("behind a trusted proxy is the last address of X-Forwarded-For", () => {
    expect(forwarded("203.0.113.9")).toBe(crcOf("203.0.113.9"));
    expect(forwarded("1.1.1.1, 203.0.113.9")).toBe(crcOf("203.0.113.9"));
    expect(forwarded("1.1.1.1", "2.2.2.2,203.0.113.9")).toBe(crcOf("203.0.113.9"));
    expect(forwarded("203.0.113.9:4711")).toBe(crcOf("203.0.113.9"));
    expect(forwarded("[2001:db8::7]:4711")).toBe(crcOf("2001:db8::7"));
    expect(forwarded("2001:db8::7")).toBe(crcOf("2001:db8::7"));
  });

  test("is the proxy itself where it wrote none", () => {
    expect(forwarded()).toBe(crcOf("10.0.0.1"));
    expect(forwarded("")).toBe(crcOf("10.0.0.1"));
    expect(forwarded("1.1.1.1, ")).toBe(crcOf("10.0.0.1"));
  });

  test("is not what anybody else says", () => {
    expect(keyOf("source", ["X-Forwarded-For: 203.0.113.9"])).toBe(crcOf(SOURCE));
  });

  test("of a TCP connection is the same key", () => {
    expect(new HashKey([{ kind: "source" }]).ofConnection(SOURCE)).toBe(crcOf(SOURCE));
  });
});

const value = fc.stringMatching(/^[\w.~-]{1,12}$/);

test("property: the parts of a combination do not run into each other", () => {
  fc.assert(
    fc.property(value, value, value, value, (a, b, c, d) => {
      fc.pre(a !== c || b !== d);
      const key = (x: string, y: string): number => keyOf(["header:x", "header:y"], [`X: ${x}`, `Y: ${y}`]);
      expect(key(a, b)).not.toBe(key(c, d));
      expect(key(a, b)).toBe(crcOf(`${a}\0${b}`));
    }),
    { seed: 3 },
  );
});

test("property: what else stands in a request changes nothing", () => {
  const noise = fc.array(fc.tuple(fc.stringMatching(/^[a-w][\w-]{0,8}$/), value), { maxLength: 6 });
  fc.assert(
    fc.property(value, noise, noise, (sought, before, after) => {
      const lines = (pairs: readonly (readonly [string, string])[]): string[] => pairs.map((pair) => pair.join(": "));
      const cookies = (pairs: readonly (readonly [string, string])[]): string[] =>
        pairs.map(([name, each]) => `${name}=${each}`);
      const fieldsAround = [...lines(before), `Z-Key: ${sought}`, ...lines(after)].filter(
        (line) => !/^(host|connection|content-length|te|transfer-encoding|upgrade|expect):/i.test(line),
      );
      expect(keyOf("header:z-key", fieldsAround)).toBe(crcOf(sought));
      const pairs = [...cookies(before), `z=${sought}`, ...cookies(after)];
      expect(keyOf("cookie:z", [`Cookie: ${pairs.join("; ")}`])).toBe(crcOf(sought));
      expect(
        keyOf(
          "cookie:z",
          pairs.map((pair) => `Cookie: ${pair}`),
        ),
      ).toBe(crcOf(sought));
      expect(keyOf("query:z", [], `/?${pairs.join("&")}`)).toBe(crcOf(sought));
    }),
    { seed: 3 },
  );
});

test("property: path and host are what routes match, and a query is what a URL parser reads", () => {
  const segment = fc.constantFrom("a", "B", "", ".", "..", "%2e", "%41", "%2f", "...", ".a", "%", "a.b");
  const name = fc.stringMatching(/^[A-Za-z0-9.-]{1,8}(:\d{0,4})?$/);
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 5 }), name, fc.string({ minLength: 1 }), (segments, host, text) => {
      const search = new URLSearchParams({ q: text });
      const head = requestHead(`GET /${segments.join("/")}?a=b&${search} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      const of = (kind: "path" | "host"): number => new HashKey([{ kind }]).ofRequest(head, origin());
      expect(of("path")).toBe(crcOf(pathOf(head)));
      expect(of("host")).toBe(crcOf(hostOf(head) === "" ? SOURCE : hostOf(head)));
      const query = new HashKey([{ kind: "query", name: "q" }]).ofRequest(head, origin());
      expect(query).toBe(crc32(Buffer.from(text.toWellFormed())));
    }),
    { seed: 3 },
  );
});
