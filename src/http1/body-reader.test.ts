import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FakeConnection } from "../../test/fixtures/fake-connection.ts";
import { parsesDuring } from "../../test/fixtures/parses.ts";
import { bytewise, cuts, pieces } from "../../test/fixtures/splits.ts";
import type { Framing, Head } from "../http/head.ts";
import { cork } from "../net/cork.ts";
import { Outbox } from "../net/outbox.ts";
import { BodyReader } from "./body-reader.ts";
import { writeChunk, writeLastChunk } from "./chunk-writer.ts";

const LIMITS = { headBytes: 512, fields: 4, targetBytes: 64 };
const BLAME = { bad: "CLIENT_BAD_BODY", framing: "CLIENT_BAD_BODY", tooLarge: "CLIENT_HEAD_TOO_LARGE" } as const;

interface Read {
  readonly body: string;
  readonly problem: string;
  readonly done: boolean;
  /** Bytes behind the message. */
  readonly rest: string;
  readonly trailers: readonly string[];
}

function fieldLines(head: Head | null): string[] {
  if (head === null) return [];
  return Array.from({ length: head.count }, (_, i) =>
    [head.text(head.nameStart(i), head.nameEnd(i)), head.text(head.valueStart(i), head.valueEnd(i))].join(": "),
  );
}

function read(framing: Framing, length: number, parts: readonly Buffer[]): Read {
  const reader = new BodyReader();
  reader.begin(framing, length);
  let body = "";
  let rest = "";
  const sink = {
    body(bytes: Buffer, start: number, end: number) {
      expect(end).toBeGreaterThan(start);
      body += bytes.toString("latin1", start, end);
    },
  };
  for (const part of parts) {
    if (reader.problem !== "") break;
    const at = reader.feed(part, 0, part.length, LIMITS, BLAME, sink);
    if (reader.done) rest += part.toString("latin1", at);
    else if (reader.problem === "") expect(at).toBe(part.length);
  }
  expect(reader.bytes).toBe(body.length);
  return { body, problem: reader.problem, done: reader.done, rest, trailers: fieldLines(reader.trailers) };
}

const chunked = (text: string): Read => read("chunked", 0, [Buffer.from(text, "latin1")]);

describe("a body of a length", () => {
  test("ends where it was said to, and what follows is not part of it", () => {
    expect(read("length", 5, [Buffer.from("helloGET")])).toMatchObject({ body: "hello", done: true, rest: "GET" });
  });

  test("is not done before", () => {
    expect(read("length", 6, [Buffer.from("hello")])).toMatchObject({ body: "hello", done: false });
  });

  test("of nothing is done at once", () => {
    expect(read("length", 0, [Buffer.from("GET")])).toMatchObject({ body: "", done: true, rest: "GET" });
  });
});

test("no body is done at once", () => {
  expect(read("none", 0, [Buffer.from("GET")])).toMatchObject({ body: "", done: true, rest: "GET" });
});

test("a body until the connection ends is never done", () => {
  expect(read("until-close", 0, [Buffer.from("a"), Buffer.from("b")])).toMatchObject({ body: "ab", done: false });
});

