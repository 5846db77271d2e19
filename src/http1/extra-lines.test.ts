import { expect, test } from "bun:test";
import { FakeConnection } from "../../test/fixtures/fake-connection.ts";
import { responseHead } from "../../test/fixtures/head-text.ts";
import { addLine } from "../http/extra-lines.ts";
import type { Head } from "../http/head.ts";
import { cork } from "../net/cork.ts";
import { Outbox } from "../net/outbox.ts";
import { writeResponseHead } from "./head-writer.ts";

const FRAMING = { chunked: false, close: false, keepAlive: false, via: false };
const HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: now\r\nSet-Cookie: own=1\r\n\r\n";

function written(head: Head, before = 0): string {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection);
  cork.claim(outbox, before);
  cork.bytes.fill("x", cork.used, cork.used + before);
  cork.used += before;
  writeResponseHead(outbox, head, FRAMING);
  cork.flush();
  return connection.text.slice(before);
}

test("lines that were added go behind those of the backend, verbatim", () => {
  const head = responseHead(HEAD);
  addLine(head, Buffer.from("Set-Cookie: weir=1\r\n"));
  addLine(head, Buffer.from("X-Two: 2\r\n"));
  expect(written(head)).toBe(`${HEAD.slice(0, -2)}Set-Cookie: weir=1\r\nX-Two: 2\r\n\r\n`);
});

test("lines longer than what is claimed for a head find room, though the cork is nearly full", () => {
  const line = `X-Long: ${"y".repeat(8000)}\r\n`;
  for (const before of [0, cork.bytes.length - 9000, cork.bytes.length - 4000, cork.bytes.length - 700]) {
    const head = responseHead(HEAD);
    addLine(head, Buffer.from(line));
    expect(written(head, before)).toBe(`${HEAD.slice(0, -2)}${line}\r\n`);
  }
});

test("a head that is reused has lost them", () => {
  const head = responseHead(HEAD);
  addLine(head, Buffer.from("X-Old: 1\r\n"));
  head.reset(Buffer.alloc(0), 0);
  expect(head.extra).toBeNull();
});
