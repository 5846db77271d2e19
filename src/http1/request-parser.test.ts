import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { damagedHead, headText } from "../../test/fixtures/request-arbitrary.ts";
import type { ErrorCode } from "../errors.ts";
import { Head } from "../http/head.ts";
import { parseRequestHead } from "./request-parser.ts";

const LIMITS = { headBytes: 1024, fields: 8, targetBytes: 64 };

function parse(text: string, limits = LIMITS): { outcome: string; head: Head } {
  const bytes = Buffer.from(text, "latin1");
  const head = new Head();
  return { outcome: parseRequestHead(head, bytes, 0, bytes.length, limits), head };
}

const HOST = "Host: a\r\n";

describe("what is accepted", () => {
  test("a head is its method, target, host and fields, as offsets", () => {
    const { outcome, head } = parse(
      "GET /p?q=1 HTTP/1.1\r\nHost: Example.com:80\r\nX-A:  one two \t\r\nX-Empty:\r\n\r\nrest",
    );
    expect(outcome).toBe("complete");
    expect(head.method).toBe("GET");
    expect(head.text(head.targetStart, head.targetEnd)).toBe("/p?q=1");
    expect(head.text(head.authorityStart, head.authorityEnd)).toBe("Example.com:80");
    const fields = Array.from({ length: head.count }, (_, i) => [
      head.text(head.nameStart(i), head.nameEnd(i)),
      head.text(head.valueStart(i), head.valueEnd(i)),
    ]);
    expect(fields).toEqual([
      ["Host", "Example.com:80"],
      ["X-A", "one two"],
      ["X-Empty", ""],
    ]);
    expect(head.text(head.end, head.bytes.length)).toBe("rest");
    expect([head.framing, head.keepAlive, head.upgrade, head.minor]).toEqual(["none", true, false, 1]);
  });

  const accepted: readonly (readonly [string, string, Partial<Head>])[] = [
    ["HTTP/1.0 without Host closes", "GET / HTTP/1.0\r\n\r\n", { minor: 0, keepAlive: false }],
    ["HTTP/1.0 may ask to be kept", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", { keepAlive: true }],
    ["close", `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, { keepAlive: false }],
    [
      "close outweighs keep-alive",
      `GET / HTTP/1.1\r\n${HOST}Connection: close, keep-alive\r\n\r\n`,
      { keepAlive: false },
    ],
    [
      "close in a second line",
      `GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: x, CLOSE\r\n\r\n`,
      { keepAlive: false },
    ],
    ["a length", `POST / HTTP/1.1\r\n${HOST}Content-Length: 0012\r\n\r\n`, { framing: "length", length: 12 }],
    [
      "a length of nothing is no body",
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`,
      { framing: "none", length: 0 },
    ],
    ["chunked, in any case", `POST / HTTP/1.1\r\n${HOST}transfer-ENCODING: Chunked\r\n\r\n`, { framing: "chunked" }],
    [
      "Upgrade",
      `GET / HTTP/1.1\r\n${HOST}Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      { upgrade: true },
    ],
    ["Expect", `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n`, { expectContinue: true }],
    ["TE: trailers", `GET / HTTP/1.1\r\n${HOST}TE: trailers\r\n\r\n`, { acceptsTrailers: true }],
    ["fields named by Connection", `GET / HTTP/1.1\r\n${HOST}Connection: x-a\r\n\r\n`, { namesFields: true }],
    ["one empty line before", `\r\nGET / HTTP/1.1\r\n${HOST}\r\n`, {}],
    ["a method nobody knows", `BREW / HTTP/1.1\r\n${HOST}\r\n`, {}],
    ["OPTIONS *", `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, {}],
    ["obs-text in a value", `GET / HTTP/1.1\r\n${HOST}X: \u00e4\u0080\u00ff\r\n\r\n`, {}],
    ["an IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", {}],
    ["a host with an empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", {}],
    ["a host with the last port", "GET / HTTP/1.1\r\nHost: a:65535\r\n\r\n", {}],
    [
      "Expect in HTTP/1.0, which has none",
      "POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n",
      { expectContinue: false },
    ],
    ["a Max-Forwards of 0 with a method that does not count", `GET / HTTP/1.1\r\n${HOST}Max-Forwards: 0\r\n\r\n`, {}],
    ["a Max-Forwards that is no number", `OPTIONS / HTTP/1.1\r\n${HOST}Max-Forwards: x\r\n\r\n`, {}],
    ["a Max-Forwards of 1", `TRACE / HTTP/1.1\r\n${HOST}Max-Forwards: 1\r\n\r\n`, {}],
    [
      "a length under a name with an underscore, which is none",
      `POST / HTTP/1.1\r\n${HOST}Content_Length: 5\r\n\r\n`,
      { framing: "none", length: 0 },
    ],
  ];
  for (const [name, text, expected] of accepted)
    test(name, () => {
      const { outcome, head } = parse(text);
      expect(outcome).toBe("complete");
      expect(head).toMatchObject(expected);
      expect(head.end).toBe(text.length);
    });

  test("an absolute target gives the host, whatever Host says", () => {
    const { outcome, head } = parse("GET HTTP://One.example:81/p?q HTTP/1.1\r\nHost: two.example\r\n\r\n");
    expect(outcome).toBe("complete");
    expect(head.text(head.authorityStart, head.authorityEnd)).toBe("One.example:81");
    expect(head.text(head.targetStart, head.targetEnd)).toBe("/p?q");
  });

  test("an absolute target may lack its path", () => {
    for (const [target, rest] of [
      ["http://a", ""],
      ["http://a?q", "?q"],
      ["https://a:1/", "/"],
    ] as const) {
      const { outcome, head } = parse(`GET ${target} HTTP/1.1\r\n${HOST}\r\n`);
      expect(outcome).toBe("complete");
      expect(head.text(head.targetStart, head.targetEnd)).toBe(rest);
    }
  });
});

describe("what is refused", () => {
  const request = (lines: string): string => `POST / HTTP/1.1\r\n${HOST}${lines}\r\n`;
  const refused: readonly (readonly [string, string, ErrorCode])[] = [
    [
      "Content-Length and Transfer-Encoding",
      request("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
      "CLIENT_AMBIGUOUS_FRAMING",
    ],
    [
      "Transfer-Encoding and Content-Length",
      request("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"),
      "CLIENT_AMBIGUOUS_FRAMING",
    ],
    ["differing lengths", request("Content-Length: 1\r\nContent-Length: 2\r\n"), "CLIENT_AMBIGUOUS_FRAMING"],
    ["equal lengths twice", request("Content-Length: 0\r\nContent-Length: 0\r\n"), "CLIENT_AMBIGUOUS_FRAMING"],
    ["a list of lengths", request("Content-Length: 1, 1\r\n"), "CLIENT_AMBIGUOUS_FRAMING"],
    ["a signed length", request("Content-Length: +1\r\n"), "CLIENT_AMBIGUOUS_FRAMING"],
    ["a negative length", request("Content-Length: -1\r\n"), "CLIENT_AMBIGUOUS_FRAMING"],
    ["a hexadecimal length", request("Content-Length: 0x1\r\n"), "CLIENT_AMBIGUOUS_FRAMING"],
    ["an empty length", request("Content-Length:\r\n"), "CLIENT_AMBIGUOUS_FRAMING"],
    ["a length past what can be counted", request("Content-Length: 9007199254740993\r\n"), "CLIENT_AMBIGUOUS_FRAMING"],
    ["an unknown coding", request("Transfer-Encoding: xchunked\r\n"), "CLIENT_AMBIGUOUS_FRAMING"],
    ["identity", request("Transfer-Encoding: identity\r\n"), "CLIENT_AMBIGUOUS_FRAMING"],
    ["gzip, chunked", request("Transfer-Encoding: gzip, chunked\r\n"), "CLIENT_AMBIGUOUS_FRAMING"],
    [
      "chunked twice",
      request("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
      "CLIENT_AMBIGUOUS_FRAMING",
    ],
    ["chunked, chunked", request("Transfer-Encoding: chunked, chunked\r\n"), "CLIENT_AMBIGUOUS_FRAMING"],
    ["an empty coding", request("Transfer-Encoding:\r\n"), "CLIENT_AMBIGUOUS_FRAMING"],
    ["chunked with a vertical tab", request("Transfer-Encoding: \vchunked\r\n"), "CLIENT_BAD_HEAD"],
    ["chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "CLIENT_AMBIGUOUS_FRAMING"],
    ["a bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", "CLIENT_BAD_HEAD"],
    ["a bare LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "CLIENT_BAD_HEAD"],
    ["a bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", "CLIENT_BAD_HEAD"],
    ["a bare CR in a value", request("X: a\rb\r\n"), "CLIENT_BAD_HEAD"],
    ["a bare CR as the empty line", request("X: a\r\n\rX"), "CLIENT_BAD_HEAD"],
    ["two CR before LF", request("X: a\r\r\n"), "CLIENT_BAD_HEAD"],
    ["NUL in a value", request("X: a\0b\r\n"), "CLIENT_BAD_HEAD"],
    ["NUL in a name", request("X\0: a\r\n"), "CLIENT_BAD_HEAD"],
    ["NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", "CLIENT_BAD_HEAD"],
    ["DEL in a value", request("X: a\u007f\r\n"), "CLIENT_BAD_HEAD"],
    ["a space before the colon", request("X : a\r\n"), "CLIENT_BAD_HEAD"],
    ["a tab before the colon", request("X\t: a\r\n"), "CLIENT_BAD_HEAD"],
    ["a folded line", request("X: a\r\n b\r\n"), "CLIENT_BAD_HEAD"],
    ["a space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "CLIENT_BAD_HEAD"],
    ["a field without a name", request(": a\r\n"), "CLIENT_BAD_HEAD"],
    ["a field without a colon", request("X\r\n"), "CLIENT_BAD_HEAD"],
    ["a name outside ASCII", request("X\u00e4: a\r\n"), "CLIENT_BAD_HEAD"],
    ["two spaces before the target", `GET  / HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
    ["a tab for a space", `GET\t/ HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
    ["a space in the target", `GET /a b HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
    ["a fragment", `GET /a#b HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
    ["bytes outside ASCII in the target", `GET /\u00e4 HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
    ["a space after the version", `GET / HTTP/1.1 \r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
    ["no version (HTTP/0.9)", "GET /\r\n\r\n", "CLIENT_BAD_HEAD"],
    ["a lower-case protocol", `GET / http/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
    ["a version of three digits", `GET / HTTP/1.10\r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "CLIENT_VERSION"],
    ["HTTP/1.2", `GET / HTTP/1.2\r\n${HOST}\r\n`, "CLIENT_VERSION"],
    ["two empty lines before", `\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
    ["a bare LF before", `\nGET / HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
    ["TLS", "\u0016\u0003\u0001\u0002\u0000\u0001", "CLIENT_TLS_ON_PLAIN"],
    ["CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "CLIENT_CONNECT"],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", "CLIENT_BAD_HOST"],
    ["no Host beside an absolute target", "GET http://a/ HTTP/1.1\r\n\r\n", "CLIENT_BAD_HOST"],
    ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "CLIENT_BAD_HOST"],
    ["Host twice", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "CLIENT_BAD_HOST"],
    ["Host twice in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "CLIENT_BAD_HOST"],
    ["a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "CLIENT_BAD_HOST"],
    ["a Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "CLIENT_BAD_HOST"],
    ["a Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "CLIENT_BAD_HOST"],
    ["a Host with a port of letters", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "CLIENT_BAD_HOST"],
    ["a Host of a port alone", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", "CLIENT_BAD_HOST"],
    ["a Host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", "CLIENT_BAD_HOST"],
    ["a Host with a port past the last", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", "CLIENT_BAD_HOST"],
    ["a Host with a port of five nines", "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", "CLIENT_BAD_HOST"],
    ["a Host with a comma", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "CLIENT_BAD_HOST"],
    ["an absolute target with a comma in its host", `GET http://a,b/ HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HOST"],
    ["OPTIONS that may go no further", `OPTIONS / HTTP/1.1\r\n${HOST}Max-Forwards: 0\r\n\r\n`, "CLIENT_BAD_HEAD"],
    ["TRACE that may go no further", `TRACE / HTTP/1.1\r\n${HOST}Max-Forwards: 000\r\n\r\n`, "CLIENT_BAD_HEAD"],
    ["an IPv6 Host without its end", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "CLIENT_BAD_HOST"],
    ["something behind an IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", "CLIENT_BAD_HOST"],
    ["a bad Host beside an absolute target", "GET http://a/ HTTP/1.1\r\nHost: u@b\r\n\r\n", "CLIENT_BAD_HOST"],
    ["a user in an absolute target", `GET http://u@a/ HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HOST"],
    ["an absolute target without a host", `GET http:///p HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HOST"],
    ["another scheme", `GET ftp://a/ HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
    ["a target without a slash", `GET a HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
    ["GET *", `GET * HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
    ["OPTIONS *x", `OPTIONS *x HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
  ];
  for (const [name, text, code] of refused)
    test(name, () => {
      const { outcome, head } = parse(text);
      expect(outcome).toBe(code);
      expect(head.problem).not.toBe("");
    });
});

describe("limits", () => {
  test("a head of just the limit passes, one byte more does not", () => {
    const head = `GET / HTTP/1.1\r\n${HOST}X: ${"a".repeat(100)}\r\n\r\n`;
    expect(parse(head, { ...LIMITS, headBytes: head.length }).outcome).toBe("complete");
    expect(parse(head, { ...LIMITS, headBytes: head.length - 1 }).outcome).toBe("CLIENT_HEAD_TOO_LARGE");
  });

  test("a body behind a head does not count", () => {
    const head = `GET / HTTP/1.1\r\n${HOST}\r\n`;
    expect(parse(head + "x".repeat(5000), { ...LIMITS, headBytes: head.length }).outcome).toBe("complete");
  });

  test("fields up to the limit pass, one more does not", () => {
    const head = (more: number): string => `GET / HTTP/1.1\r\n${HOST}${"X: a\r\n".repeat(more)}\r\n`;
    expect(parse(head(7)).outcome).toBe("complete");
    expect(parse(head(8)).outcome).toBe("CLIENT_HEAD_TOO_LARGE");
  });

  test("more fields than a head has room for at first are all kept", () => {
    const lines = Array.from({ length: 100 }, (_, i) => `X-${i}: ${i}\r\n`).join("");
    const { outcome, head } = parse(`GET / HTTP/1.1\r\n${HOST}${lines}\r\n`, {
      ...LIMITS,
      headBytes: 8192,
      fields: 128,
    });
    expect(outcome).toBe("complete");
    expect(head.text(head.nameStart(100), head.valueEnd(100))).toBe("X-99: 99");
  });

  test("a target of just the limit passes, one byte more does not, even before its end", () => {
    const head = (length: number): string => `GET /${"a".repeat(length - 1)} HTTP/1.1\r\n${HOST}\r\n`;
    expect(parse(head(64)).outcome).toBe("complete");
    expect(parse(head(65)).outcome).toBe("CLIENT_TARGET_TOO_LONG");
    expect(parse(`GET /${"a".repeat(64)}`).outcome).toBe("CLIENT_TARGET_TOO_LONG");
  });
});

describe("a head that has come in part", () => {
  const outcomes = (text: string): string[] => {
    const bytes = Buffer.from(text, "latin1");
    const head = new Head();
    return Array.from({ length: bytes.length + 1 }, (_, end) => {
      const outcome = parseRequestHead(head, bytes, 0, end, LIMITS);
      return outcome === "complete"
        ? `complete ${head.end}`
        : outcome === "incomplete"
          ? outcome
          : `${outcome} ${head.problem}`;
    });
  };

  test("property: it is incomplete until one answer, which no further byte changes", () => {
    fc.assert(
      fc.property(fc.oneof(headText, damagedHead), (text) => {
        const all = outcomes(text);
        const settled = all.findIndex((outcome) => outcome !== "incomplete");
        if (settled === -1) return;
        expect(new Set(all.slice(settled))).toEqual(new Set([all[settled]!]));
        const answer = all[settled]!;
        // Nothing is called complete before its last byte is there.
        if (answer.startsWith("complete")) expect(answer).toBe(`complete ${settled}`);
      }),
      { numRuns: 400 },
    );
  });

  test("property: no bytes whatever make it throw or read past the end", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), (raw, start) => {
        const bytes = Buffer.from(raw);
        const head = new Head();
        const from = Math.min(start, bytes.length);
        const outcome = parseRequestHead(head, bytes, from, bytes.length, LIMITS);
        if (outcome === "complete") expect(head.end).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });

  test("property: where a head stands in its buffer makes no difference", () => {
    fc.assert(
      fc.property(headText, fc.string({ maxLength: 10 }), (text, before) => {
        const alone = parse(text);
        const bytes = Buffer.from(before + text, "latin1");
        const head = new Head();
        const from = bytes.length - text.length;
        expect(parseRequestHead(head, bytes, from, bytes.length, LIMITS)).toBe(alone.outcome as ErrorCode);
        if (alone.outcome === "complete") {
          expect(head.end - from).toBe(alone.head.end);
          expect(head.text(head.targetStart, head.targetEnd)).toBe(
            alone.head.text(alone.head.targetStart, alone.head.targetEnd),
          );
        }
      }),
    );
  });
});
