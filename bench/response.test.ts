import { expect, test } from "bun:test";
import { completeResponse } from "./response.ts";

const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Backend: 7\r\n\r\nok";

test("nothing is read until the last byte of the body is there", () => {
  for (let length = 0; length < answer.length; length++) {
    expect(completeResponse(answer.slice(0, length))).toBeUndefined();
  }
  expect(completeResponse(answer)).toEqual({ status: 200, backend: 7, last: false });
});

test("a refusal that closes the connection is one, in whatever case its fields are written", () => {
  const refusal = "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nCONTENT-LENGTH: 0\r\n\r\n";
  expect(completeResponse(refusal)).toEqual({ status: 503, backend: -1, last: true });
});

test("what looks like a field in the body is none", () => {
  const body = "\r\nx-backend: 3\r\nconnection: close\r\n";
  const text = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  expect(completeResponse(text)).toEqual({ status: 200, backend: -1, last: false });
});