describe("a chunked body", () => {
  test("is its chunks without sizes", () => {
    expect(chunked("5\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\n\r\nrest")).toMatchObject({
      body: "hello 0123456789",
      done: true,
      rest: "rest",
      trailers: [],
    });
  });

  const accepted: readonly (readonly [string, string, string])[] = [
    ["capital and small digits", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"],
    ["leading zeros", "0005\r\nhello\r\n000\r\n\r\n", "hello"],
    ["extensions, which are dropped", '5;a=b;c="d e"\r\nhello\r\n0;x\r\n\r\n', "hello"],
    ["CRLF in the data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"],
  ];
  for (const [name, text, body] of accepted)
    test(`may have ${name}`, () => expect(chunked(text)).toMatchObject({ body, done: true, problem: "", rest: "" }));

  test("may have trailers", () => {
    expect(chunked("1\r\nx\r\n0\r\nA: 1\r\nB:  two \r\n\r\nrest")).toMatchObject({
      done: true,
      trailers: ["A: 1", "B: two"],
      rest: "rest",
    });
  });

  const refused: readonly (readonly [string, string])[] = [
    ["no size", "\r\nhello\r\n0\r\n\r\n"],
    ["a size that is no number", "xyz\r\nhello\r\n0\r\n\r\n"],
    ["a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"],
    ["a signed size", "+5\r\nhello\r\n0\r\n\r\n"],
    ["a negative size", "-5\r\nhello\r\n0\r\n\r\n"],
    ["a space before the size", " 5\r\nhello\r\n0\r\n\r\n"],
    ["a space behind the size", "5 \r\nhello\r\n0\r\n\r\n"],
    ["an underscore in the size", "5_0\r\nhello\r\n0\r\n\r\n"],
    ["a size of 2^64 + 5", "10000000000000005\r\nhello\r\n0\r\n\r\n"],
    ["a size past what can be counted", "20000000000001\r\nhello\r\n0\r\n\r\n"],
    ["a bare LF behind the size", "5\nhello\r\n0\r\n\r\n"],
    ["a bare CR behind the size", "5\rhello\r\n0\r\n\r\n"],
    ["a bare LF behind the data", "5\r\nhello\n0\r\n\r\n"],
    ["more data than the size", "5\r\nhellooo\r\n0\r\n\r\n"],
    ["less data than the size", "7\r\nhello\r\n0\r\n\r\n"],
    ["a bare LF in an extension", "5;a\nb\r\nhello\r\n0\r\n\r\n"],
    ["NUL in an extension", "5;a\0\r\nhello\r\n0\r\n\r\n"],
    ["an extension without end", `5;${"a".repeat(300)}\r\nhello\r\n0\r\n\r\n`],
    ["a bare LF behind the last size", "0\n\r\n"],
    ["a bare LF as the last line", "0\r\n\n"],
    ["a trailer with a space before the colon", "0\r\nA : b\r\n\r\n"],
    ["a folded trailer", "0\r\nA: b\r\n c\r\n\r\n"],
    ["too many trailers", `0\r\n${"A: b\r\n".repeat(5)}\r\n`],
    ["trailers larger than a head may be", `0\r\nA: ${"b".repeat(600)}\r\n\r\n`],
  ];
  for (const [name, text] of refused)
    test(`must not have ${name}`, () => {
      const { problem, done } = chunked(text);
      expect(problem).not.toBe("");
      expect(done).toBe(false);
      expect(read("chunked", 0, bytewise(Buffer.from(text, "latin1"))).problem).toBe(problem);
    });

  test("may not be used to send more extensions than a little", () => {
    const chunk = `1;${"e".repeat(200)}\r\nx\r\n`;
    expect(chunked(chunk.repeat(50)).problem).toBe("");
    expect(chunked(chunk.repeat(500)).problem).toContain("extension");
  });

  test("with a flood of extensions in a first message does not count against a second one", () => {
    const reader = new BodyReader();
    const message = Buffer.from(`${`1;${"e".repeat(200)}\r\nx\r\n`.repeat(70)}0\r\n\r\n`);
    for (let i = 0; i < 3; i++) {
      reader.begin("chunked", 0);
      reader.feed(message, 0, message.length, LIMITS, BLAME, { body() {} });
      expect([reader.problem, reader.done]).toEqual(["", true]);
    }
  });
});

/** Writes a body as the chunk writer does. */
function write(chunks: readonly Buffer[]): Buffer {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection);
  for (const chunk of chunks) writeChunk(outbox, chunk, 0, chunk.length);
  writeLastChunk(outbox, null);
  cork.flush();
  return Buffer.from(connection.text, "latin1");
}

const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 6 });

test("property: what the chunk writer writes is read back, however it is cut", () => {
  fc.assert(
    fc.property(bodies, fc.integer({ min: 0, max: 1000 }), (chunks, seed) => {
      const parts = chunks.map((chunk) => Buffer.from(chunk));
      const wire = Buffer.concat([write(parts), Buffer.from("NEXT")]);
      const expected = {
        body: Buffer.concat(parts).toString("latin1"),
        problem: "",
        done: true,
        rest: "NEXT",
        trailers: [],
      };
      expect(read("chunked", 0, [wire])).toEqual(expected);
      expect(read("chunked", 0, bytewise(wire))).toEqual(expected);
      const [at = []] = fc.sample(cuts(wire.length), { numRuns: 1, seed });
      expect(read("chunked", 0, pieces(wire, at))).toEqual(expected);
    }),
  );
});

test("a body larger than what is gathered is read back", () => {
  const large = Buffer.alloc(100_000, "abcdefg");
  expect(read("chunked", 0, [write([large, Buffer.from("x"), large])]).body).toBe(`${large}x${large}`);
});

test("property: any chunked bytes give the same result however they are cut", () => {
  const fragment = fc.constantFrom(
    "5\r\nhello\r\n",
    "3;x=y\r\nabc\r\n",
    "0\r\n",
    "\r\n",
    "A: b\r\n",
    "\n",
    "\r",
    "0",
    "f\r\n",
    "g",
    " ",
    ";",
    "GET / HTTP/1.1\r\n",
  );
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 8 }), fc.integer({ min: 0, max: 1000 }), (fragments, seed) => {
      // What is wrong in a line of trailers is told at its end, however it came.
      const wire = Buffer.from(`${fragments.join("")}\n`, "latin1");
      const whole = read("chunked", 0, [wire]);
      expect(read("chunked", 0, bytewise(wire))).toEqual(whole);
      const [at = []] = fc.sample(cuts(wire.length), { numRuns: 1, seed });
      expect(read("chunked", 0, pieces(wire, at))).toEqual(whole);
    }),
    { numRuns: 500 },
  );
});

test("trailers that drip in byte by byte are parsed once a line, not once a byte", () => {
  const bytes = bytewise(Buffer.from(`0\r\nX-One: ${"a".repeat(200)}\r\nX-Two: ${"b".repeat(200)}\r\n\r\n`));
  let result: Read | null = null;
  const parses = parsesDuring(() => {
    result = read("chunked", 0, bytes);
  });
  expect(result!).toMatchObject({ done: true, problem: "" });
  expect(result!.trailers.length).toBe(2);
  // The first byte, and the end of each of three lines.
  expect(parses).toBe(4);
});

test("trailers that drip in without an end of a line are refused when they are larger than a head may be", () => {
  const bytes = bytewise(Buffer.from(`0\r\n${"a".repeat(LIMITS.headBytes)}`));
  expect(read("chunked", 0, bytes).problem).toBe("trailers larger than a head may be");
});
