import { expect, test } from "bun:test";
import { FakePeer, fakeTime } from "../../test/fixtures/fake-peer.ts";
import { rawServer, refusingPort } from "../../test/fixtures/raw.ts";
import { CAN_BE_SILENT, silentServer } from "../../test/fixtures/silent-server.ts";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { type Address, parseAddress } from "../address.ts";
import type { Receiver } from "../net/connection.ts";
import { dial } from "../net/dial.ts";
import { DEFAULT_TCP_PROBE } from "../health-plan.ts";
import type { ProbeOutcome } from "../pool/probe-state.ts";
import { makeProbe, probedAddress } from "./start-probe.ts";

const folder = temporaryFolder();

function probe(address: Address): {
  readonly time: ReturnType<typeof fakeTime>;
  readonly outcome: Promise<ProbeOutcome>;
} {
  const time = fakeTime();
  const { promise, resolve } = Promise.withResolvers<ProbeOutcome>();
  makeProbe(DEFAULT_TCP_PROBE, address, { dial, wheel: time.wheel }, resolve).start(dial, address);
  return { time, outcome: promise };
}

const loopback = (port: number): Address => parseAddress(`127.0.0.1:${port}`);

test("a backend that accepts passes, and sees its connection closed in order, with nothing sent", async () => {
  await using server = rawServer();
  expect(await probe(loopback(server.port)).outcome).toEqual({ kind: "passed", tookMs: 0, advice: null });
  const connection = await (await server.connection(0)).untilEnd();
  expect([connection.bytes, connection.error]).toEqual([0, null]);
});

test("a unix socket is probed too, and one without its file fails", async () => {
  const path = `${folder.path}/socket`;
  await using _ = rawServer({ unix: path });
  const address = parseAddress(`unix:${path}`);
  expect(probedAddress(address, { ...DEFAULT_TCP_PROBE, port: 81 })).toBe(address);
  expect(await probe(address).outcome).toMatchObject({ kind: "passed" });
  expect(await probe(parseAddress(`unix:${path}.gone`)).outcome).toMatchObject({
    kind: "failed",
    code: "BACKEND_REFUSED",
  });
});

test("a backend that refuses fails", async () => {
  expect(await probe(loopback(refusingPort())).outcome).toEqual({
    kind: "failed",
    tookMs: 0,
    advice: null,
    code: "BACKEND_REFUSED",
    why: "cannot connect: ECONNREFUSED",
  });
});

test.if(CAN_BE_SILENT)("a backend that does not answer fails when the time is up", async () => {
  await using server = await silentServer();
  const { time, outcome } = probe(loopback(server.port));
  time.pass(2200);
  expect(await outcome).toEqual({
    kind: "failed",
    tookMs: 2200,
    advice: null,
    code: "BACKEND_CONNECT_TIMEOUT",
    why: "no connection within 2000 ms",
  });
});

test("a probe that was given up says nothing, and closes what is opened for it later", () => {
  const receivers: Receiver[] = [];
  const { wheel } = fakeTime();
  const fakeDial = (_: Address, receiver: Receiver): void => void receivers.push(receiver);
  const given = makeProbe(DEFAULT_TCP_PROBE, loopback(1), { dial: fakeDial, wheel }, () => {
    throw new Error("an outcome was told");
  });
  given.start(fakeDial, loopback(1));
  given.cancel();
  const peer = new FakePeer();
  receivers[0]?.opened(peer);
  expect(peer.over).toBe("terminate");
  expect(wheel.idle).toBe(true);
});

test("the port of the probe takes the place of the traffic's", () => {
  expect(probedAddress(loopback(80), { ...DEFAULT_TCP_PROBE, port: 9000 })).toEqual(loopback(9000));
  expect(probedAddress(loopback(80), DEFAULT_TCP_PROBE)).toEqual(loopback(80));
});
