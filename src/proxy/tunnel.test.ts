import { expect, test } from "bun:test";
import fc from "fast-check";
import { FakeConnection } from "../../test/fixtures/fake-connection.ts";
import { Outbox } from "../net/outbox.ts";
import { TimerWheel } from "../net/timer-wheel.ts";
import { Tunnel } from "./tunnel.ts";

const IDLE_MS = 1000;
const BODY_MS = 300;
const TIMEOUTS = { idleMs: IDLE_MS, bodyMs: BODY_MS };

/** A tunnel between two ends that a test drives. */
class Bench {
  readonly client: FakeConnection = new FakeConnection();
  readonly backend: FakeConnection = new FakeConnection();
  readonly finished: string[] = [];
  passedIn = 0;
  passedOut = 0;
  now = 0;
  readonly wheel: TimerWheel = new TimerWheel({ now: () => this.now }, () => {});
  readonly tunnel: Tunnel;

  constructor(early: { readonly client?: string; readonly backend?: string } = {}) {
    const end = (connection: FakeConnection, text: string | undefined) => ({
      connection,
      outbox: new Outbox(connection),
      early: text === undefined ? null : Buffer.from(text),
    });
    this.tunnel = new Tunnel(end(this.client, early.client), end(this.backend, early.backend), this.wheel, TIMEOUTS, {
      passedIn: (bytes) => {
        this.passedIn += bytes;
      },
      passedOut: (bytes) => {
        this.passedOut += bytes;
      },
      finished: (why) => void this.finished.push(why),
    });
  }

  fromClient(text: string): void {
    this.client.data.received(Buffer.from(text));
  }

  fromBackend(text: string): void {
    this.backend.data.received(Buffer.from(text));
  }

  pass(ms: number): void {
    this.now += ms;
    this.wheel.advance();
  }
}

test("bytes pass both ways and are counted", () => {
  const bench = new Bench();
  bench.fromClient("ask");
  bench.fromBackend("answer");
  expect([bench.backend.text, bench.client.text]).toEqual(["ask", "answer"]);
  expect([bench.passedIn, bench.passedOut]).toEqual([3, 6]);
});

test("what came before the tunnel was there goes first, in both directions", () => {
  const bench = new Bench({ client: "early ", backend: "hello " });
  bench.fromClient("bird");
  bench.fromBackend("world");
  expect([bench.backend.text, bench.client.text]).toEqual(["early bird", "hello world"]);
});

test("a half-close of the client passes on, and the backend may go on sending", () => {
  const bench = new Bench();
  bench.client.data.ended();
  expect(bench.backend.acts).toEqual(["shutdown"]);
  expect(bench.client.acts).toEqual([]);
  bench.fromBackend("late");
  expect(bench.client.text).toBe("late");
  expect(bench.finished).toEqual([]);
  bench.backend.data.ended();
  expect(bench.client.acts).toEqual(["shutdown", "close"]);
  expect(bench.finished).toEqual(["closed"]);
});

test("a half-close of the backend passes on, and the client may go on sending", () => {
  const bench = new Bench();
  bench.backend.data.ended();
  expect(bench.client.acts).toEqual(["shutdown"]);
  bench.fromClient("late");
  expect(bench.backend.text).toBe("late");
  bench.client.data.ended();
  expect(bench.backend.acts).toEqual(["shutdown", "close"]);
  expect(bench.finished).toEqual(["closed"]);
});

test("a half-close waits for the bytes before it", () => {
  const bench = new Bench();
  bench.backend.room.push(1, 1);
  bench.fromClient("abc");
  bench.client.data.ended();
  expect(bench.backend.acts).toEqual([]);
  bench.backend.data.drained();
  expect(bench.backend.acts).toEqual([]);
  bench.backend.data.drained();
  expect(bench.backend.text).toBe("abc");
  expect(bench.backend.acts).toEqual(["shutdown"]);
});

test("both closed: the tunnel ends when the last waiting byte is taken", () => {
  const bench = new Bench();
  bench.client.room.push(1);
  bench.client.data.ended();
  bench.fromBackend("abc");
  bench.backend.data.ended();
  expect(bench.finished).toEqual([]);
  bench.client.data.drained();
  expect(bench.client.text).toBe("abc");
  expect(bench.finished).toEqual(["closed"]);
});

