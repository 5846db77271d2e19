import { expect, test } from "bun:test";
import { fromWorker, toWorker } from "./messages.ts";

const planned = { manifest: { top: 1, listeners: [], pools: [] }, placement: { shape: {} } };
const configure = {
  kind: "configure",
  ...planned,
  worker: 0,
  section: 2,
  workers: 2,
  countersFd: 3,
  channelFd: null,
  identity: { uid: 65534, gid: 65534 },
  listeners: [{ kind: "socket", fd: 4 }, { kind: "own" }, { kind: "none" }],
};
const prepare = { kind: "prepare", id: 7, ...planned, listeners: [{ position: 2, from: { kind: "sent" } }] };

test("messages of the other side are taken as they are", () => {
  const down: readonly object[] = [
    configure,
    prepare,
    { kind: "parts", id: 1, parts: [[1, { workers: 2 }]] },
    { kind: "commit", id: 2 },
    { kind: "forget", parts: [1] },
    { kind: "abandon" },
    { kind: "ask", id: 3, question: "connections", argument: null },
    { kind: "drain", timeoutMs: 5 },
  ];
  for (const message of down) expect(toWorker(message)).toEqual(message as never);
  const up: readonly object[] = [
    { kind: "ready" },
    { kind: "alarm" },
    { kind: "drained", closed: 2 },
    { kind: "failed", code: "LISTEN_IN_USE", detail: "x" },
    { kind: "answer", id: 1, answer: null },
    { kind: "refusal", id: 1, code: "PLAN_NOT_TAKEN", detail: "x" },
    { kind: "event", level: "warn", event: "e", fields: { a: 1 } },
  ];
  for (const message of up) expect(fromWorker(message)).toEqual(message as never);
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
  { ...configure, listeners: [{ fd: 3 }] },
  { ...configure, identity: { uid: 65534 } },
  { ...configure, manifest: {} },
  { ...configure, channelFd: -1 },
  { ...prepare, id: "7" },
  { ...prepare, listeners: [{ position: 1, from: { kind: "socket", fd: 3 } }] },
  { kind: "parts", id: 1 },
  { kind: "commit" },
  { kind: "forget" },
  { kind: "ask", id: 1, question: 5 },
  { kind: "failed", code: "NOPE", detail: "" },
  { kind: "failed", code: "LISTEN_IN_USE" },
  { kind: "refusal", id: 1, code: "NOPE", detail: "" },
  { kind: "event", level: "loud", event: "e", fields: {} },
  { kind: "drained", closed: "2" },
];

test("anything else is refused", () => {
  for (const message of nonsense) {
    expect(toWorker(message)).toBeNull();
    expect(fromWorker(message)).toBeNull();
  }
});
