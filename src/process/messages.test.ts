import { expect, test } from "bun:test";
import { fromWorker, toWorker } from "./messages.ts";

test("messages of the other side are taken as they are", () => {
  const configure = {
    kind: "configure",
    plan: { listeners: [], pools: [] },
    worker: 0,
    workers: 2,
    countersFd: 3,
    identity: { uid: 65534, gid: 65534 },
    listeners: [{ kind: "socket", fd: 4 }, { kind: "own" }, { kind: "none" }],
  };
  expect(toWorker(configure)).toEqual(configure as never);
  expect(toWorker({ kind: "drain", timeoutMs: 5 })).toEqual({ kind: "drain", timeoutMs: 5 });
  expect(fromWorker({ kind: "ready" })).toEqual({ kind: "ready" });
  expect(fromWorker({ kind: "alarm" })).toEqual({ kind: "alarm" });
  expect(fromWorker({ kind: "drained", closed: 2 })).toEqual({ kind: "drained", closed: 2 });
  expect(fromWorker({ kind: "failed", code: "LISTEN_IN_USE", detail: "x" })).toEqual({
    kind: "failed",
    code: "LISTEN_IN_USE",
    detail: "x",
  });
});

const nonsense: readonly unknown[] = [
  null,
  7,
  "drain",
  [],
  {},
  { kind: "dance" },
  { kind: "drain" },
  { kind: "drain", timeoutMs: -1 },
  { kind: "configure" },
  {
    kind: "configure",
    plan: { listeners: [], pools: [] },
    worker: 0,
    workers: 1,
    countersFd: 3,
    identity: null,
    listeners: [{ fd: 3 }],
  },
  {
    kind: "configure",
    plan: { listeners: [], pools: [] },
    worker: 0,
    workers: 1,
    countersFd: 3,
    identity: { uid: 65534 },
    listeners: [],
  },
  { kind: "failed", code: "NOPE", detail: "" },
  { kind: "failed", code: "LISTEN_IN_USE" },
  { kind: "drained", closed: "2" },
];

test("anything else is refused", () => {
  for (const message of nonsense) {
    expect(toWorker(message)).toBeNull();
    expect(fromWorker(message)).toBeNull();
  }
});