test("a reset of the client is a reset of the backend", () => {
  const bench = new Bench();
  bench.client.data.closed(new Error("ECONNRESET"));
  expect(bench.backend.acts).toEqual(["terminate"]);
  expect(bench.finished).toEqual(["closed"]);
});

test("a reset of the backend is a reset of the client, though bytes wait for it", () => {
  const bench = new Bench();
  bench.client.room.push(1);
  bench.fromBackend("abc");
  bench.backend.data.closed(new Error("ECONNRESET"));
  expect(bench.client.acts).toEqual(["terminate"]);
});

test("a source stops while its bytes wait, and goes on when they are taken", () => {
  const bench = new Bench();
  bench.backend.room.push(1, 1);
  bench.fromClient("abc");
  expect([bench.client.paused, bench.backend.paused]).toEqual([true, false]);
  bench.backend.data.drained();
  expect(bench.client.paused).toBe(true);
  bench.backend.data.drained();
  expect(bench.client.paused).toBe(false);
  bench.client.room.push(0);
  bench.fromBackend("x");
  expect(bench.backend.paused).toBe(true);
  bench.client.data.drained();
  expect(bench.backend.paused).toBe(false);
});

test("what comes yet after a source was stopped is kept, in order", () => {
  const bench = new Bench();
  bench.backend.room.push(1);
  bench.fromClient("abc");
  bench.fromClient("def");
  bench.backend.data.drained();
  expect(bench.backend.text).toBe("abcdef");
});

test("an end that is wholly gone after its FIN gets no more bytes: who still sends is reset", () => {
  const bench = new Bench();
  // A unix socket's peer that closes is seen so: there is no half-close and no reset.
  bench.client.data.ended();
  bench.client.gone = true;
  bench.client.data.closed(undefined);
  expect(bench.finished).toEqual([]);
  bench.fromBackend("to nobody");
  expect(bench.backend.acts).toEqual(["shutdown", "terminate"]);
  expect(bench.finished).toEqual(["closed"]);
});

test("an end that is wholly gone after its FIN lets the other one finish in order", () => {
  const bench = new Bench();
  bench.client.data.ended();
  bench.client.data.closed(undefined);
  bench.backend.data.ended();
  expect(bench.backend.acts).toEqual(["shutdown", "close"]);
  expect(bench.finished).toEqual(["closed"]);
});

test("an end that is gone while bytes wait for it: the sender of those is reset", () => {
  const bench = new Bench();
  bench.client.room.push(0);
  bench.fromBackend("abc");
  bench.client.data.ended();
  bench.client.data.closed(undefined);
  expect(bench.backend.acts).toContain("terminate");
  expect(bench.finished).toEqual(["closed"]);
});

test("bytes of an end that is gone still reach the other one", () => {
  const bench = new Bench();
  bench.backend.room.push(1);
  bench.fromClient("last words");
  bench.client.data.ended();
  bench.client.data.closed(undefined);
  bench.fromBackend("to nobody");
  bench.backend.data.drained();
  expect(bench.backend.text).toBe("last words");
  expect(bench.backend.acts).toEqual(["shutdown"]);
});

test("what an end that is gone has left is given up sooner than a silent tunnel, by a reset, if nothing of it is taken", () => {
  const bench = new Bench();
  bench.backend.room.push(1, 1);
  bench.fromClient("last words");
  bench.client.data.ended();
  bench.pass(BODY_MS);
  // It may still be there, and wait for an answer.
  expect(bench.finished).toEqual([]);
  bench.client.data.closed(undefined);
  bench.pass(BODY_MS - 100);
  bench.backend.room.push(1, 1);
  bench.backend.data.drained();
  bench.pass(BODY_MS - 100);
  expect(bench.finished).toEqual([]);
  bench.pass(200);
  expect(bench.finished).toEqual(["idle"]);
  expect(bench.backend.acts).toEqual(["terminate"]);
});

test("silence of both ends closes the tunnel after its time, not before", () => {
  const bench = new Bench();
  bench.pass(IDLE_MS - 1);
  bench.fromClient("still here");
  bench.pass(IDLE_MS - 1);
  expect(bench.finished).toEqual([]);
  bench.pass(IDLE_MS);
  expect(bench.finished).toEqual(["idle"]);
  expect([bench.client.acts, bench.backend.acts]).toEqual([["close"], ["close"]]);
});

