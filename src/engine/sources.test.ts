import { expect, test } from "bun:test";
import fc from "fast-check";
import { FakeConnection } from "../../test/fixtures/fake-connection.ts";
import { UNKNOWN_ADDRESS } from "../http/origin.ts";
import type { Connection, Receiver } from "../net/connection.ts";
import { acceptCounted } from "./counted-connection.ts";
import { sourceOf, Sources } from "./sources.ts";

const NOBODY: Receiver = listening();
const refuse = (): Receiver => NOBODY;

/** Receives, and remembers what it was told. */
function listening(told: string[] = []): Receiver {
  return {
    opened: () => void told.push("opened"),
    refused: () => void told.push("refused"),
    received: (bytes) => void told.push(`received ${bytes.toString()}`),
    drained: () => void told.push("drained"),
    ended: () => void told.push("ended"),
    closed: () => void told.push("closed"),
  };
}

test("a source is an IPv4 address, or the /64 of an IPv6 address", () => {
  expect(sourceOf("192.0.2.7")).toBe("192.0.2.7");
  for (const [address, source] of [
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8:1:2::6", "2001:db8:1:2"],
    ["2001:db8::6", "2001:db8:0:0"],
    ["2001:db8::5:6:7:8:9", "2001:db8:0:5"],
    ["::1", "0:0:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0"],
  ] as const)
    expect(sourceOf(address)).toBe(source);
  expect(sourceOf(UNKNOWN_ADDRESS)).toBeNull();
});

test("property: no source has more than the bound, and a source without connections has no entry", () => {
  const step = fc.record({ source: fc.constantFrom("a", "b", "c"), comes: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 200 }), (most, steps) => {
      const sources = new Sources(most);
      const open = new Map<string, number>();
      for (const { source, comes } of steps) {
        const count = open.get(source) ?? 0;
        if (comes) {
          expect(sources.enter(source)).toBe(count < most);
          open.set(source, Math.min(most, count + 1));
        } else if (count > 0) {
          sources.leave(source);
          open.set(source, count - 1);
        }
        expect(sources.size).toBe([...open.values()].filter((each) => each > 0).length);
      }
    }),
  );
});

test("a connection counts until it is gone, whoever receives its events meanwhile", () => {
  const sources = new Sources(1);
  const first = new FakeConnection("192.0.2.1");
  const told: string[] = [];
  let inner: Connection | null = null;
  const take = (connection: Connection): Receiver => {
    inner = connection;
    return listening();
  };
  const receiver = acceptCounted(first, [sources], take, refuse);
  expect(acceptCounted(new FakeConnection("192.0.2.1"), [sources], () => listening(), refuse)).toBe(NOBODY);
  // As an upgrade does.
  inner!.data = listening(told);
  receiver.received(Buffer.from("x"));
  receiver.drained();
  receiver.ended();
  expect(sources.size).toBe(1);
  receiver.closed(undefined);
  expect(told).toEqual(["received x", "drained", "ended", "closed"]);
  expect(sources.size).toBe(0);
});

test("one that a second bound refuses does not count at the first", () => {
  const [wide, narrow] = [new Sources(10), new Sources(1)];
  for (let i = 0; i < 5; i++) acceptCounted(new FakeConnection("192.0.2.1"), [wide, narrow], () => listening(), refuse);
  expect(wide.enter("192.0.2.1")).toBe(true);
  for (let i = 0; i < 2; i++) wide.leave("192.0.2.1");
  expect(wide.size).toBe(0);
});

test("one that ends while it is accepted is told of it, and counted no more", () => {
  const sources = new Sources(1);
  const connection = new FakeConnection("192.0.2.1");
  const told: string[] = [];
  const take = (own: Connection): Receiver => {
    own.data = listening(told);
    connection.data.closed(undefined);
    return own.data;
  };
  acceptCounted(connection, [sources], take, refuse);
  expect([told, sources.size]).toEqual([["closed"], 0]);
});

test("one without an address is not counted", () => {
  const sources = new Sources(1);
  for (let i = 0; i < 3; i++)
    expect(acceptCounted(new FakeConnection(""), [sources], () => listening(), refuse)).not.toBe(NOBODY);
  expect(sources.size).toBe(0);
});
