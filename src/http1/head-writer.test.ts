import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FakeConnection } from "../../test/fixtures/fake-connection.ts";
import { requestHead, responseHead } from "../../test/fixtures/head-text.ts";
import { Origins } from "../http/origin.ts";
import type { Origin } from "../http/streams.ts";
import { cork } from "../net/cork.ts";
import { Outbox } from "../net/outbox.ts";
import { writeRequestHead, writeResponseHead, type ResponseFraming } from "./head-writer.ts";

const BACKEND = Buffer.from("10.0.0.1:8001");

function originOf(address: string, trusted: readonly string[] = [], via = false): Origin {
  return new Origins(trusted, via).of(new FakeConnection(address));
}

const stranger = originOf("192.0.2.7");
const proxy = originOf("10.1.2.3", ["10.0.0.0/8"]);

function forwarded(text: string, origin: Origin = stranger): string[] {
  const connection = new FakeConnection();
  writeRequestHead(new Outbox(connection), requestHead(text), origin, BACKEND);
  cork.flush();
  expect(connection.text).toEndWith("\r\n\r\n");
  return connection.text.slice(0, -4).split("\r\n");
}

const ADDED = ["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http"];
const request = (lines: string, start = "GET /p HTTP/1.1"): string => `${start}\r\nHost: a\r\n${lines}\r\n`;

