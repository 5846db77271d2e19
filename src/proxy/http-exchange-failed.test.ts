import { describe, expect, test } from "bun:test";
import { type HeadParts, upload } from "../../test/fixtures/fake-streams.ts";
import { BACKENDS, PAUSE_MS, type Settings, Stage } from "../../test/fixtures/exchange-stage.ts";

describe("a failed attempt", () => {
  test("that has sent nothing goes elsewhere, to each backend once, with the whole request", () => {
    const stage = new Stage({ method: "POST", framing: "chunked" });
    upload(stage.exchange, "early");
    stage.backend.fail("BACKEND_REFUSED");
    stage.backend.fail("BACKEND_CONNECT_TIMEOUT");
    expect(stage.attempts).toEqual([1, 1, 1]);
    stage.backend.open();
    upload(stage.exchange, " late");
    expect(stage.backend.body).toBe("early late");
    expect(stage.links.reduce((sum, { failovers }) => sum + failovers, 0)).toBe(2);
    expect(stage.inFlight()).toBe(2);
  });

  test("is the client's error when every backend has failed", () => {
    const stage = new Stage();
    for (let i = 0; i < BACKENDS; i++) stage.backend.fail("BACKEND_CONNECT_TIMEOUT");
    expect(stage.client.sent).toEqual(["504", "end"]);
    expect(stage.errors("BACKEND_CONNECT_TIMEOUT")).toBe(1);
    expect(stage.inFlight()).toBe(0);
  });

  test("may fail before it has a stream", () => {
    const stage = new Stage({}, (links) => links.forEach((link, index) => (link.failsAtOnce = index !== 1)));
    expect(stage.attempts[1]).toBe(1);
    stage.backend.open();
    expect(stage.backend.asked).toEqual(["GET", "end"]);
    const none = new Stage({}, (links) => links.forEach((link) => (link.failsAtOnce = true)));
    expect([none.client.sent, none.attempts, none.inFlight()]).toEqual([["502", "end"], [1, 1, 1], 0]);
  });

  test("that has sent something on a new connection goes elsewhere when the method allows it", () => {
    const stage = new Stage();
    stage.backend.open();
    stage.backend.fail("BACKEND_RESET");
    expect([stage.client.sent, stage.attempts]).toEqual([[], [1, 1, 0]]);
    const order = new Stage({ method: "POST" });
    order.backend.open();
    order.backend.fail("BACKEND_RESET");
    expect([order.client.sent, order.attempts]).toEqual([
      ["502", "end"],
      [1, 0, 0],
    ]);
  });

  test("on a used connection is repeated on a new one of the same backend, when it may be", () => {
    const stage = new Stage({ method: "PUT", framing: "chunked" }, ([link]) => (link!.idle = true));
    upload(stage.exchange, "body");
    stage.exchange.requestEnd(null);
    stage.backend.fail("BACKEND_RESET");
    expect(stage.links[0]!.asked).toEqual(["any", "none"]);
    stage.backend.open();
    expect([stage.backend.body, stage.backend.asked]).toEqual(["body", ["PUT", "end"]]);
    // Closed under a fresh connection too: that one goes down, and what may be repeated is, elsewhere.
    stage.backend.fail("BACKEND_RESET");
    expect(stage.attempts).toEqual([2, 1, 0]);
    stage.backend.open();
    expect([stage.backend.body, stage.backend.asked]).toEqual(["body", ["PUT", "end"]]);
    stage.backend.fail("BACKEND_INCOMPLETE");
    stage.time.pass(PAUSE_MS);
    stage.backend.open();
    stage.backend.fail("BACKEND_RESET");
    expect(stage.client.sent).toEqual(["502", "end"]);
    expect(stage.attempts).toEqual([2, 1, 1]);
  });

  test("that lost a second connection is followed by another a moment later, over a new connection, unless nobody waits any more", () => {
    const lost = (head: HeadParts, more: Settings = {}): Stage => {
      const stage = new Stage(head, ([, , last]) => (last!.idle = true), null, more);
      for (let i = 0; i < 2; i++) {
        stage.backend.open();
        stage.backend.fail("BACKEND_RESET");
      }
      expect([stage.attempts, stage.inFlight()]).toEqual([[1, 1, 0], 1]);
      return stage;
    };
    const stage = lost({ method: "PUT", framing: "chunked" });
    // What comes meanwhile is kept for it.
    upload(stage.exchange, "body");
    stage.exchange.requestEnd(null);
    stage.time.pass(PAUSE_MS);
    stage.backend.open();
    expect([stage.backend.body, stage.backend.asked, stage.links[2]!.asked]).toEqual([
      "body",
      ["PUT", "end"],
      ["none"],
    ]);
    stage.exchange.requestFailed("CLIENT_GONE", "");
    const gone = lost({});
    gone.exchange.requestFailed("CLIENT_GONE", "");
    gone.time.pass(PAUSE_MS);
    expect([gone.attempts, gone.inFlight(), gone.time.wheel.idle]).toEqual([[1, 1, 0], 0, true]);
    const late = lost({}, { totalMs: 50 });
    late.time.pass(PAUSE_MS);
    expect([late.client.sent, late.attempts, late.time.wheel.idle]).toEqual([["504", "end"], [1, 1, 0], true]);
  });

  test("on a used connection, and then refused, may be what killed its backend: it counts", () => {
    const stage = new Stage({}, (links) => links.forEach((link) => (link.idle = true)), null, {
      retry: { attempts: 2 },
    });
    stage.backend.fail("BACKEND_RESET");
    stage.backend.fail("BACKEND_REFUSED");
    stage.backend.open();
    stage.backend.fail("BACKEND_RESET");
    expect(stage.links.map(({ asked }) => asked)).toEqual([["any", "none"], ["none"], []]);
    expect([stage.client.sent, stage.attempts]).toEqual([
      ["502", "end"],
      [2, 1, 0],
    ]);
  });

  test("of which no byte was taken is not repeated either when some of its body is gone", () => {
    const long = 100_000;
    const stage = new Stage({ method: "POST", framing: "length" }, ([link]) => (link!.idle = true));
    upload(stage.exchange, "x".repeat(long));
    // The system had taken nothing: a head alone would leave the next request to be read as its body.
    stage.backend.sent = false;
    stage.backend.fail("BACKEND_RESET");
    expect(stage.attempts).toEqual([1, 0, 0]);
    expect(stage.client.sent[0]).toBe("502");
  });

  test("where each backend has been tried is repeated at one that has answered, another than the last if there is one", () => {
    const busy = (stage: Stage): void => {
      const { backend } = stage;
      backend.open();
      backend.respond(503);
      if (stage.client.sent.length === 0) backend.end();
    };
    const settings = { retry: { attempts: 3, statuses: [[503, 503]] as const } };
    const two = new Stage({}, () => {}, null, settings);
    two.backend.fail("BACKEND_REFUSED");
    busy(two);
    busy(two);
    expect(two.attempts).toEqual([1, 2, 1]);
    busy(two);
    expect(two.client.sent[0]).toBe("503");
    const one = new Stage({}, () => {}, null, settings);
    one.backend.fail("BACKEND_REFUSED");
    one.backend.open();
    one.backend.fail("BACKEND_RESET");
    busy(one);
    expect(one.attempts).toEqual([1, 1, 2]);
  });

  test("that was answered before a byte was taken is one that was sent: it is not repeated without end", () => {
    const stage = new Stage({}, () => {}, null, { retry: { statuses: [[503, 503]] } });
    for (let tries = 0; tries < 10 && stage.client.sent.length === 0; tries++) {
      const { backend } = stage;
      backend.open();
      backend.sent = false;
      backend.respond(503);
      if (stage.client.sent.length === 0) backend.end();
    }
    expect([stage.client.sent, stage.attempts]).toEqual([["503"], [1, 1, 1]]);
  });

  test("of which no byte was taken is repeated with its body, whatever the method", () => {
    const stage = new Stage({ method: "POST", framing: "length" }, ([link]) => (link!.idle = true));
    stage.backend.sent = false;
    upload(stage.exchange, "hello");
    stage.backend.sent = false;
    stage.backend.fail("BACKEND_RESET");
    expect(stage.attempts).toEqual([2, 0, 0]);
    stage.backend.open();
    expect(stage.backend.body).toBe("hello");
  });

  test("on a used connection is not repeated when the method forbids it, or the body is too long to keep", () => {
    const bare = new Stage({ method: "POST" }, ([link]) => (link!.idle = true));
    bare.backend.fail("BACKEND_RESET");
    expect([bare.client.sent, bare.attempts]).toEqual([
      ["502", "end"],
      [1, 0, 0],
    ]);
    const post = new Stage({ method: "POST", framing: "chunked" }, ([link]) => (link!.idle = true));
    upload(post.exchange, "x");
    post.backend.fail("BACKEND_RESET");
    expect([post.client.sent, post.attempts]).toEqual([
      ["502", "end"],
      [1, 0, 0],
    ]);
    const long = new Stage({ method: "PUT", framing: "chunked" }, ([link]) => (link!.idle = true));
    upload(long.exchange, "x".repeat(65 * 1024));
    long.backend.fail("BACKEND_RESET");
    expect([long.client.sent, long.attempts]).toEqual([
      ["502", "end"],
      [1, 0, 0],
    ]);
  });

  test("in the middle of a response breaks it visibly", () => {
    const stage = new Stage();
    stage.backend.open();
    stage.backend.respond(200);
    stage.backend.fail("BACKEND_INCOMPLETE");
    expect(stage.client.sent).toEqual(["200", "abort"]);
    expect([stage.errors("BACKEND_INCOMPLETE"), stage.errors("BACKEND_INCOMPLETE", 0)]).toEqual([1, 1]);
    expect(stage.inFlight()).toBe(0);
  });
});

