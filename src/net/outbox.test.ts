import { afterEach, expect, test } from "bun:test";
import fc from "fast-check";
import { FakeConnection } from "../../test/fixtures/fake-connection.ts";
import { cork } from "./cork.ts";
import { Outbox } from "./outbox.ts";

// What a failed test left behind must not reach the next one.
afterEach(() => cork.flush());

const whole = (outbox: Outbox, text: string): void => outbox.send(Buffer.from(text, "latin1"), 0, text.length);

test("small pieces of one event leave in one write", () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection);
  whole(outbox, "head");
  whole(outbox, " and body");
  expect(connection.writes).toBe(0);
  cork.flush();
  expect(connection.text).toBe("head and body");
  expect(connection.writes).toBe(1);
});

test("what another outbox sends does not mix with what was gathered", () => {
  const [a, b] = [new FakeConnection(), new FakeConnection()];
  const [first, second] = [new Outbox(a), new Outbox(b)];
  whole(first, "one");
  whole(second, "two");
  whole(first, "three");
  cork.flush();
  expect(a.text).toBe("onethree");
  expect(b.text).toBe("two");
});

test("a large piece goes behind what was gathered, without being copied together", () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection);
  whole(outbox, "head");
  const body = Buffer.alloc(100_000, "b");
  outbox.send(body, 0, body.length);
  expect(connection.text).toBe(`head${body.toString()}`);
  expect(connection.writes).toBe(2);
});

test("memory of a large buffer that was handed over is free as soon as the system has taken it", () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection);
  const [taken, waiting] = [Buffer.alloc(100_000, "a"), Buffer.alloc(100_000, "b")];
  const memory = [taken.buffer, waiting.buffer];
  outbox.sendAtOnce(taken);
  connection.room.push(5, 5);
  outbox.sendAtOnce(waiting);
  expect(memory.map(({ byteLength }) => byteLength)).toEqual([0, 100_000]);
  expect(outbox.drain()).toBe(false);
  expect(outbox.drain()).toBe(true);
  expect(memory.map(({ byteLength }) => byteLength)).toEqual([0, 0]);
  expect(connection.text).toBe("a".repeat(100_000) + "b".repeat(100_000));
});

test("what waits of a large buffer that was handed over takes at most twice its own size in memory", () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection);
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));
  const [expected, memory] = [bytes.toString("latin1"), bytes.buffer];
  connection.room.push(49_999, 1, 0);
  outbox.sendAtOnce(bytes);
  expect(memory.byteLength).toBe(100_000);
  expect(outbox.drain()).toBe(false);
  expect(memory.byteLength).toBe(0);
  expect(outbox.drain()).toBe(false);
  expect(outbox.drain()).toBe(true);
  expect(connection.bytes.toString("latin1")).toBe(expected);
});

test("memory of which a part was sent stays, whoever else may have the rest", () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection);
  const shared = Buffer.alloc(200_000, "s");
  connection.room.push(0);
  outbox.sendAtOnce(shared.subarray(0, 100_000));
  outbox.sendAtOnce(Buffer.alloc(100_000, "o"));
  outbox.send(shared, 100_000, 200_000);
  expect(outbox.drain()).toBe(true);
  expect(shared.length).toBe(200_000);
  expect(connection.bytes.length).toBe(300_000);
});

test("what the system does not take is kept, and sent when it has room", () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection);
  connection.room.push(3, 0);
  outbox.sendAtOnce(Buffer.from("abcdef"));
  expect(outbox.blocked).toBe(true);
  expect(outbox.drain()).toBe(false);
  expect(connection.text).toBe("abc");
  expect(outbox.drain()).toBe(true);
  expect(outbox.blocked).toBe(false);
  expect(connection.text).toBe("abcdef");
});

test("gathered bytes that are not taken are copied: the cork is used again at once", () => {
  const [a, b] = [new FakeConnection(), new FakeConnection()];
  const [first, second] = [new Outbox(a), new Outbox(b)];
  a.room.push(1);
  whole(first, "first");
  cork.flush();
  whole(second, "XXXXXXXXXX");
  cork.flush();
  expect(first.drain()).toBe(true);
  expect(a.text).toBe("first");
});

test("while something waits, nothing overtakes it", () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection);
  connection.room.push(0);
  outbox.sendAtOnce(Buffer.from("1"));
  whole(outbox, "2");
  outbox.sendAtOnce(Buffer.from("3"));
  const large = Buffer.alloc(20_000, "4");
  outbox.send(large, 0, large.length);
  whole(outbox, "5");
  cork.flush();
  expect(connection.writes).toBe(1);
  expect(outbox.drain()).toBe(true);
  expect(connection.text).toBe(`123${large.toString()}5`);
});

test("FIN follows the last byte: at once where nothing waits", () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection);
  whole(outbox, "last");
  outbox.finish();
  expect(connection.text).toBe("last");
  expect(connection.acts).toEqual(["shutdown"]);
});

test("FIN follows the last byte: when it is taken where something waits, and once", () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection);
  connection.room.push(1);
  outbox.sendAtOnce(Buffer.from("abc"));
  outbox.finish();
  outbox.finish();
  expect(connection.acts).toEqual([]);
  expect(outbox.drain()).toBe(true);
  expect(connection.text).toBe("abc");
  expect(outbox.drain()).toBe(true);
  expect(connection.acts).toEqual(["shutdown"]);
});

