import { describe, expect, test } from "bun:test";
import { requestHead } from "../../test/fixtures/head-text.ts";
import { mayUpgrade } from "./upgrade.ts";

const upgrade = (protocol: string, start = "GET / HTTP/1.1", lines = ""): boolean =>
  mayUpgrade(requestHead(`${start}\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${lines}\r\n`));

describe("an upgrade passes", () => {
  for (const protocol of ["websocket", "WebSocket", "chat/1.0", "foo, bar", "xh2c", "h2cx", "nothttp", "DERP"])
    test(`to ${protocol}`, () => expect(upgrade(protocol)).toBe(true));
});

describe("an upgrade does not pass", () => {
  // Each is another way to write a request, which would pass in the tunnel unseen.
  for (const protocol of [
    "h2c",
    "H2C",
    "h2",
    "foo, h2c",
    "h2c,foo",
    "h2c/1",
    "HTTP/2.0",
    "http/1.1",
    "TLS/1.0, HTTP/1.1",
  ])
    test(`to ${protocol}`, () => expect(upgrade(protocol)).toBe(false));

  test("where one of two lines names such a protocol", () => {
    expect(upgrade("websocket", "GET / HTTP/1.1", "Upgrade: h2c\r\n")).toBe(false);
  });

  test("with a body, from HTTP/1.0, or without a protocol", () => {
    expect(upgrade("websocket", "POST / HTTP/1.1", "Content-Length: 1\r\n")).toBe(false);
    expect(upgrade("websocket", "POST / HTTP/1.1", "Transfer-Encoding: chunked\r\n")).toBe(false);
    expect(upgrade("websocket", "GET / HTTP/1.0")).toBe(false);
    expect(mayUpgrade(requestHead("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n"))).toBe(false);
  });
});
