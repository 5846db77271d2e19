import { expect, test } from "bun:test";
import { FakeConnection } from "../../test/fixtures/fake-connection.ts";
import { Head } from "../http/head.ts";
import { cork } from "../net/cork.ts";
import { Outbox } from "../net/outbox.ts";
import { writeChunk, writeLastChunk } from "./chunk-writer.ts";
import { parseFields } from "./field-parser.ts";

const LIMITS = { headBytes: 1024, fields: 32, targetBytes: 64 };
const BLAME = { bad: "CLIENT_BAD_BODY", framing: "CLIENT_BAD_BODY", tooLarge: "CLIENT_HEAD_TOO_LARGE" } as const;

function written(write: (outbox: Outbox) => void): string {
  const connection = new FakeConnection();
  write(new Outbox(connection));
  cork.flush();
  return connection.text;
}

test("a chunk has its size in hexadecimal, without zeros before it", () => {
  for (const length of [1, 9, 10, 15, 16, 255, 256, 4096, 65_537]) {
    const text = written((outbox) => writeChunk(outbox, Buffer.alloc(length + 7, "x"), 3, 3 + length));
    expect(text).toBe(`${length.toString(16)}\r\n${"x".repeat(length)}\r\n`);
  }
});

test("a body ends without trailers where there are none", () => {
  expect(written((outbox) => writeLastChunk(outbox, null))).toBe("0\r\n\r\n");
});

test("trailers that frame, route or tell who sent a message do not pass, with a hyphen or an underscore", () => {
  const lines =
    "X-Sum: 1\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\nHost: b\r\nConnection: x\r\nTE: trailers\r\n" +
    "Upgrade: h2c\r\nX-Forwarded-For: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\nContent_Length: 9\r\nTransfer_Encoding: x\r\n" +
    "X_Forwarded_For: 1.1.1.1\r\nMax-Forwards: 1\r\nX-More: 2\r\n\r\n";
  const bytes = Buffer.from(lines, "latin1");
  const trailers = new Head();
  trailers.reset(bytes, 0);
  expect(parseFields(trailers, bytes, 0, bytes.length, LIMITS, BLAME, false)).toBe("complete");
  expect(written((outbox) => writeLastChunk(outbox, trailers))).toBe("0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n");
});
