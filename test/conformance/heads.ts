/** A request, and where Weir and llhttp differ about it, why Weir is right to. */
export interface Case {
  readonly name: string;
  readonly text: string;
  /** Weir refuses what llhttp takes, in one version of it or another: the clause that allows or demands it. */
  readonly stricter?: string;
  /** Weir takes what llhttp does not, and no harm comes of it: the clause that says so. */
  readonly laxer?: string;
}

const HOST = "Host: a\r\n";
const get = (lines = "", start = "GET / HTTP/1.1"): string => `${start}\r\n${HOST}${lines}\r\n`;
const put = (lines: string, body = ""): string => `PUT / HTTP/1.1\r\n${HOST}${lines}\r\n${body}`;
const CHUNKED = "Transfer-Encoding: chunked\r\n";
const chunked = (body: string): string => put(CHUNKED, body);

/** Requests, right and wrong, each with its whole body. */
export const CASES: readonly Case[] = [
  // Request lines
  { name: "GET", text: get() },
  { name: "a query", text: get("", "GET /a/b?c=d&e=%20 HTTP/1.1") },
  {
    name: "every visible character that a target may have",
    text: get("", "GET /!$&'()*+,;=:@-._~[]{}|\\^`\"<> HTTP/1.1"),
  },
  { name: "PUT with a length", text: put("Content-Length: 5\r\n", "hello") },
  { name: "HEAD", text: get("", "HEAD / HTTP/1.1") },
  { name: "OPTIONS *", text: get("", "OPTIONS * HTTP/1.1") },
  {
    name: "OPTIONS that may go no further",
    text: get("Max-Forwards: 0\r\n", "OPTIONS / HTTP/1.1"),
    stricter: "RFC 9110 §7.6.2: at 0 it is not forwarded",
  },
  {
    name: "a Host with a port past the last",
    text: "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n",
    stricter: "RFC 9112 §3.2: an invalid Host is a 400",
  },
  {
    name: "a Host with a comma",
    text: "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n",
    stricter: "RFC 9112 §3.2: an invalid Host is a 400",
  },
  { name: "HTTP/1.0", text: "GET / HTTP/1.0\r\n\r\n" },
  { name: "an empty line before", text: `\r\n${get()}` },
  { name: "an absolute target", text: get("", "GET http://b:81/p?q HTTP/1.1") },
  { name: "an absolute target without a path", text: get("", "GET http://b HTTP/1.1") },
  { name: "a lower-case method", text: get("", "get / HTTP/1.1"), laxer: "RFC 9110 §9.1: a method is any token" },
  {
    name: "a method that nobody has registered",
    text: get("", "BREW / HTTP/1.1"),
    laxer: "RFC 9110 §9.1: a method is any token",
  },
  {
    name: "two spaces before the target",
    text: get("", "GET  / HTTP/1.1"),
    stricter: "RFC 9112 §3: one space stands between the parts",
  },
  {
    name: "two spaces before the version",
    text: get("", "GET /  HTTP/1.1"),
    stricter: "RFC 9112 §3: one space stands between the parts",
  },
  { name: "a tab before the target", text: get("", "GET\t/ HTTP/1.1") },
  { name: "a space behind the version", text: get("", "GET / HTTP/1.1 ") },
  { name: "a space before the method", text: get("", " GET / HTTP/1.1") },
  { name: "no version", text: "GET /\r\n\r\n", stricter: "RFC 9112 §3: a request line has a version" },
  { name: "a lower-case protocol", text: get("", "GET / http/1.1") },
  { name: "HTTP/1.2", text: get("", "GET / HTTP/1.2") },
  {
    name: "HTTP/2.0",
    text: get("", "GET / HTTP/2.0"),
    stricter: "RFC 9112 §2.6: a version that is not spoken is a 505",
  },
  {
    name: "HTTP/0.9",
    text: get("", "GET / HTTP/0.9"),
    stricter: "RFC 9112 §2.6: a version that is not spoken is a 505",
  },
  { name: "HTTP/11", text: get("", "GET / HTTP/11") },
  { name: "HTTP/1.10", text: get("", "GET / HTTP/1.10") },
  { name: "a space in the target", text: get("", "GET /a b HTTP/1.1") },
  {
    name: "a fragment",
    text: get("", "GET /a#b HTTP/1.1"),
    stricter: "RFC 9112 §3.2: no form of the target has a fragment",
  },
  {
    name: "a byte outside ASCII in the target",
    text: get("", "GET /\u00e4 HTTP/1.1"),
    stricter: "RFC 3986 §2: it is percent-encoded",
  },
  { name: "NUL in the target", text: get("", "GET /\0 HTTP/1.1") },
  { name: "DEL in the target", text: get("", "GET /\u007f HTTP/1.1") },
  { name: "a tab in the target", text: get("", "GET /a\tb HTTP/1.1") },
  { name: "a target without a slash", text: get("", "GET a HTTP/1.1") },
  { name: "GET *", text: get("", "GET * HTTP/1.1"), stricter: "RFC 9112 §3.2.4: only OPTIONS has it" },
  {
    name: "another scheme",
    text: get("", "GET ftp://b/ HTTP/1.1"),
    stricter: "RFC 9110 §7.1: the target is none of this server's",
  },
  {
    name: "a user in the target",
    text: get("", "GET http://u@b/ HTTP/1.1"),
    stricter: "RFC 9110 §4.2.4: userinfo is an error",
  },
  { name: "a bare LF behind the request line", text: "GET / HTTP/1.1\nHost: a\r\n\r\n" },
  { name: "a bare CR behind the request line", text: "GET / HTTP/1.1\rHost: a\r\n\r\n" },
  {
    name: "two empty lines before",
    text: `\r\n\r\n${get()}`,
    stricter: "RFC 9112 §2.2: at least one is to be ignored",
  },
  { name: "a bare LF before", text: `\n${get()}`, stricter: "RFC 9112 §2.2: what is ignored is a CRLF" },
  // Host
  { name: "no Host", text: "GET / HTTP/1.1\r\n\r\n" },
  { name: "Host twice", text: get("Host: b\r\n"), stricter: "RFC 9112 §3.2: more than one Host is a 400" },
  {
    name: "an empty Host",
    text: "GET / HTTP/1.1\r\nHost:\r\n\r\n",
    stricter: "RFC 9110 §4.2.1: an empty host is invalid",
  },
  {
    name: "a Host that is none",
    text: "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    stricter: "RFC 9112 §3.2: an invalid Host is a 400",
  },
  { name: "a Host with a port", text: "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n" },
  // Field lines
  { name: "an empty value", text: get("X:\r\n") },
  { name: "spaces and tabs around a value", text: get("X: \t a b \t\r\n") },
  { name: "obs-text in a value", text: get("X: \u00e4\u00ff\r\n") },
  { name: "every character that a name may have", text: get("!#$%&'*+-.^_`|~019AZaz: x\r\n") },
  { name: "a space before the colon", text: get("X : y\r\n") },
  { name: "a tab before the colon", text: get("X\t: y\r\n") },
  { name: "a space before Content-Length's colon", text: put("Content-Length : 5\r\n", "hello") },
  {
    name: "a folded line",
    text: get("X: a\r\n b\r\n"),
    stricter: "RFC 9112 §5.2: a server may refuse obs-fold with a 400",
  },
  {
    name: "a line folded by a tab",
    text: get("X: a\r\n\tb\r\n"),
    stricter: "RFC 9112 §5.2: a server may refuse obs-fold with a 400",
  },
  { name: "a space before the first field", text: `GET / HTTP/1.1\r\n ${HOST}\r\n` },
  { name: "a field without a colon", text: get("X\r\n") },
  { name: "a field without a name", text: get(": x\r\n") },
  { name: "a parenthesis in a name", text: get("X(y): z\r\n") },
  { name: "a byte outside ASCII in a name", text: get("X\u00e4: y\r\n") },
  { name: "NUL in a name", text: get("X\0: y\r\n") },
  { name: "NUL in a value", text: get("X: \0\r\n") },
  { name: "DEL in a value", text: get("X: \u007f\r\n") },
  { name: "a control character in a value", text: get("X: a\u0001b\r\n") },
  { name: "a vertical tab in a value", text: get("X: a\u000bb\r\n") },
  { name: "a bare CR in a value", text: get("X: a\rb\r\n") },
  { name: "a bare LF in a value", text: get("X: a\nY: b\r\n") },
  { name: "two CR behind a value", text: get("X: a\r\r\n") },
  { name: "a bare LF as the empty line", text: `GET / HTTP/1.1\r\n${HOST}\n` },
  // Lengths
  { name: "a length of 0", text: put("Content-Length: 0\r\n") },
  { name: "a length with leading zeros", text: put("Content-Length: 0005\r\n", "hello") },
  { name: "equal lengths twice", text: put("Content-Length: 5\r\nContent-Length: 5\r\n", "hello") },
  { name: "differing lengths", text: put("Content-Length: 5\r\nContent-Length: 6\r\n", "hello") },
  { name: "a list of equal lengths", text: put("Content-Length: 5, 5\r\n", "hello") },
  { name: "a length with a sign", text: put("Content-Length: +5\r\n", "hello") },
  { name: "a negative length", text: put("Content-Length: -5\r\n", "hello") },
  { name: "a hexadecimal length", text: put("Content-Length: 0x5\r\n", "hello") },
  { name: "an empty length", text: put("Content-Length:\r\n") },
  { name: "a length with a space inside", text: put("Content-Length: 1 1\r\n", "hello hello") },
  { name: "a length past 64 bits", text: put("Content-Length: 99999999999999999999\r\n") },
  { name: "a length and chunked", text: put(`Content-Length: 5\r\n${CHUNKED}`, "0\r\n\r\n") },
  { name: "chunked and a length", text: put(`${CHUNKED}Content-Length: 5\r\n`, "0\r\n\r\n") },
  // Codings
  { name: "chunked", text: chunked("5\r\nhello\r\n0\r\n\r\n") },
  { name: "chunked in capitals", text: put("TRANSFER-ENCODING: CHUNKED\r\n", "5\r\nhello\r\n0\r\n\r\n") },
  {
    name: "gzip, chunked",
    text: put("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
    stricter: "RFC 9112 §6.1: a coding that is not understood is refused",
  },
  { name: "chunked, gzip", text: put("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n") },
  { name: "gzip", text: put("Transfer-Encoding: gzip\r\n") },
  { name: "identity", text: put("Transfer-Encoding: identity\r\n") },
  { name: "xchunked", text: put("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n") },
  {
    name: "chunked, chunked",
    text: put("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
    stricter: "RFC 9112 §6.1: chunked is applied once",
  },
  {
    name: "chunked twice",
    text: put(CHUNKED + CHUNKED, "0\r\n\r\n"),
    stricter: "RFC 9112 §6.1: chunked is applied once",
  },
  { name: "an empty coding", text: put("Transfer-Encoding:\r\n"), stricter: "RFC 9112 §6.1: a coding has a name" },
  { name: "chunked behind a vertical tab", text: put("Transfer-Encoding: \u000bchunked\r\n", "0\r\n\r\n") },
  { name: "chunked in quotes", text: put('Transfer-Encoding: "chunked"\r\n', "0\r\n\r\n") },
  {
    name: "chunked in HTTP/1.0",
    text: "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    stricter: "RFC 9112 §6.1: the framing is to be taken as faulty",
  },
  // Chunks
  { name: "an extension", text: chunked("5;a=b\r\nhello\r\n0\r\n\r\n") },
  { name: "an extension with a quoted value", text: chunked('5;a="b;c"\r\nhello\r\n0\r\n\r\n') },
  { name: "an extension of nothing", text: chunked("5;\r\nhello\r\n0\r\n\r\n") },
  { name: "an extension without its value", text: chunked("5;a=\r\nhello\r\n0\r\n\r\n"), stricter: "RFC 9112 §7.1.1" },
  { name: "an extension with an open quote", text: chunked('5;a="b\r\nhello\r\n0\r\n\r\n') },
  { name: "sizes in both cases", text: chunked("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n") },
  { name: "leading zeros of a size", text: chunked("005\r\nhello\r\n00\r\n\r\n") },
  { name: "trailers", text: chunked("5\r\nhello\r\n0\r\nX: y\r\nZ: w\r\n\r\n") },
  { name: "a size without digits", text: chunked("\r\nhello\r\n0\r\n\r\n") },
  { name: "a size with 0x", text: chunked("0x5\r\nhello\r\n0\r\n\r\n") },
  { name: "a space behind a size", text: chunked("5 \r\nhello\r\n0\r\n\r\n") },
  { name: "a space before a size", text: chunked(" 5\r\nhello\r\n0\r\n\r\n") },
  { name: "a size past 64 bits", text: chunked("fffffffffffffffff\r\nhello\r\n0\r\n\r\n") },
  { name: "a bare LF behind a size", text: chunked("5\nhello\r\n0\r\n\r\n") },
  { name: "a bare CR behind a size", text: chunked("5\rhello\r\n0\r\n\r\n") },
  { name: "a bare LF behind the data", text: chunked("5\r\nhello\n0\r\n\r\n") },
  { name: "nothing behind the data", text: chunked("5\r\nhello0\r\n\r\n") },
  { name: "a bare LF in an extension", text: chunked("5;a\nb\r\nhello\r\n0\r\n\r\n") },
  { name: "NUL in an extension", text: chunked("5;a\0\r\nhello\r\n0\r\n\r\n") },
  { name: "a bare LF as the last line", text: chunked("5\r\nhello\r\n0\r\n\n") },
  { name: "a space before the colon of a trailer", text: chunked("0\r\nX : y\r\n\r\n") },
];