describe("a deadline of one attempt", () => {
  const attemptMs = 500;

  test("does not run while the client sends", () => {
    const stage = new Stage({ method: "PUT", framing: "chunked" }, () => {}, null, { retry: { attemptMs } });
    stage.time.pass(300);
    stage.backend.open();
    for (let i = 0; i < 10; i++) {
      upload(stage.exchange, "slow");
      stage.time.pass(400);
    }
    expect(stage.client.sent).toEqual([]);
    stage.exchange.requestEnd(null);
    stage.time.pass(400);
    expect(stage.client.sent).toEqual([]);
    stage.time.pass(300);
    expect(stage.client.sent).toEqual(["504", "end"]);
  });

  test("covers connecting and waiting together where the request is there", () => {
    const stage = new Stage({}, () => {}, null, { retry: { attemptMs } });
    stage.time.pass(300);
    stage.backend.open();
    stage.time.pass(400);
    expect(stage.client.sent).toEqual(["504", "end"]);
  });
});

test("what is closed under a used connection a second after it was sent was not closed by the race", () => {
  const stage = new Stage({ method: "DELETE" }, ([link]) => (link!.idle = true));
  stage.time.pass(2000);
  stage.backend.fail("BACKEND_RESET");
  // Elsewhere, and not once more on a fresh connection of the same backend.
  expect(stage.attempts).toEqual([1, 1, 0]);
});
