import { describe, expect, test } from "bun:test";
import { ERRORS, type ErrorCode } from "../../src/errors.ts";
import { until } from "../fixtures/cluster.ts";
import { HandClock } from "../fixtures/hand-clock.ts";
import { backend, client, get, ok, post, weir } from "../fixtures/http.ts";

const HOST = "Host: a\r\n";
const head = (lines: string, start = "POST / HTTP/1.1"): string => `${start}\r\n${HOST}${lines}\r\n`;

/** What can be read in more than one way, or is no HTTP at all. */
const REFUSED: readonly (readonly [string, string, ErrorCode])[] = [
  [
    "Content-Length and Transfer-Encoding",
    `${head("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")}0\r\n\r\n`,
    "CLIENT_AMBIGUOUS_FRAMING",
  ],
  [
    "Transfer-Encoding and Content-Length",
    `${head("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n")}0\r\n\r\n`,
    "CLIENT_AMBIGUOUS_FRAMING",
  ],
  ["differing lengths", `${head("Content-Length: 1\r\nContent-Length: 2\r\n")}xy`, "CLIENT_AMBIGUOUS_FRAMING"],
  ["a list of lengths", `${head("Content-Length: 1, 2\r\n")}xy`, "CLIENT_AMBIGUOUS_FRAMING"],
  ["a length that is no number", head("Content-Length: one\r\n"), "CLIENT_AMBIGUOUS_FRAMING"],
  ["a length with a sign", `${head("Content-Length: +1\r\n")}x`, "CLIENT_AMBIGUOUS_FRAMING"],
  ["an unknown transfer coding", `${head("Transfer-Encoding: gzip\r\n")}x`, "CLIENT_AMBIGUOUS_FRAMING"],
  [
    "chunked behind another coding",
    `${head("Transfer-Encoding: gzip, chunked\r\n")}0\r\n\r\n`,
    "CLIENT_AMBIGUOUS_FRAMING",
  ],
  [
    "chunked hidden by a control character",
    `${head("Transfer-Encoding: \u000bchunked\r\n")}0\r\n\r\n`,
    "CLIENT_BAD_HEAD",
  ],
  [
    "chunked from HTTP/1.0",
    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "CLIENT_AMBIGUOUS_FRAMING",
  ],
  ["a bare LF", "GET / HTTP/1.1\nHost: a\n\n", "CLIENT_BAD_HEAD"],
  ["a bare LF in a field", head("X: a\nY: b\r\n"), "CLIENT_BAD_HEAD"],
  ["a bare CR", head("X: a\rY: b\r\n"), "CLIENT_BAD_HEAD"],
  ["a space before the colon", `${head("Content-Length : 1\r\n")}x`, "CLIENT_BAD_HEAD"],
  ["a folded line", head("X: a\r\n b\r\n"), "CLIENT_BAD_HEAD"],
  ["NUL in a value", head("X: a\0b\r\n"), "CLIENT_BAD_HEAD"],
  ["NUL in the target", `GET /\0 HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
  ["a space in the target", `GET /a b HTTP/1.1\r\n${HOST}\r\n`, "CLIENT_BAD_HEAD"],
  ["no Host", "GET / HTTP/1.1\r\n\r\n", "CLIENT_BAD_HOST"],
  ["Host twice", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "CLIENT_BAD_HOST"],
  ["a Host that is none", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "CLIENT_BAD_HOST"],
  ["garbage", "\u0001\u0002\u0003\u0004", "CLIENT_BAD_HEAD"],
  ["SSH", "SSH-2.0-OpenSSH_9.7\r\n", "CLIENT_BAD_HEAD"],
  ["a TLS hello", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003", "CLIENT_TLS_ON_PLAIN"],
  ["CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "CLIENT_CONNECT"],
  ["HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "CLIENT_VERSION"],
];

describe("nothing ambiguous is forwarded", () => {
  for (const [name, text, code] of REFUSED)
    test(`${name} is answered with ${ERRORS[code].status} and closed, and reaches no backend`, async () => {
      await using app = backend();
      await using lb = weir({ backends: [app] });
      await using user = await client(lb);
      // A request behind it would be smuggled if anything were read on.
      const response = await user.ask(text + get("/smuggled"));
      expect(response.status).toBe(ERRORS[code].status);
      expect(response.field("connection")).toBe("close");
      expect(response.field("proxy-status")).toContain(code);
      await user.raw.untilEnd();
      expect([user.rest, user.raw.error]).toEqual(["", null]);
      expect(app.server.connections.length).toBe(0);
      expect(lb.listenerErrors(code)).toBe(1);
    });

  test("behind a good request it does no harm to that one", async () => {
    await using app = backend(() => {});
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    user.send(`${get("/good")}GET / HTTP/1.1\nHost: a\n\n`);
    (await app.request(0)).connection.send(ok("good"));
    expect((await user.response()).body).toBe("good");
    expect((await user.response()).status).toBe(400);
    expect(app.requests.length).toBe(1);
  });

  const chunked = head("Transfer-Encoding: chunked\r\n");
  const bodies: readonly (readonly [string, string])[] = [
    ["a size past what can be counted", "fffffffffffffffff\r\n"],
    ["a size that is no number", "0x1\r\nx\r\n0\r\n\r\n"],
    ["a space behind a size", "1 \r\nx\r\n0\r\n\r\n"],
    ["a bare LF behind a size", "1\nx\r\n0\r\n\r\n"],
    ["more in a chunk than its size", "1\r\nxy\r\n0\r\n\r\n"],
    ["a bare LF in an extension", "1;a\nb\r\nx\r\n0\r\n\r\n"],
    ["a space before the colon of a trailer", "0\r\nX : y\r\n\r\n"],
  ];
  for (const [name, body] of bodies)
    test(`${name} of a chunked body is a 400, and no backend gets a whole request`, async () => {
      await using app = backend();
      await using lb = weir({ backends: [app] });
      await using user = await client(lb);
      const response = await user.ask(chunked + body + get("/smuggled"));
      expect([response.status, response.field("connection")]).toEqual([400, "close"]);
      expect(response.field("proxy-status")).toContain("CLIENT_BAD_BODY");
      await user.raw.untilEnd();
      expect(app.requests.length).toBe(0);
    });
});

test("a TLS hello is told in words that the port speaks plain HTTP", async () => {
  await using lb = weir({ backends: [1] });
  await using user = await client(lb);
  const response = await user.ask("\u0016\u0003\u0001");
  expect(response.body).toContain("TLS");
  expect(response.body).toContain("plain HTTP");
  expect(response.field("proxy-status")).toContain("error=tls_protocol_error");
});

test("a head that never ends is a 431, once it is larger than allowed", async () => {
  await using lb = weir({ backends: [1] });
  await using user = await client(lb);
  user.send("GET / HTTP/1.1\r\nHost: a\r\n");
  for (let i = 0; i < 40; i++) user.send(`X-${i}: ${"y".repeat(1000)}\r\n`);
  const response = await user.response();
  expect([response.status, response.field("connection")]).toEqual([431, "close"]);
});

test("a head that drips in without end is a 408 in its time, however steadily it comes", async () => {
  await using lb = weir({ backends: [1], timeouts: { headMs: 200 } });
  await using user = await client(lb);
  user.send("GET / HTTP/1.1\r\nX: ");
  const drip = setInterval(() => user.send("y"), 10);
  const response = await user.response().finally(() => clearInterval(drip));
  expect([response.status, response.field("connection")]).toEqual([408, "close"]);
});

test("a client that goes on sending after its error can still read it", async () => {
  // It is heard for two seconds, which are not over before all of it was sent.
  await using lb = weir({ backends: [1], clock: new HandClock() });
  await using user = await client(lb);
  user.send("NONSENSE\r\n\r\n");
  user.send(new Uint8Array(4_000_000));
  expect((await user.response()).status).toBe(400);
  await user.raw.untilEnd();
  expect(user.raw.error).toBeNull();
});

test("silent connections cost nothing but their number, and others are served", async () => {
  await using app = backend();
  await using lb = weir({ backends: [app], timeouts: { headMs: 60_000 } });
  const silent = await Promise.all(Array.from({ length: 200 }, () => client(lb)));
  await until(() => lb.engine.connections().clients === 200);
  await using user = await client(lb);
  expect((await user.ask(post("x"))).status).toBe(200);
  for (const one of silent) await one[Symbol.asyncDispose]();
  await until(() => lb.engine.connections().clients === 1);
});