describe("a request to a backend", () => {
  test("passes as it came, with who sent it", () => {
    expect(forwarded(request("X-One:  1\r\nCookie: c\r\n"))).toEqual([
      "GET /p HTTP/1.1",
      "Host: a",
      "X-One:  1",
      "Cookie: c",
      ...ADDED,
      "X-Forwarded-Host: a",
    ]);
  });

  test("loses the hop-by-hop fields of this hop", () => {
    const lines =
      "Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n" +
      "TE: gzip\r\nUpgrade: foo\r\nHTTP2-Settings: AAMAAABkAAQ\r\nX-Other: 2\r\n";
    expect(forwarded(request(lines))).toEqual([
      "GET /p HTTP/1.1",
      "Host: a",
      "X-Other: 2",
      ...ADDED,
      "X-Forwarded-Host: a",
    ]);
  });

  test("loses every field that Connection names, in any case and any line of it", () => {
    const lines = "x-a: 1\r\nConnection: X-A\r\nX-B: 2\r\nConnection: close,, x-b\r\nX-C: 3\r\n";
    expect(forwarded(request(lines))).toEqual([
      "GET /p HTTP/1.1",
      "Host: a",
      "X-C: 3",
      ...ADDED,
      "X-Forwarded-Host: a",
    ]);
  });

  test("keeps Host, its length and its coding, whatever Connection names", () => {
    expect(forwarded(request("Connection: host, content-length\r\nContent-Length: 3\r\n", "POST / HTTP/1.1"))).toEqual([
      "POST / HTTP/1.1",
      "Host: a",
      "Content-Length: 3",
      ...ADDED,
      "X-Forwarded-Host: a",
    ]);
    expect(
      forwarded(request("Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n", "POST / HTTP/1.1")),
    ).toContain("Transfer-Encoding: chunked");
  });

  test("tells who sent it, even where Connection names the fields that do", () => {
    const lines = "Connection: x-forwarded-for, x-forwarded-proto, x-forwarded-host\r\n";
    expect(forwarded(request(lines)).slice(2)).toEqual([...ADDED, "X-Forwarded-Host: a"]);
    const believed = forwarded(request(`${lines}X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\n`), proxy);
    expect(believed.slice(2)).toEqual([
      "X-Forwarded-Proto: https",
      "X-Forwarded-For: 1.1.1.1, 10.1.2.3",
      "X-Forwarded-Host: a",
    ]);
  });

  test("carries no X-Forwarded-* or Forwarded of a stranger", () => {
    const lines =
      "X-Forwarded-For: 1.1.1.1\r\nx-forwarded-proto: https\r\nX-FORWARDED-HOST: evil\r\nForwarded: for=1.1.1.1\r\n" +
      "X-Forwarded-For: 2.2.2.2\r\n";
    expect(forwarded(request(lines)).slice(2)).toEqual([...ADDED, "X-Forwarded-Host: a"]);
  });

  test("carries no field whose name has an underscore, which many servers take for a hyphen", () => {
    const lines =
      "X_Forwarded_For: 1.1.1.1\r\nX-A: 1\r\nTransfer_Encoding: chunked\r\nContent_Length: 9\r\n_: x\r\nX-B: 2\r\n" +
      "X-Forwarded_Proto: https\r\napi_key: k\r\nX_: y\r\n";
    for (const origin of [stranger, proxy])
      expect(forwarded(request(lines), origin).slice(2, 4)).toEqual(["X-A: 1", "X-B: 2"]);
    expect(forwarded(request(lines))).toEqual([
      "GET /p HTTP/1.1",
      "Host: a",
      "X-A: 1",
      "X-B: 2",
      ...ADDED,
      "X-Forwarded-Host: a",
    ]);
  });

  test("tells its length as one plain number, which nobody reads as octal", () => {
    const post = (length: string): string[] =>
      forwarded(request(`X-A: 1\r\nContent-Length: ${length}\r\nX-B: 2\r\n`, "POST / HTTP/1.1")).slice(2, 5);
    expect(post("0010")).toEqual(["X-A: 1", "Content-Length: 10", "X-B: 2"]);
    expect(post("00")).toEqual(["X-A: 1", "Content-Length: 0", "X-B: 2"]);
    expect(post("0")).toEqual(["X-A: 1", "Content-Length: 0", "X-B: 2"]);
    expect(post("10")).toEqual(["X-A: 1", "Content-Length: 10", "X-B: 2"]);
  });

  test("counts Max-Forwards down, for the two methods that it is for", () => {
    const sent = (method: string, value: string): string[] =>
      forwarded(request(`Max-Forwards: ${value}\r\nX-B: 2\r\n`, `${method} / HTTP/1.1`)).slice(2, 4);
    expect(sent("OPTIONS", "10")).toEqual(["Max-Forwards: 9", "X-B: 2"]);
    expect(sent("TRACE", "1")).toEqual(["Max-Forwards: 0", "X-B: 2"]);
    expect(sent("TRACE", "9".repeat(30))).toEqual(["Max-Forwards: 999999998", "X-B: 2"]);
    expect(sent("GET", "10")).toEqual(["Max-Forwards: 10", "X-B: 2"]);
    expect(sent("OPTIONS", "ten")).toEqual(["Max-Forwards: ten", "X-B: 2"]);
    const named = "Connection: max-forwards\r\nMax-Forwards: 3\r\n";
    expect(forwarded(request(named, "TRACE / HTTP/1.1"))).toContain("Max-Forwards: 2");
  });

  test("of HTTP/1.0 expects no 100, which that version does not know", () => {
    const lines = "Content-Length: 1\r\nExpect: 100-continue\r\n";
    expect(forwarded(request(lines, "POST / HTTP/1.1"))).toContain("Expect: 100-continue");
    expect(forwarded(request(lines, "POST / HTTP/1.0")).join()).not.toContain("Expect");
  });

  test("appends to those of a trusted proxy", () => {
    const lines =
      "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop\r\nForwarded: for=1.1.1.1\r\n" +
      "X-Forwarded-For: 2.2.2.2, 3.3.3.3\r\n";
    expect(forwarded(request(lines), proxy).slice(2)).toEqual([
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: shop",
      "Forwarded: for=1.1.1.1",
      "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 10.1.2.3",
    ]);
  });

  test("of a trusted proxy that told nothing is told as of a client", () => {
    expect(forwarded(request(""), proxy).slice(2)).toEqual([
      "X-Forwarded-For: 10.1.2.3",
      "X-Forwarded-Proto: http",
      "X-Forwarded-Host: a",
    ]);
    expect(forwarded(request("X-Forwarded-For:\r\n"), proxy)).toContain("X-Forwarded-For: 10.1.2.3");
  });

  test("in absolute form becomes origin form, and its host wins", () => {
    expect(forwarded(request("", "GET http://b:81/x?y HTTP/1.1"))).toEqual([
      "GET /x?y HTTP/1.1",
      "Host: b:81",
      ...ADDED,
      "X-Forwarded-Host: b:81",
    ]);
    expect(forwarded(request("", "GET http://b HTTP/1.1"))[0]).toBe("GET / HTTP/1.1");
    expect(forwarded(request("", "GET http://b?q HTTP/1.1"))[0]).toBe("GET /?q HTTP/1.1");
    expect(forwarded(request("", "OPTIONS http://b HTTP/1.1"))[0]).toBe("OPTIONS * HTTP/1.1");
    expect(forwarded(request("", "OPTIONS http://b?q HTTP/1.1"))[0]).toBe("OPTIONS /?q HTTP/1.1");
    expect(forwarded(request("", "OPTIONS http://b/ HTTP/1.1"))[0]).toBe("OPTIONS / HTTP/1.1");
  });

  test("OPTIONS * stays so", () => {
    expect(forwarded(request("", "OPTIONS * HTTP/1.1"))[0]).toBe("OPTIONS * HTTP/1.1");
  });

  test("of HTTP/1.0 without Host becomes HTTP/1.1 with the backend's own", () => {
    expect(forwarded("GET /p HTTP/1.0\r\nX: 1\r\n\r\n")).toEqual([
      "GET /p HTTP/1.1",
      "Host: 10.0.0.1:8001",
      "X: 1",
      ...ADDED,
    ]);
    expect(forwarded("GET /p HTTP/1.0\r\n\r\n")).toEqual(["GET /p HTTP/1.1", "Host: 10.0.0.1:8001", ...ADDED]);
  });

  test("after an empty line begins with its method", () => {
    expect(forwarded(`\r\n${request("")}`)[0]).toBe("GET /p HTTP/1.1");
  });

  test("keeps Upgrade where it is asked for", () => {
    const lines = forwarded(
      request("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n"),
    );
    expect(lines).toContain("Upgrade: websocket");
    expect(lines).toContain("Connection: Upgrade");
  });

  test("tells that trailers are welcome, as a field of this hop", () => {
    const lines = forwarded(request("TE: trailers\r\n"));
    expect(lines.filter((line) => line === "TE: trailers").length).toBe(1);
    expect(lines).toContain("Connection: TE");
  });

  test("carries Via where it is wanted, behind that of others", () => {
    expect(
      forwarded(request("Via: 1.0 other\r\n"), originOf("192.0.2.7", [], true)).filter((line) =>
        line.startsWith("Via"),
      ),
    ).toEqual(["Via: 1.0 other", "Via: 1.1 weir"]);
    expect(forwarded("GET / HTTP/1.0\r\n\r\n", originOf("192.0.2.7", [], true))).toContain("Via: 1.0 weir");
    expect(forwarded(request("")).some((line) => line.startsWith("Via"))).toBe(false);
  });

  test("tells an IPv4 address as one, even on a socket for both", () => {
    expect(forwarded(request(""), originOf("::ffff:192.0.2.9"))).toContain("X-Forwarded-For: 192.0.2.9");
    expect(forwarded(request(""), originOf("2001:db8::1"))).toContain("X-Forwarded-For: 2001:db8::1");
    expect(forwarded(request(""), originOf(""))).toContain("X-Forwarded-For: unknown");
  });

  test("trusts by address and block, of both families", () => {
    const trusted = ["192.0.2.9", "2001:db8::/32"];
    expect(originOf("::ffff:192.0.2.9", trusted).trusted).toBe(true);
    expect(originOf("192.0.2.10", trusted).trusted).toBe(false);
    expect(originOf("2001:db8:1::1", trusted).trusted).toBe(true);
    expect(originOf("2001:db9::1", trusted).trusted).toBe(false);
    expect(originOf("", trusted).trusted).toBe(false);
  });
});

