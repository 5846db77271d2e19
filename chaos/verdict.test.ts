import { expect, test } from "bun:test";
import { readResponse, wrong } from "./response.ts";
import type { Count, Tally } from "./tally.ts";
import { verdict } from "./verdict.ts";

function count(right: number, failed: Record<string, number> = {}, longestMs = 10): Count {
  const all = Object.values(failed).reduce((sum, n) => sum + n, right);
  return { sent: all, right, failed, longestMs };
}

function tally(idempotent: Count, other: Count = count(1)): Tally {
  return { idempotent, other };
}

test("what is not excused is wrong, by method and cause", () => {
  const lost = { "502 BACKEND_RESET": 2 };
  expect(verdict(tally(count(5)), {})).toEqual([]);
  expect(verdict(tally(count(5, lost)), { other: ["502 BACKEND_RESET"] })).toEqual([
    "GET, PUT: 2 failed, 502 BACKEND_RESET",
  ]);
  expect(verdict(tally(count(5), count(5, lost)), { other: ["502 BACKEND_RESET"] })).toEqual([]);
  expect(verdict(tally(count(5), count(5, { "wrong body": 1 })), { other: ["502 BACKEND_RESET"] })).toEqual([
    "POST: 1 failed, wrong body",
  ]);
});

test("too many, too long, none at all and never ended are wrong", () => {
  expect(verdict(tally(count(5, { gone: 3 })), { idempotent: ["gone"], most: 2 })).toEqual(["3 failed, at most 2 may"]);
  expect(verdict(tally(count(5, {}, 3001)), { longestMs: 3000 })).toEqual([
    "one took 3001 ms, at most 3000 ms may pass",
  ]);
  expect(verdict(tally(count(0)), {})).toEqual(["GET, PUT: none was answered"]);
  expect(verdict(tally({ ...count(5), sent: 6 }), {})).toEqual(["GET, PUT: 6 were sent, and only 5 have ended"]);
});

test("the client reads whole responses, and says why one is wrong", () => {
  const text =
    'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\nProxy-Status: weir; error=x; details="BACKEND_RESET: y"\r\n\r\nno';
  expect(readResponse(text.slice(0, -1))).toBeNull();
  const response = readResponse(`${text}more`)!;
  expect(response).toMatchObject({ status: 502, body: "no", length: text.length });
  expect(wrong(response, "no")).toBe("502 BACKEND_RESET");
  expect(wrong({ ...response, status: 200 }, "no")).toBeNull();
  expect(wrong({ ...response, status: 200 }, "yes")).toBe("wrong body");
  expect(() => readResponse("garbage\r\n\r\n")).toThrow("no response");
});
