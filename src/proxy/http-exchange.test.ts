import { describe, expect, test } from "bun:test";
import { plainHead, upload } from "../../test/fixtures/fake-streams.ts";
import { Stage } from "../../test/fixtures/exchange-stage.ts";

test("an exchange knows no protocol: its code loads no codec", async () => {
  const imports = new Bun.Transpiler({ loader: "ts" }).scanImports(
    await Bun.file(`${import.meta.dir}/http-exchange.ts`).text(),
  );
  expect(imports.filter(({ path }) => /http[12]/.test(path))).toEqual([]);
});

describe("between two streams of no protocol", () => {
  test("a request goes one way and its response the other", () => {
    const stage = new Stage({ method: "PUT", framing: "chunked" });
    stage.backend.open();
    upload(stage.exchange, "hello ");
    upload(stage.exchange, "world");
    const trailers = plainHead();
    stage.exchange.requestEnd(trailers);
    const { backend } = stage;
    expect([backend.asked, backend.body, backend.trailers]).toEqual([["PUT", "end"], "hello world", trailers]);
    backend.respond(103);
    backend.respond(200);
    backend.send("all ");
    backend.send("right");
    backend.end(trailers);
    const { client } = stage;
    expect([client.sent, client.body, client.trailers]).toEqual([["103", "200", "end"], "all right", trailers]);
    expect(stage.inFlight()).toBe(0);
    expect([stage.count("requests"), stage.count("responses2xx"), stage.count("responses1xx")]).toEqual([1, 1, 1]);
  });

  test("a stream that is ready is used at once", () => {
    const stage = new Stage({}, ([link]) => (link!.idle = true));
    expect(stage.backend.asked).toEqual(["GET", "end"]);
  });

  test("a request that must not be repeated asks for a stream that was used just now", () => {
    expect(new Stage({ method: "POST", framing: "length", length: 1 }).links[0]!.asked).toEqual(["recent"]);
    expect(new Stage({ method: "PUT", framing: "length", length: 1 }).links[0]!.asked).toEqual(["any"]);
  });

  test("a body that comes before its stream is ready waits, and its client is paused at 64 KiB", () => {
    const stage = new Stage({ method: "POST", framing: "chunked" });
    const most = "x".repeat(65_535);
    upload(stage.exchange, most);
    expect(stage.client.paused).toBe(false);
    upload(stage.exchange, "y");
    expect(stage.client.paused).toBe(true);
    stage.backend.open();
    expect([stage.backend.body, stage.client.paused]).toEqual([`${most}y`, false]);
  });

  test("a client is paused while its backend is blocked", () => {
    const stage = new Stage({ method: "POST", framing: "chunked" });
    stage.backend.open();
    stage.backend.blocked = true;
    upload(stage.exchange, "more");
    expect(stage.client.paused).toBe(true);
    stage.backend.events.backendWritable();
    expect(stage.client.paused).toBe(true);
    stage.backend.blocked = false;
    stage.backend.events.backendWritable();
    expect(stage.client.paused).toBe(false);
  });

  test("a backend is paused while its client is blocked", () => {
    const stage = new Stage();
    stage.backend.open();
    stage.backend.respond(200);
    stage.client.blocked = true;
    stage.backend.send("more");
    expect(stage.backend.paused).toBe(true);
    stage.exchange.clientWritable();
    expect(stage.backend.paused).toBe(true);
    stage.client.blocked = false;
    stage.exchange.clientWritable();
    expect(stage.backend.paused).toBe(false);
  });

  test("no route is a 404, no backend a 503, and neither asks anybody", () => {
    const stage = new Stage({ target: "/nowhere" });
    expect([stage.client.sent, stage.attempts]).toEqual([
      ["404", "end"],
      [0, 0, 0],
    ]);
    expect(stage.inFlight()).toBe(0);
  });

  test("a body longer than allowed is refused before or while it comes", () => {
    const announced = new Stage({ method: "POST", framing: "length", length: 11 }, undefined, 10);
    expect([announced.client.sent, announced.attempts]).toEqual([
      ["413", "end"],
      [0, 0, 0],
    ]);
    const stage = new Stage({ method: "POST", framing: "chunked" }, undefined, 10);
    stage.backend.open();
    upload(stage.exchange, "0123456789");
    const { backend } = stage;
    upload(stage.exchange, "x");
    expect([stage.client.sent, backend.asked]).toEqual([
      ["413", "end"],
      ["POST", "cancel"],
    ]);
    expect(stage.inFlight()).toBe(0);
  });
});

describe("an upgrade", () => {
  const chat = { upgrade: "chat" };

  test("makes a tunnel of both connections, in flight until it ends", () => {
    const stage = new Stage(chat);
    const { backend, client } = stage;
    backend.open();
    backend.respond(101);
    expect(client.sent).toEqual(["101", "detach"]);
    expect([stage.tunnels.size, stage.inFlight()]).toEqual([1, 2]);
    client.peer.receive("up");
    backend.peer.receive("down");
    expect([backend.peer.text, client.peer.text]).toEqual(["up", "down"]);
    client.peer.finish();
    backend.peer.finish();
    expect([stage.tunnels.size, stage.inFlight()]).toEqual([0, 0]);
  });

  test("may be refused by any other response", () => {
    const stage = new Stage(chat);
    stage.backend.open();
    stage.backend.respond(426);
    stage.backend.end();
    expect(stage.client.sent).toEqual(["426", "end"]);
  });
});

test("a client that is gone takes its attempt with it, at whatever point", () => {
  const points: readonly ((stage: Stage) => void)[] = [
    () => {},
    ({ backend }) => backend.open(),
    ({ backend }) => {
      backend.open();
      backend.respond(200);
    },
  ];
  for (const reach of points) {
    const stage = new Stage();
    reach(stage);
    const { backend } = stage;
    stage.exchange.requestFailed("CLIENT_GONE", "");
    expect(backend.asked.at(-1)).toBe("cancel");
    expect([stage.inFlight(), stage.errors("CLIENT_GONE")]).toEqual([0, 1]);
  }
});

test("there is one hedge for an exchange, whatever becomes of the attempts", () => {
  const hedge = { after: { kind: "time" as const, milliseconds: 100 }, budget: 1 };
  const stage = new Stage({}, () => {}, null, { hedge });
  stage.backend.open();
  stage.time.pass(200);
  expect(stage.attempts).toEqual([1, 1, 0]);
  stage.links[0]!.streams[0]!.fail("BACKEND_RESET");
  stage.links[1]!.streams[0]!.open();
  stage.time.pass(1000);
  expect(stage.attempts).toEqual([1, 1, 0]);
});

test("a client is read until a body's end though nobody takes it yet, so that its going away is noticed", () => {
  const stage = new Stage({ method: "POST", framing: "length", length: 4 });
  upload(stage.exchange, "body");
  expect(stage.client.paused).toBe(false);
  stage.exchange.requestEnd(null);
  stage.backend.open();
  expect(stage.client.paused).toBe(false);
  const long = new Stage({ method: "POST", framing: "length", length: 100_000 });
  upload(long.exchange, "x".repeat(70_000));
  expect(long.client.paused).toBe(true);
  upload(long.exchange, "x".repeat(30_000));
  long.exchange.requestEnd(null);
  expect(long.client.paused).toBe(false);
});
