import { expect, test } from "bun:test";
import { fakeTime } from "../../test/fixtures/fake-peer.ts";
import { parseAddress } from "../address.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "../config/schema/defaults.ts";
import type { AttemptLimits } from "../http1/backend-connection.ts";
import type { OutboundStream, ResponseEvents } from "../http/streams.ts";
import type { Receiver } from "../net/connection.ts";
import { Counters, countersBytes } from "../observe/counters.ts";
import { BackendLink } from "./backend-link.ts";

const LIMITS: AttemptLimits = {
  ...DEFAULT_LIMITS,
  connectMs: DEFAULT_TIMEOUTS.connectMs,
  idleBackendMs: DEFAULT_TIMEOUTS.idleBackendMs,
};

/** A link whose dialling is never answered, until the test does. */
function silentLink() {
  const time = fakeTime();
  const shape = { workers: 1, rows: 1, cursors: 1 };
  const dialled: Receiver[] = [];
  const failed: string[] = [];
  const events = { attemptFailed: (code: string) => void failed.push(code) } as Partial<ResponseEvents>;
  const address = parseAddress("127.0.0.1:1");
  const plan = {
    id: "127.0.0.1:1",
    address,
    weight: 1,
    maxConnections: null,
    maxInFlight: null,
    maxQueue: null,
    state: "ready",
    tier: 0,
    zone: null,
  } as const;
  const row = new Counters(new ArrayBuffer(countersBytes(shape)), shape).row(0, 0);
  const link = new BackendLink("app", plan, row, (_to, receiver) => void dialled.push(receiver), time.wheel);
  const lease = (): OutboundStream => link.lease(events as ResponseEvents, LIMITS, "any");
  return { link, lease, dialled, failed };
}

test("dials that were given up are bounded: a backend that swallows packets takes no more file descriptors than that", () => {
  const { link, lease, dialled, failed } = silentLink();
  for (let i = 0; i < 1000; i++) lease().cancel();
  expect(dialled.length).toBe(128);
  expect(link.open).toBe(0);
  // Whoever comes then is told at once.
  expect([failed.length, failed.at(-1)]).toEqual([872, "BACKEND_CONNECT_TIMEOUT"]);
  // The system is done with one of them: one more may be tried.
  dialled[0]!.refused(new Error("done"));
  lease().cancel();
  lease().cancel();
  expect(dialled.length).toBe(129);
});
