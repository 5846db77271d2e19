import { describe, expect, test } from "bun:test";
import { backend, chunks, client, get, ok, weir } from "../fixtures/http.ts";

// What a backend may do to the clients of a balancer: each response comes in answer to a first request, and whatever
// becomes of it, a second request on the same connection, or on a new one, gets its own answer.

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";
const POISON = ok("poison");

/** Sends a first and a second request; the backend answers the first with these bytes. */
async function exchange(
  bytes: string,
  { method = "GET", ends = false, lines = "" } = {},
): Promise<{
  first: { status: number; body: string; fields: readonly (readonly [string, string])[] };
  second: string;
}> {
  await using app = backend(({ start, connection }) => {
    if (!start.endsWith(" /first HTTP/1.1")) return ok("clean");
    connection.send(bytes);
    if (ends) connection.end();
    return undefined;
  });
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  user.send(`${method} /first HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
  let first = await user.response({ toHead: method === "HEAD" });
  while (first.status < 200 && first.status !== 101) first = await user.response({ toHead: method === "HEAD" });
  if (first.field("connection") !== "close") return { first, second: (await user.ask(get("/second"))).body };
  await user.raw.untilEnd();
  expect(user.rest).toBe("");
  await using other = await client(lb);
  return { first, second: (await other.ask(get("/second"))).body };
}

describe("a response that can be read in more than one way is a 502, and nothing of it reaches a client", () => {
  const refused: readonly (readonly [string, string])[] = [
    ["Content-Length and Transfer-Encoding", `${OK}Content-Length: 3\r\n${CHUNKED}\r\n0\r\n\r\n${POISON}`],
    ["Transfer-Encoding and Content-Length", `${OK}${CHUNKED}Content-Length: 3\r\n\r\n0\r\n\r\n${POISON}`],
    ["differing lengths", `${OK}Content-Length: 0\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`],
    ["a list of lengths", `${OK}Content-Length: 0, ${POISON.length}\r\n\r\n${POISON}`],
    ["equal lengths twice", `${OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi`],
    ["a length that is no number", `${OK}Content-Length: two\r\n\r\nhi`],
    ["a length with a sign", `${OK}Content-Length: +2\r\n\r\nhi`],
    ["an unknown coding", `${OK}Transfer-Encoding: gzip\r\n\r\nhi`],
    ["a coding behind chunked", `${OK}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ["chunked twice", `${OK}${CHUNKED}${CHUNKED}\r\n0\r\n\r\n`],
    ["chunked in HTTP/1.0", `HTTP/1.0 200 OK\r\n${CHUNKED}\r\n0\r\n\r\n`],
    ["a bare LF in a field", `${OK}X: a\nContent-Length: 0\r\n\r\n`],
    ["a bare CR in a field", `${OK}X: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n`],
    ["NUL in a field", `${OK}X: a\0b\r\nContent-Length: 0\r\n\r\n`],
    ["a bare LF behind the status line", `HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n`],
    ["a bare CR in the reason", `HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n`],
    ["a bare LF as the empty line", `${OK}Content-Length: 0\r\n\n${POISON}`],
    ["a folded line", `${OK}X: a\r\n Content-Length: 0\r\nContent-Length: 2\r\n\r\nhi`],
    ["a space before the colon", `${OK}Content-Length : 2\r\n\r\nhi`],
    ["a field without a name", `${OK}: x\r\nContent-Length: 2\r\n\r\nhi`],
    ["HTTP/0.9", "<html>hello</html>\r\n\r\n"],
    ["HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"],
    ["a status above 599", "HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n"],
    ["an interim response and then none that is right", `HTTP/1.1 103 Early Hints\r\n\r\n${OK}X : y\r\n\r\n`],
    ["a body behind an interim response", `HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello${ok("late")}`],
    ["101 to a request that asked for none", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"],
  ];
  for (const [name, bytes] of refused)
    test(name, async () => {
      const { first, second } = await exchange(bytes);
      expect([first.status, second]).toEqual([502, "clean"]);
      expect(first.body).toContain("BACKEND_BAD_RESPONSE");
    });
});

describe("a response whose body is not what its fields say", () => {
  test("to HEAD is its head alone, with a length, chunked or neither", async () => {
    for (const lines of [`Content-Length: ${POISON.length}\r\n`, CHUNKED, ""]) {
      const { first, second } = await exchange(`${OK}${lines}\r\n${POISON}`, { method: "HEAD" });
      expect([first.status, first.body, second]).toEqual([200, "", "clean"]);
    }
  });

  test("204 is its head alone, and carries no framing", async () => {
    for (const lines of [`Content-Length: ${POISON.length}\r\n`, CHUNKED, "Content-Length: 0\r\n", ""]) {
      const { first, second } = await exchange(`HTTP/1.1 204 No Content\r\n${lines}\r\n${POISON}`);
      expect([first.status, first.body, second]).toEqual([204, "", "clean"]);
      const names = first.fields.map(([name]) => name);
      expect(names).not.toContain("content-length");
      expect(names).not.toContain("transfer-encoding");
    }
  });

  test("304 is its head alone, and keeps the length that it tells", async () => {
    const { first, second } = await exchange(
      `HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: x\r\n\r\n${POISON}`,
    );
    expect([first.status, first.body, second]).toEqual([304, "", "clean"]);
    expect(first.fields).toContainEqual(["content-length", "99"]);
    const { first: chunked, second: after } = await exchange(`HTTP/1.1 304 Not Modified\r\n${CHUNKED}\r\n${POISON}`);
    expect([chunked.status, chunked.fields.map(([name]) => name).includes("transfer-encoding"), after]).toEqual([
      304,
      false,
      "clean",
    ]);
  });

  test("205 is framed as any other", async () => {
    const reset = "HTTP/1.1 205 Reset Content\r\n";
    expect((await exchange(`${reset}Content-Length: 0\r\n\r\n`)).first.status).toBe(205);
    expect((await exchange(`${reset}${CHUNKED}\r\n0\r\n\r\n`)).second).toBe("clean");
    expect((await exchange(`${reset}\r\n`, { ends: true })).first.body).toBe("");
  });

  test("1xx loses the framing that it must not have, and the final response is its own", async () => {
    for (const lines of ["Content-Length: 0\r\n", `Content-Length: ${ok("final").length}\r\n`, CHUNKED]) {
      const { first, second } = await exchange(`HTTP/1.1 103 Early Hints\r\n${lines}\r\n${ok("final")}`);
      expect([first.status, first.body, second]).toEqual([200, "final", "clean"]);
    }
  });

  test("with more behind it is cut, and the rest answers nobody", async () => {
    for (const bytes of [ok("hi") + POISON, OK + CHUNKED + "\r\n" + chunks(["hi"]) + POISON])
      expect((await exchange(bytes)).second).toBe("clean");
  });
});

test("a length with zeros before it reaches the client as one plain number", async () => {
  const { first } = await exchange(`${OK}Content-Length: 0010\r\n\r\nhelloworld`);
  expect([first.body, first.fields.find(([name]) => name === "content-length")?.[1]]).toEqual(["helloworld", "10"]);
});

test("a status line without its reason, or the space before it, becomes a right one", async () => {
  await using app = backend(() => "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok");
  await using lb = weir({ backends: [app] });
  await using user = await client(lb);
  expect((await user.ask(get())).start).toBe("HTTP/1.1 200 ");
});
