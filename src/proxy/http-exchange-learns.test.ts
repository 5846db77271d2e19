import { describe, expect, test } from "bun:test";
import { upload } from "../../test/fixtures/fake-streams.ts";
import { DEFAULT_TIMEOUTS } from "../config/schema/defaults.ts";
import { CONNECT, DURATION, FIRST_BYTE } from "../observe/columns.ts";
import { POOL, Stage } from "../../test/fixtures/exchange-stage.ts";

/** Exchanges whose backend fails, each in a way of its own. */
function failed(): { readonly reset: Stage; readonly broken: Stage; readonly late: Stage } {
  const reset = new Stage({ method: "POST" });
  reset.backend.open();
  reset.backend.fail("BACKEND_RESET");
  const broken = new Stage();
  broken.backend.open();
  broken.backend.respond(200);
  broken.time.pass(40);
  broken.backend.fail("BACKEND_INCOMPLETE");
  const late = new Stage();
  late.backend.open();
  late.time.pass(DEFAULT_TIMEOUTS.responseMs + 1000);
  return { reset, broken, late };
}

describe("what is learnt of a backend", () => {
  test("is the time from the request's end to the response's head, whatever the client took", () => {
    const stage = new Stage({ method: "PUT", framing: "chunked" });
    stage.time.pass(100);
    stage.backend.open();
    stage.time.pass(1000);
    upload(stage.exchange, "slow");
    stage.exchange.requestEnd(null);
    stage.time.pass(30);
    stage.backend.respond(103);
    stage.time.pass(10);
    stage.backend.respond(200);
    stage.time.pass(500);
    stage.backend.end();
    expect(stage.learnt).toEqual([["answered", 0, 40]]);
  });

  test("is the time from the request's head where the response comes before the request's end", () => {
    const stage = new Stage({ method: "PUT", framing: "chunked" });
    stage.time.pass(100);
    stage.backend.open();
    stage.time.pass(20);
    stage.backend.respond(400);
    stage.backend.end();
    expect(stage.learnt).toEqual([["answered", 0, 20]]);
  });

  test("is its own part only, where one attempt follows another", () => {
    const stage = new Stage();
    stage.time.pass(300);
    stage.backend.fail("BACKEND_CONNECT_TIMEOUT");
    stage.time.pass(7);
    stage.backend.open();
    stage.time.pass(5);
    stage.backend.respond(200);
    expect(stage.learnt).toEqual([
      ["failed", 0, 300],
      ["answered", 1, 5],
    ]);
  });

  test("is a failure where it answers 5xx, resets, breaks off, or is too late", () => {
    const { reset, broken, late } = failed();
    for (const status of [500, 503]) {
      const stage = new Stage();
      stage.backend.open();
      stage.backend.respond(status);
      expect(stage.learnt).toEqual([["failed", 0, 0]]);
    }
    expect(reset.learnt).toEqual([["failed", 0, 0]]);
    expect(broken.learnt).toEqual([
      ["answered", 0, 0],
      ["failed", 0, 0],
    ]);
    expect(late.learnt.map(([how]) => how)).toEqual(["failed"]);
    expect(late.learnt[0]?.[2]).toBeGreaterThan(DEFAULT_TIMEOUTS.responseMs);
  });

  test("is nothing where the client goes away, or an idle connection was closed at the other end", () => {
    const gone = new Stage();
    gone.backend.open();
    gone.exchange.requestFailed("CLIENT_GONE", "");
    expect(gone.learnt).toEqual([]);
    const stale = new Stage({}, ([link]) => (link!.idle = true));
    stale.backend.fail("BACKEND_RESET");
    expect(stale.learnt).toEqual([]);
  });

  test("is the answer of a 101", () => {
    const stage = new Stage({ upgrade: "websocket" });
    stage.backend.open();
    stage.time.pass(10);
    stage.backend.respond(101);
    expect(stage.learnt).toEqual([["answered", 0, 10]]);
  });
});

describe("the histograms", () => {
  test("have of the pool the whole time, and of the backend its own", () => {
    const stage = new Stage({ method: "PUT", framing: "chunked" });
    stage.time.pass(5);
    stage.backend.open();
    stage.time.pass(10);
    stage.exchange.requestEnd(null);
    stage.time.pass(20);
    stage.backend.respond(103);
    stage.backend.respond(200);
    stage.time.pass(40);
    stage.backend.end();
    for (const row of [0, POOL])
      expect([CONNECT, FIRST_BYTE, DURATION].map((histogram) => stage.times(histogram, row))).toEqual([
        [5, 1],
        [35, 1],
        [75, 1],
      ]);
    expect(stage.times(DURATION, 1)).toEqual([0, 0]);
  });

  test("have of each attempt the part that was its backend's, and of the request one time in all", () => {
    const stage = new Stage({});
    stage.backend.open();
    stage.time.pass(10);
    stage.backend.fail("BACKEND_RESET");
    stage.time.pass(1);
    stage.backend.open();
    stage.time.pass(20);
    stage.backend.respond(200);
    stage.backend.end();
    expect([stage.times(FIRST_BYTE, 0), stage.times(DURATION, 0)]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect([stage.times(FIRST_BYTE, 1), stage.times(DURATION, 1)]).toEqual([
      [21, 1],
      [21, 1],
    ]);
    expect([stage.times(FIRST_BYTE, POOL), stage.times(DURATION, POOL)]).toEqual([
      [31, 1],
      [31, 1],
    ]);
  });

  test("have a request that fails, but no head of a response for it; and no connecting on a used connection", () => {
    const stage = new Stage({ method: "POST", framing: "length", length: 1 }, ([link]) => (link!.idle = true));
    upload(stage.exchange, "x");
    stage.exchange.requestEnd(null);
    stage.time.pass(7);
    stage.exchange.requestFailed("CLIENT_GONE", "");
    expect([CONNECT, FIRST_BYTE, DURATION].map((histogram) => stage.times(histogram, POOL))).toEqual([
      [0, 0],
      [0, 0],
      [7, 1],
    ]);
  });

  test("have an upgrade until its 101", () => {
    const stage = new Stage({ upgrade: "websocket" });
    stage.backend.open();
    stage.time.pass(3);
    stage.backend.respond(101);
    stage.time.pass(1000);
    for (const row of [0, POOL]) expect(stage.times(FIRST_BYTE, row)).toEqual([3, 1]);
    expect(stage.times(DURATION, POOL)).toEqual([3, 1]);
  });
});

describe("what an attempt says of the health of its backend", () => {
  test("is a failure where the backend resets, breaks off or is too late, and nothing where the client or Weir fails", () => {
    const { reset, broken, late } = failed();
    const stale = new Stage({ method: "POST", framing: "length", length: 1 }, ([link]) => (link!.idle = true));
    upload(stale.exchange, "x");
    stale.backend.fail("BACKEND_RESET");
    const gone = new Stage();
    gone.backend.open();
    gone.exchange.requestFailed("CLIENT_GONE", "");
    expect([reset, broken, late, stale, gone].map(({ words }) => words.failures(0))).toEqual([1, 1, 1, 0, 0]);
  });

  test("goes to each backend that was tried, and an answer ends its row", () => {
    const stage = new Stage();
    stage.backend.fail("BACKEND_REFUSED");
    stage.backend.open();
    expect([0, 1].map((row) => stage.words.failures(row))).toEqual([1, 0]);
    stage.words.failed(0, 1, 5);
    stage.backend.respond(500);
    expect([0, 1].map((row) => stage.words.failures(row))).toEqual([1, 0]);
  });
});
