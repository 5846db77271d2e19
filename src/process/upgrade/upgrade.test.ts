import { expect, test } from "bun:test";
import { silentLog } from "../../observe/log.ts";
import { upgradeTo } from "./upgrade.ts";

test("where the system does not start the new program, that is an upgrade that failed", async () => {
  const address = { kind: "tcp", host: "127.0.0.1", port: 1 } as const;
  // Longer than what a process may be given.
  const listener = { name: "x".repeat(4 * 2 ** 20), asked: ":1" };
  const health = { memory: {}, now: 0, wallNow: 0 };
  const upgrade = upgradeTo({
    legacy: [{ address, fds: [1], more: false, listener }],
    edits: [],
    file: null,
    health,
    log: silentLog,
    ending: new AbortController().signal,
  });
  expect(await upgrade.catch((error: unknown) => error)).toMatchObject({ code: "UPGRADE_FAILED" });
});