test("what is sent before there is a connection goes out when it is attached, FIN too", () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(null);
  whole(outbox, "early ");
  cork.flush();
  outbox.sendAtOnce(Buffer.from("bird"));
  expect(outbox.blocked).toBe(true);
  expect(outbox.drain()).toBe(false);
  outbox.finish();
  outbox.attach(connection);
  expect(connection.text).toBe("early bird");
  expect(connection.acts).toEqual(["shutdown"]);
});

test("FIN alone, before there is a connection, goes out when it is attached", () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(null);
  outbox.finish();
  outbox.attach(connection);
  expect(connection.acts).toEqual(["shutdown"]);
});

test("a connection that is gone takes nothing, nothing is kept for it, and its source waits", () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection);
  connection.room.push(1);
  outbox.sendAtOnce(Buffer.from("abc"));
  connection.gone = true;
  expect(outbox.drain()).toBe(false);
  whole(outbox, "more");
  cork.flush();
  outbox.sendAtOnce(Buffer.from("more"));
  outbox.finish();
  expect([outbox.blocked, outbox.drain()]).toEqual([true, false]);
  expect(connection.text).toBe("a");
  expect(connection.acts).toEqual([]);
  outbox.close();
  expect(outbox.blocked).toBe(false);
});

test("a closed outbox drops what was gathered for it", () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection);
  whole(outbox, "never");
  outbox.close();
  cork.flush();
  expect(connection.writes).toBe(0);
});

test("more than the cork holds is sent in its order", () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection);
  let sent = "";
  for (let i = 0; i < 100; i++) {
    const piece = `${i}:${"x".repeat(16_000)}`;
    whole(outbox, piece);
    sent += piece;
  }
  cork.flush();
  expect(connection.text === sent).toBe(true);
});

const OUTBOXES = 3;
const which = fc.nat(OUTBOXES - 1);
// Sizes around the bound of gathering (16 KiB), and far over it.
const sizes = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 16_300, max: 16_500 }), fc.nat(300_000));
const steps = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("send" as const), to: which, size: sizes, skip: fc.nat(50) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("sendAtOnce" as const), to: which, size: sizes }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("drain" as const), to: which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("attach" as const), to: which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("finish" as const), to: which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("flush" as const) }) },
);

test("bytes arrive complete and in order for any interleaving on several outboxes and any short write", () => {
  fc.assert(
    fc.property(
      fc.array(steps, { maxLength: 40 }),
      fc.array(fc.array(fc.oneof(fc.nat(20), fc.nat(100_000)), { maxLength: 20 }), {
        minLength: OUTBOXES,
        maxLength: OUTBOXES,
      }),
      fc.array(fc.boolean(), { minLength: OUTBOXES, maxLength: OUTBOXES }),
      (script, rooms, dialled) => {
        const connections = rooms.map((room) => {
          const connection = new FakeConnection();
          connection.room.push(...room);
          return connection;
        });
        const outboxes = connections.map((connection, i) => new Outbox(dialled[i] === true ? connection : null));
        const attached = dialled.slice();
        const finished = outboxes.map(() => false);
        const given: Buffer[][] = outboxes.map(() => []);
        let next = 0;
        const piece = (size: number): Buffer => Buffer.alloc(size, (next = (next + 1) % 251));
        for (const step of script) {
          if (step.kind === "flush") {
            cork.flush();
            continue;
          }
          const { to } = step;
          const outbox = outboxes[to];
          const connection = connections[to];
          if (outbox === undefined || connection === undefined) continue;
          if (step.kind === "drain") outbox.drain();
          else if (step.kind === "attach") {
            if (attached[to] !== true) outbox.attach(connection);
            attached[to] = true;
          } else if (finished[to] === true) continue;
          else if (step.kind === "finish") {
            outbox.finish();
            finished[to] = true;
          } else {
            const bytes = piece(step.size);
            if (step.kind === "send") {
              const start = Math.min(step.skip, bytes.length);
              outbox.send(bytes, start, bytes.length);
              given[to]?.push(bytes.subarray(start));
            } else {
              given[to]?.push(Buffer.from(bytes));
              outbox.sendAtOnce(bytes);
            }
          }
        }
        cork.flush();
        outboxes.forEach((outbox, i) => {
          const connection = connections[i];
          if (connection === undefined) return;
          if (attached[i] !== true) outbox.attach(connection);
          for (let turn = 0; outbox.blocked && turn < 1000; turn++) outbox.drain();
          expect(outbox.blocked).toBe(false);
          expect(connection.bytes.equals(Buffer.concat(given[i] ?? []))).toBe(true);
          expect(connection.acts).toEqual(finished[i] === true ? ["shutdown"] : []);
        });
      },
    ),
    { numRuns: 300 },
  );
});

test("keeps no more than its source brings in one event, while the source stops as told", () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection);
  let most = 0;
  let sent = 0;
  for (let event = 0; event < 500; event++) {
    connection.room.push(event % 7 === 0 ? 1000 : 0);
    if (outbox.blocked) outbox.drain();
    else {
      outbox.sendAtOnce(Buffer.alloc(10_000));
      sent += 10_000;
    }
    most = Math.max(most, sent - connection.bytes.length);
  }
  expect(sent).toBeGreaterThan(20_000);
  expect(most).toBeLessThanOrEqual(10_000);
});
