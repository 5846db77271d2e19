import { expect, test } from "bun:test";
import { systemAccounts } from "../net/accounts.ts";
import { assertIdentity, isRoot, workerIdentity } from "./identity.ts";

const uid = process.geteuid?.() ?? 0;
const gid = process.getegid?.() ?? 0;
const accounts = {
  user: (name: string) => ({ self: { uid, gid }, other: { uid: uid + 1, gid: gid + 1 } })[name] ?? null,
  group: (name: string) => ({ self: gid, other: gid + 1 })[name] ?? null,
};

function codeOf(action: () => unknown): unknown {
  try {
    action();
    return null;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

test("nobody is named: as the supervisor", () => {
  expect(workerIdentity(null, accounts)).toBeNull();
});

test("names are looked up when Weir starts", () => {
  expect(codeOf(() => workerIdentity({ user: "who", group: null }, accounts))).toBe("CONFIG_UNKNOWN_USER");
  expect(codeOf(() => workerIdentity({ user: "self", group: "who" }, accounts))).toBe("CONFIG_UNKNOWN_USER");
});

test.if(isRoot())("root can start workers as anybody", () => {
  expect(workerIdentity({ user: "other", group: null }, accounts)).toEqual({ uid: uid + 1, gid: gid + 1 });
  expect(workerIdentity({ user: "other", group: "self" }, accounts)).toEqual({ uid: uid + 1, gid });
});

test.if(!isRoot())("somebody else can start them as himself alone", () => {
  expect(workerIdentity({ user: "self", group: null }, accounts)).toBeNull();
  expect(codeOf(() => workerIdentity({ user: "other", group: null }, accounts))).toBe("USER_NOT_PERMITTED");
  expect(codeOf(() => workerIdentity({ user: "self", group: "other" }, accounts))).toBe("USER_NOT_PERMITTED");
});

test("a worker that is somebody else than it should be does not begin", () => {
  expect(codeOf(() => assertIdentity({ uid: uid + 1, gid }))).toBe("WORKER_FAILED");
  expect(codeOf(() => assertIdentity({ uid, gid: gid + 1 }))).toBe("WORKER_FAILED");
});

test("the system's accounts are found by name", () => {
  expect(systemAccounts.user("root")).toEqual({ uid: 0, gid: 0 });
  expect(systemAccounts.user("no-such-user")).toBeNull();
  expect(systemAccounts.group("no-such-group")).toBeNull();
});
