import { describe, expect, test } from "bun:test";
import { parseAddress } from "../../src/address.ts";
import type { ErrorCode } from "../../src/errors.ts";
import { until } from "../fixtures/cluster.ts";
import { HandClock } from "../fixtures/hand-clock.ts";
import type { Message } from "../fixtures/message.ts";
import { backend, client, chunks, get, NOBODY, ok, post, weir } from "../fixtures/http.ts";
import { passUntil } from "../fixtures/pass-until.ts";

/** What every error tells: its status, a short plain text, and its cause for machines. */
function expectError(response: Message, status: number, proxyStatus: string, code: ErrorCode): void {
  expect(response.status).toBe(status);
  expect(response.field("content-type")).toBe("text/plain; charset=utf-8");
  expect(response.field("proxy-status")).toStartWith(`weir; error=${proxyStatus}; details="${code}`);
  expect(response.body).toStartWith(`${status} `);
  expect(response.body).toContain(code);
  expect(response.body.length).toBeLessThan(300);
}

/** What resolves names may take its time to say that there is none. */
const NAMES = { connectMs: 20_000 } as const;

/** Looks that find nothing more: by then what flows has come to a stop. */
const SAME = 50;

/** Waits until bytes have passed, and no more do. */
async function stopsAt(bytes: () => number): Promise<void> {
  let before = bytes();
  let same = 0;
  await until(() => {
    const now = bytes();
    same = now === before && now > MUCH ? same + 1 : 0;
    before = now;
    return same === SAME;
  });
}
/** More than heads. */
const MUCH = 10_000;

describe("a client's mistake", () => {
  test("of a bad head is a 400", async () => {
    await using lb = weir({ backends: [1] });
    await using user = await client(lb);
    expectError(await user.ask("GET\r\n\r\n"), 400, "http_request_error", "CLIENT_BAD_HEAD");
    await user.raw.untilEnd();
  });

  test("of a head that is not complete in time is a 408", async () => {
    await using lb = weir({ backends: [1], timeouts: { headMs: 100 } });
    await using user = await client(lb);
    expectError(await user.ask("GET / HTTP/1.1\r\n"), 408, "http_request_error", "CLIENT_HEAD_TIMEOUT");
    await user.raw.untilEnd();
    expect(lb.listenerErrors("CLIENT_HEAD_TIMEOUT")).toBe(1);
  });

  test("of a second head that is not complete in time is a 408 too", async () => {
    const clock = new HandClock();
    await using app = backend();
    await using lb = weir({ backends: [app], timeouts: { headMs: 100 }, clock });
    await using user = await client(lb);
    await user.ask(get());
    const answer = await passUntil(clock, user.ask("GET / HTTP/1.1\r\n"), 10);
    expectError(answer, 408, "http_request_error", "CLIENT_HEAD_TIMEOUT");
  });

  test("of a body that makes no progress is a 408, and cancels the attempt", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app], timeouts: { bodyMs: 100 } });
    await using user = await client(lb);
    expectError(await user.ask(post("hello").slice(0, -2)), 408, "http_request_error", "CLIENT_BODY_TIMEOUT");
    await (await app.server.connection(0)).until(({ closed }) => closed);
    await user.raw.untilEnd();
  });

  test("of a body longer than allowed is a 413 at once, and reaches no backend", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app], limits: { bodyBytes: 10 } });
    await using user = await client(lb);
    expect((await user.ask(post("0123456789"))).status).toBe(200);
    user.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
    const response = await user.response();
    expectError(response, 413, "http_request_error", "CLIENT_BODY_TOO_LARGE");
    expect(response.field("connection")).toBe("close");
    expect(app.requests.length).toBe(1);
  });

  test("of a body in chunks longer than allowed is a 413 when it is seen, and cancels the attempt", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app], limits: { bodyBytes: 10 } });
    await using user = await client(lb);
    const put = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect((await user.ask(put + chunks(["01234", "56789"]))).status).toBe(200);
    const response = await user.ask(put + chunks(["01234", "567890"]));
    expectError(response, 413, "http_request_error", "CLIENT_BODY_TOO_LARGE");
    await user.raw.untilEnd();
    expect(app.requests.length).toBe(1);
  });

  test("of too long a target is a 414", async () => {
    await using app = backend();
    await using lb = weir({ backends: [app], limits: { targetBytes: 100 } });
    await using user = await client(lb);
    expect((await user.ask(get(`/${"a".repeat(99)}`))).status).toBe(200);
    expectError(await user.ask(get(`/${"a".repeat(100)}`)), 414, "http_request_error", "CLIENT_TARGET_TOO_LONG");
  });

  test("of too large a head is a 431", async () => {
    await using lb = weir({ backends: [1], limits: { headBytes: 1000 } });
    await using user = await client(lb);
    expectError(
      await user.ask(get("/", `X: ${"y".repeat(1000)}\r\n`)),
      431,
      "http_request_error",
      "CLIENT_HEAD_TOO_LARGE",
    );
  });

  test("of too many fields is a 431", async () => {
    await using lb = weir({ backends: [1] });
    await using user = await client(lb);
    expectError(await user.ask(get("/", "X: y\r\n".repeat(128))), 431, "http_request_error", "CLIENT_HEAD_TOO_LARGE");
  });

  test("of CONNECT is a 501", async () => {
    await using lb = weir({ backends: [1] });
    await using user = await client(lb);
    expectError(
      await user.ask("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"),
      501,
      "http_request_error",
      "CLIENT_CONNECT",
    );
  });

  test("of another version is a 505", async () => {
    await using lb = weir({ backends: [1] });
    await using user = await client(lb);
    expectError(await user.ask("GET / HTTP/3.0\r\n\r\n"), 505, "http_request_error", "CLIENT_VERSION");
  });

  test("of reading nothing of the response ends it", async () => {
    const clock = new HandClock();
    await using app = backend(() => {});
    await using lb = weir({ backends: [app], timeouts: { bodyMs: 200 }, clock });
    await using user = await client(lb);
    user.raw.pause();
    user.send(get());
    const { connection } = await app.request(0);
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n");
    connection.send(new Uint8Array(50_000_000));
    await stopsAt(() => lb.listener("bytesOut"));
    clock.pass(300);
    await connection.until(({ closed }) => closed);
    expect(lb.listenerErrors("CLIENT_SLOW_READER")).toBe(1);
  });
});

