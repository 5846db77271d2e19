import { describe, expect, test } from "bun:test";
import { upload } from "../../test/fixtures/fake-streams.ts";
import { Stage } from "../../test/fixtures/exchange-stage.ts";

describe("deadlines, at their defaults", () => {
  test("60 s for a response, 1xx or not", () => {
    const stage = new Stage();
    const { backend } = stage;
    backend.open();
    stage.time.pass(30_000);
    backend.respond(103);
    stage.time.pass(29_000);
    expect(stage.client.sent).toEqual(["103"]);
    stage.time.pass(2_000);
    expect([stage.client.sent, backend.asked]).toEqual([
      ["103", "504", "end"],
      ["GET", "end", "cancel"],
    ]);
    expect(stage.inFlight()).toBe(0);
  });

  test("30 s without progress for an upload, however long it takes in all", () => {
    const stage = new Stage({ method: "POST", framing: "chunked" });
    stage.backend.open();
    for (let i = 0; i < 5; i++) {
      stage.time.pass(29_000);
      upload(stage.exchange, "x");
    }
    expect(stage.client.sent).toEqual([]);
    stage.time.pass(31_000);
    expect(stage.client.sent).toEqual(["408", "end"]);
    expect(stage.errors("CLIENT_BODY_TIMEOUT")).toBe(1);
  });

  test("30 s without progress of a backend that does not read: its fault, not the client's", () => {
    const stage = new Stage({ method: "POST", framing: "chunked" });
    stage.backend.open();
    stage.backend.blocked = true;
    upload(stage.exchange, "x");
    stage.time.pass(29_000);
    stage.backend.events.backendWritable();
    stage.time.pass(29_000);
    expect(stage.client.sent).toEqual([]);
    stage.time.pass(2_000);
    expect(stage.client.sent).toEqual(["504", "end"]);
    expect(stage.errors("BACKEND_SLOW_READER")).toBe(1);
  });

  test("30 s without progress for a download, whoever stands still", () => {
    const silent = new Stage();
    silent.backend.open();
    silent.backend.respond(200);
    for (let i = 0; i < 5; i++) {
      silent.time.pass(29_000);
      silent.backend.send("x");
    }
    silent.time.pass(31_000);
    expect(silent.client.sent).toEqual(["200", "abort"]);
    expect(silent.errors("BACKEND_BODY_TIMEOUT")).toBe(1);
    const unread = new Stage();
    unread.backend.open();
    unread.backend.respond(200);
    unread.client.blocked = true;
    unread.backend.send("x");
    unread.time.pass(31_000);
    expect(unread.errors("CLIENT_SLOW_READER")).toBe(1);
    expect([silent.inFlight(), unread.inFlight()]).toEqual([0, 0]);
  });

  test("none is left when all is done", () => {
    const stage = new Stage();
    stage.backend.open();
    stage.backend.respond(200);
    stage.backend.end();
    expect(stage.time.wheel.idle).toBe(true);
  });
});

test("no delay of a hedge and no total deadline outlives its exchange", () => {
  const hedge = { after: { kind: "time" as const, milliseconds: 100 }, budget: 1 };
  const stage = new Stage({}, () => {}, null, { hedge, totalMs: 1000 });
  stage.backend.open();
  expect(stage.time.wheel.idle).toBe(false);
  stage.backend.respond(200);
  stage.backend.end();
  expect(stage.time.wheel.idle).toBe(true);
});