test("a reader that takes a little at a time is not silent", () => {
  const bench = new Bench();
  bench.client.room.push(1, 1, 1, 1);
  bench.fromBackend("abcdefg");
  for (let i = 0; i < 3; i++) {
    bench.pass(IDLE_MS - 100);
    bench.client.data.drained();
  }
  expect(bench.finished).toEqual([]);
});

test("silence while bytes wait is a reset: what came is not to be mistaken for all there was", () => {
  const bench = new Bench();
  bench.client.room.push(1);
  bench.fromBackend("abc");
  bench.pass(IDLE_MS + 500);
  expect(bench.finished).toEqual(["idle"]);
  expect(bench.client.acts).toEqual(["terminate"]);
});

test("destroyed: both ends are reset, told once, and nothing follows", () => {
  const bench = new Bench();
  bench.tunnel.destroy();
  bench.tunnel.destroy();
  bench.client.data.closed(new Error("ECONNRESET"));
  bench.backend.data.closed(undefined);
  bench.backend.data.drained();
  bench.fromClient("nothing");
  expect(bench.finished).toEqual(["destroyed"]);
  expect([bench.client.acts, bench.backend.acts]).toEqual([["terminate"], ["terminate"]]);
  expect(bench.wheel.idle).toBe(true);
});

const sides = fc.constantFrom("client" as const, "backend" as const);
const events = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("received" as const), side: sides, size: fc.nat(2000) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("drained" as const), side: sides }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("room" as const), side: sides, size: fc.nat(1000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("ended" as const), side: sides }) },
);

test("whatever the order of events: bytes complete and in order, one read held at most, FIN after the last byte", () => {
  fc.assert(
    fc.property(fc.array(events, { maxLength: 80 }), (script) => {
      const bench = new Bench();
      const sent = { client: [] as Buffer[], backend: [] as Buffer[] };
      const ended = { client: false, backend: false };
      const other = { client: "backend", backend: "client" } as const;
      let next = 0;
      const sizeOf = (buffers: readonly Buffer[]): number => buffers.reduce((sum, { length }) => sum + length, 0);
      for (const event of script) {
        const { side } = event;
        const connection = bench[side];
        if (bench.finished.length > 0) break;
        if (event.kind === "room") connection.room.push(event.size);
        else if (event.kind === "drained") connection.data.drained();
        // A stopped source brings nothing, not even its FIN.
        else if (ended[side] || connection.paused) continue;
        else if (event.kind === "ended") {
          ended[side] = true;
          connection.data.ended();
        } else {
          const bytes = Buffer.alloc(event.size, (next = (next + 1) % 251));
          sent[side].push(bytes);
          connection.data.received(bytes);
          const held = sizeOf(sent[side]) - bench[other[side]].bytes.length;
          expect(held).toBeLessThanOrEqual(event.size);
          expect<boolean>(connection.paused).toBe(held > 0);
        }
      }
      for (const side of ["client", "backend"] as const) {
        bench[side].room.length = 0;
        if (bench.finished.length === 0) bench[side].data.drained();
      }
      expect(bench.client.bytes.equals(Buffer.concat(sent.backend))).toBe(true);
      expect(bench.backend.bytes.equals(Buffer.concat(sent.client))).toBe(true);
      expect(bench.finished).toEqual(ended.client && ended.backend ? ["closed"] : []);
      for (const side of ["client", "backend"] as const)
        expect(bench[side].acts.slice(0, 1)).toEqual(ended[other[side]] ? ["shutdown"] : []);
    }),
    { numRuns: 500 },
  );
});

test("a reset that a write met is a reset for the other end too, though the system then tells of an end in good order", () => {
  const bench = new Bench();
  bench.client.gone = true;
  bench.fromBackend("too late");
  bench.client.data.ended();
  bench.client.data.closed(undefined);
  expect(bench.backend.acts).toEqual(["terminate"]);
  expect(bench.finished).toEqual(["closed"]);
});

test("a tunnel that is closed at once sends no FIN before its reset", () => {
  const bench = new Bench();
  for (const end of [bench.client, bench.backend]) {
    // As the system does it: the end is told before `terminate` returns.
    end.terminate = () => {
      end.acts.push("terminate");
      end.data.closed(undefined);
    };
  }
  bench.tunnel.destroy();
  expect([bench.client.acts, bench.backend.acts]).toEqual([["terminate"], ["terminate"]]);
});