describe("a backend's failure", () => {
  test("to be there is a 502", async () => {
    await using lb = weir({ backends: NOBODY.slice(0, 1) });
    await using user = await client(lb);
    expectError(await user.ask(get()), 502, "connection_refused", "BACKEND_REFUSED");
    // A client may try again on the same connection.
    expect((await user.ask(get())).status).toBe(502);
  });

  for (const how of ["end", "reset"] as const)
    test(`to answer before it closes (${how}) is a 502`, async () => {
      await using app = backend(({ connection }) => connection[how]());
      await using lb = weir({ backends: [app] });
      await using user = await client(lb);
      expectError(await user.ask(get()), 502, "connection_terminated", "BACKEND_RESET");
      expect(lb.backendErrors(0, "BACKEND_RESET")).toBe(1);
    });

  test("to have a name that resolves is a 502", async () => {
    await using lb = weir({ backends: ["nowhere.invalid:80"], timeouts: NAMES });
    await using user = await client(lb);
    expectError(await user.ask(get()), 502, "dns_error", "BACKEND_NAME");
  });

  const bad: readonly (readonly [string, string])[] = [
    ["speak HTTP", "SSH-2.0-OpenSSH\r\n"],
    ["send one length", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy"],
    [
      "send either a length or chunks",
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["send a head without bare LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"],
    ["send a head without NUL", "HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 2\r\n\r\nok"],
    ["send a head without folded lines", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok"],
    ["use a transfer coding that is known", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxx"],
    ["send a status", "HTTP/1.1 OK\r\n\r\n"],
  ];
  for (const [name, response] of bad)
    test(`to ${name} is a 502, and its connection is not used again`, async () => {
      await using app = backend(({ on }) => (on === 0 ? response : ok()));
      await using lb = weir({ backends: [app] });
      await using user = await client(lb);
      expectError(await user.ask(get()), 502, "http_protocol_error", "BACKEND_BAD_RESPONSE");
      await (await app.server.connection(0)).until(({ closed }) => closed);
      expect((await user.ask(get())).body).toBe("ok");
    });

  test("to keep its head small is a 502", async () => {
    await using app = backend(() => `HTTP/1.1 200 OK\r\nX: ${"y".repeat(40_000)}\r\n\r\n`);
    await using lb = weir({ backends: [app] });
    await using user = await client(lb);
    expectError(await user.ask(get()), 502, "http_response_header_section_size", "BACKEND_HEAD_TOO_LARGE");
  });

  test("to answer in time is a 504, and cancels the attempt", async () => {
    await using app = backend(() => {});
    await using lb = weir({ backends: [app], timeouts: { responseMs: 100 } });
    await using user = await client(lb);
    expectError(await user.ask(get()), 504, "http_response_timeout", "BACKEND_RESPONSE_TIMEOUT");
    await (await app.server.connection(0)).until(({ closed }) => closed);
    // The client's connection is as good as before.
    expect((await user.ask(get())).status).toBe(504);
  });

  test("to answer a POST of nothing in time is a 504 all the same", async () => {
    await using app = backend(() => {});
    await using lb = weir({ backends: [app], timeouts: { responseMs: 100, bodyMs: 60_000 } });
    await using user = await client(lb);
    expectError(await user.ask(post("")), 504, "http_response_timeout", "BACKEND_RESPONSE_TIMEOUT");
  });

  test("to read a body is a 504", async () => {
    const clock = new HandClock();
    await using app = backend();
    await using lb = weir({ backends: [app], timeouts: { bodyMs: 200 }, clock });
    await using user = await client(lb);
    user.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000000\r\n\r\n");
    (await app.server.connection(0)).pause();
    user.send(new Uint8Array(50_000_000));
    await stopsAt(() => lb.listener("bytesIn"));
    clock.pass(300);
    expectError(await user.response(), 504, "connection_write_timeout", "BACKEND_SLOW_READER");
  });

  test("to go on with a response leaves it visibly broken", async () => {
    await using app = backend(() => "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    await using lb = weir({ backends: [app], timeouts: { bodyMs: 100 } });
    await using user = await client(lb);
    expect(user.ask(get())).rejects.toThrow("the connection ended");
    await user.raw.untilEnd();
    expect(lb.backendErrors(0, "BACKEND_BODY_TIMEOUT")).toBe(1);
    expect(lb.log).toContainEqual(
      expect.objectContaining({
        event: "backend failed",
        fields: expect.objectContaining({ code: "BACKEND_BODY_TIMEOUT" }),
      }),
    );
    await (await app.server.connection(0)).until(({ closed }) => closed);
  });

  test("of all of them to take work is a 503", async () => {
    await using lb = weir({ backends: [{ address: parseAddress(":1"), weight: 0 }] });
    await using user = await client(lb);
    expectError(await user.ask(get()), 503, "destination_unavailable", "POOL_NO_BACKEND");
    expect((await user.ask(get())).status).toBe(503);
  });

  test("names no address of a backend to the client", async () => {
    await using app = backend(({ connection }) => connection.end());
    for (const address of [...NOBODY.slice(0, 1), "nowhere.invalid:80", app]) {
      await using lb = weir({ backends: [address], timeouts: NAMES });
      await using user = await client(lb);
      const { raw } = await user.ask(get());
      expect(raw).not.toContain("127.0.0.1");
      expect(raw).not.toContain("nowhere");
    }
  });
});

test("a body's deadline is for progress, never total: a slow but steady upload and download live", async () => {
  let now = 1_000;
  let looks = 0;
  const clock = {
    now: (): number => {
      looks += 1;
      return now;
    },
  };
  await using app = backend(({ body }) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
  await using lb = weir({ backends: [app], timeouts: { bodyMs: 30_000, responseMs: 60_000 }, clock });
  await using user = await client(lb);
  /** Lets time pass, and waits until Weir has looked at its deadlines. */
  const pass = async (ms: number): Promise<void> => {
    now += ms;
    const seen = looks;
    await until(() => looks >= seen + 3);
  };
  user.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n");
  const connection = await app.server.connection(0);
  for (const byte of "upload") {
    user.send(byte);
    await connection.until(({ text }) => text.endsWith(byte));
    await pass(25_000);
  }
  const sent = await app.request(0);
  await user.raw.untilText("\r\n\r\n");
  for (const byte of "answer") {
    sent.connection.send(byte);
    await user.raw.until(({ text }) => text.endsWith(byte));
    await pass(25_000);
  }
  expect((await user.response()).body).toBe("answer");
});
