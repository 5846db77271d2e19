import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ErrorCode } from "../errors.ts";
import { Head } from "../http/head.ts";
import { parseResponseHead } from "./response-parser.ts";

const LIMITS = { headBytes: 1024, fields: 8, targetBytes: 64 };

function parse(text: string, toHead = false, limits = LIMITS): { outcome: string; head: Head } {
  const bytes = Buffer.from(text, "latin1");
  const head = new Head();
  return { outcome: parseResponseHead(head, bytes, 0, bytes.length, limits, toHead), head };
}

describe("what is accepted", () => {
  test("status, reason and fields, as offsets", () => {
    const { outcome, head } = parse("HTTP/1.1 404 Not Found\r\nX: y\r\nContent-Length: 5\r\n\r\nhello");
    expect(outcome).toBe("complete");
    expect(head.status).toBe(404);
    expect(head.text(head.reasonStart, head.reasonEnd)).toBe("Not Found");
    expect(head.count).toBe(2);
    expect(head.text(head.end, head.bytes.length)).toBe("hello");
  });

  const accepted: readonly (readonly [string, string, boolean, Partial<Head>])[] = [
    [
      "a length",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
      false,
      { framing: "length", length: 5, keepAlive: true },
    ],
    [
      "chunked",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      false,
      { framing: "chunked", keepAlive: true },
    ],
    [
      "neither: until the connection ends",
      "HTTP/1.1 200 OK\r\n\r\n",
      false,
      { framing: "until-close", keepAlive: false },
    ],
    ["HTTP/1.0 closes", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", false, { minor: 0, keepAlive: false }],
    [
      "HTTP/1.0 with keep-alive",
      "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n",
      false,
      { keepAlive: true },
    ],
    ["close", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n", false, { keepAlive: false }],
    [
      "to HEAD no body, with a length",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
      true,
      { framing: "none", keepAlive: true },
    ],
    ["to HEAD no body, without one", "HTTP/1.1 200 OK\r\n\r\n", true, { framing: "none", keepAlive: true }],
    [
      "304 with a length has no body",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
      false,
      { framing: "none", keepAlive: true },
    ],
    ["204", "HTTP/1.1 204 No Content\r\n\r\n", false, { framing: "none", keepAlive: true }],
    ["100", "HTTP/1.1 100 Continue\r\n\r\n", false, { framing: "none", status: 100 }],
    ["101", "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", false, { upgrade: true }],
    ["no reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", false, { status: 200 }],
    ["no reason, nor the space before it", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", false, { status: 200 }],
    ["a reason outside ASCII", "HTTP/1.1 200 \u00e4\r\nContent-Length: 0\r\n\r\n", false, { status: 200 }],
    [
      "weir-state: drain",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nWeir-State: Drain \r\n\r\n",
      false,
      { asksToDrain: true },
    ],
    [
      "weir-state: ready",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nweir-state: ready\r\n\r\n",
      false,
      { asksToDrain: false },
    ],
    [
      "Keep-Alive: timeout",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: max=9, timeout=7\r\n\r\n",
      false,
      { keepAliveSeconds: 7 },
    ],
    [
      "Keep-Alive without one",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: max=9\r\n\r\n",
      false,
      { keepAliveSeconds: -1 },
    ],
    [
      "a length of nothing",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      false,
      { framing: "length", length: 0, keepAlive: true },
    ],
  ];
  for (const [name, text, toHead, expected] of accepted)
    test(name, () => {
      const { outcome, head } = parse(text, toHead);
      expect(outcome).toBe("complete");
      expect(head).toMatchObject(expected);
      expect(head.end).toBe(text.length);
    });

  test("a 204 that announces a body leaves a connection on which nothing can be trusted", () => {
    expect(parse("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n").head.keepAlive).toBe(false);
    expect(parse("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n").head.keepAlive).toBe(false);
    expect(parse("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n").head.keepAlive).toBe(true);
  });
});

describe("what is refused", () => {
  const refused: readonly (readonly [string, string, ErrorCode?])[] = [
    ["no HTTP", "SSH-2.0-OpenSSH_9.7\r\n"],
    ["HTTP/0.9", "<html>"],
    ["HTTP/2", "HTTP/2 200 OK\r\n\r\n"],
    ["HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n"],
    ["two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
    ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
    ["a status below 100", "HTTP/1.1 099 OK\r\n\r\n"],
    ["a status above 599", "HTTP/1.1 600 OK\r\n\r\n"],
    ["a bare LF", "HTTP/1.1 200 OK\nX: y\r\n\r\n"],
    ["a bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n"],
    ["NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"],
    ["both lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ["differing lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
    ["an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"],
    ["a folded line", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n"],
    ["a space before the colon", "HTTP/1.1 200 OK\r\nX : a\r\n\r\n"],
    ["too many fields", `HTTP/1.1 200 OK\r\n${"X: a\r\n".repeat(9)}\r\n`, "BACKEND_HEAD_TOO_LARGE"],
    ["too many bytes", `HTTP/1.1 200 OK\r\nX: ${"a".repeat(1100)}`, "BACKEND_HEAD_TOO_LARGE"],
  ];
  for (const [name, text, code = "BACKEND_BAD_RESPONSE"] of refused)
    test(name, () => {
      const { outcome, head } = parse(text);
      expect(outcome).toBe(code);
      expect(head.problem).not.toBe("");
    });
});

test("property: a head in part is incomplete until one answer, which no further byte changes", () => {
  const line = fc.constantFrom(
    "Content-Length: 1",
    "Transfer-Encoding: chunked",
    "Connection: close",
    "Connection: keep-alive, x-a",
    "Keep-Alive: timeout=5",
    "X-A: b \t",
    "Bad : y",
    "Nul: \0",
    "X: a\rb",
  );
  const start = fc.constantFrom(
    "HTTP/1.1 200 OK",
    "HTTP/1.0 404 Not Found",
    "HTTP/1.1 204",
    "HTTP/1.1 304 ",
    "HTTP/1.1 2x0 OK",
    "HTTP/1.1 100 C",
    "HTTP/1.3 200 OK",
  );
  fc.assert(
    fc.property(start, fc.array(line, { maxLength: 4 }), fc.boolean(), (first, lines, toHead) => {
      const bytes = Buffer.from(`${[first, ...lines].join("\r\n")}\r\n\r\nbody`, "latin1");
      const head = new Head();
      const all = Array.from({ length: bytes.length + 1 }, (_, end) => {
        const outcome = parseResponseHead(head, bytes, 0, end, LIMITS, toHead);
        return outcome === "incomplete" ? outcome : `${outcome} ${outcome === "complete" ? head.end : head.problem}`;
      });
      const settled = all.findIndex((outcome) => outcome !== "incomplete");
      expect(settled).not.toBe(-1);
      expect(new Set(all.slice(settled))).toEqual(new Set([all[settled]!]));
    }),
    { numRuns: 300 },
  );
});