const PLAIN: ResponseFraming = { chunked: false, close: false, keepAlive: false, via: false };

function answered(text: string, framing: Partial<ResponseFraming> = {}, toHead = false): string[] {
  const connection = new FakeConnection();
  writeResponseHead(new Outbox(connection), responseHead(text, toHead), { ...PLAIN, ...framing });
  cork.flush();
  expect(connection.text).toEndWith("\r\n\r\n");
  return connection.text.slice(0, -4).split("\r\n");
}

const DATE = "Date: Sun, 06 Nov 1994 08:49:37 GMT";

describe("a response to a client", () => {
  test("passes as it came", () => {
    expect(answered(`HTTP/1.1 404 Not Found\r\nServer: s\r\n${DATE}\r\nContent-Length: 3\r\n\r\n`)).toEqual([
      "HTTP/1.1 404 Not Found",
      "Server: s",
      DATE,
      "Content-Length: 3",
    ]);
  });

  test("keeps names with an underscore, which mislead nobody there", () => {
    expect(answered("HTTP/1.1 200 OK\r\nDate: x\r\nX_A: 1\r\nX-B: 2\r\nContent-Length: 0\r\n\r\n")).toEqual([
      "HTTP/1.1 200 OK",
      "Date: x",
      "X_A: 1",
      "X-B: 2",
      "Content-Length: 0",
    ]);
  });

  test("gets a Date where it has none", () => {
    const [, length, date = ""] = answered("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
    expect(length).toBe("Content-Length: 3");
    expect(date).toMatch(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
  });

  test("loses the hop-by-hop fields of that hop", () => {
    const lines =
      "Connection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nX: 2\r\n";
    expect(answered(`HTTP/1.1 200 OK\r\n${DATE}\r\n${lines}Content-Length: 0\r\n\r\n`)).toEqual([
      "HTTP/1.1 200 OK",
      DATE,
      "X: 2",
      "Content-Length: 0",
    ]);
  });

  test("keeps its length, whatever Connection names", () => {
    expect(answered(`HTTP/1.1 200 OK\r\n${DATE}\r\nConnection: content-length\r\nContent-Length: 3\r\n\r\n`)).toContain(
      "Content-Length: 3",
    );
  });

  test("is of HTTP/1.1, whatever the backend speaks", () => {
    expect(answered(`HTTP/1.0 200 Fine\r\n${DATE}\r\nContent-Length: 0\r\n\r\n`)[0]).toBe("HTTP/1.1 200 Fine");
    expect(answered(`HTTP/1.0 200 Fine\r\n\r\n`, { chunked: true })[0]).toBe("HTTP/1.1 200 Fine");
  });

  test("gets the space that some servers leave out behind the status", () => {
    expect(answered(`HTTP/1.1 200\r\n${DATE}\r\nContent-Length: 0\r\n\r\n`)[0]).toBe("HTTP/1.1 200 ");
    expect(answered(`HTTP/1.1 200\r\n\r\n`, { chunked: true })[0]).toBe("HTTP/1.1 200 ");
  });

  test("tells its framing and what becomes of the connection", () => {
    const text = `HTTP/1.1 200 OK\r\n${DATE}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expect(answered(text, { chunked: true }).slice(2)).toEqual(["Transfer-Encoding: chunked"]);
    expect(answered(text, { close: true }).slice(2)).toEqual(["Connection: close"]);
    expect(answered(text, { keepAlive: true }).slice(2)).toEqual(["Connection: keep-alive"]);
    expect(answered(text, { close: true, keepAlive: true, via: true }).slice(2)).toEqual([
      "Connection: close",
      "Via: 1.1 weir",
    ]);
  });

  test("1xx and 204 carry no length; 1xx no Date either", () => {
    expect(answered(`HTTP/1.1 204 No Content\r\n${DATE}\r\nContent-Length: 0\r\n\r\n`)).toEqual([
      "HTTP/1.1 204 No Content",
      DATE,
    ]);
    expect(answered("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 0\r\n\r\n")).toEqual([
      "HTTP/1.1 103 Early Hints",
      "Link: </a>",
    ]);
    expect(answered("HTTP/1.1 100 Continue\r\n\r\n")).toEqual(["HTTP/1.1 100 Continue"]);
  });

  test("304 and those to HEAD keep the length they would have had", () => {
    expect(answered(`HTTP/1.1 304 Not Modified\r\n${DATE}\r\nContent-Length: 9\r\n\r\n`)).toContain(
      "Content-Length: 9",
    );
    expect(answered(`HTTP/1.1 200 OK\r\n${DATE}\r\nContent-Length: 9\r\n\r\n`, {}, true)).toContain(
      "Content-Length: 9",
    );
  });

  test("101 keeps Upgrade", () => {
    expect(answered("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")).toEqual([
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
    ]);
  });
});

test("property: fields that are nobody's business pass in their order, byte for byte, among any that do not", () => {
  const passing = fc
    .tuple(fc.stringMatching(/^x-[a-z]{1,8}$/), fc.stringMatching(/^[a-z0-9 ]{0,10}$/))
    .map(([name, value]) => `${name}: ${value}`);
  const dropped = fc.constantFrom(
    "Keep-Alive: 1",
    "Connection: close",
    "TE: gzip",
    "Proxy-Connection: x",
    "X-Forwarded-For: 1.1.1.1",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(passing, dropped), { maxLength: 20 }), (lines) => {
      const kept = lines.filter((line) => /^x-(?!forwarded)/.test(line));
      const text = `GET / HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
      expect(forwarded(text)).toEqual(["GET / HTTP/1.1", "Host: a", ...kept, ...ADDED, "X-Forwarded-Host: a"]);
    }),
  );
});
