import { afterAll, expect, test } from "bun:test";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";
import type { Change, Overlay } from "./overlay.ts";
import { readOverlay, writeOverlay } from "./overlay-file.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const CHANGES: readonly Change[] = [
  { kind: "backend-state", pool: "app", backend: "127.0.0.1:1", state: "drain" },
  { kind: "backend-weight", pool: "app", backend: "127.0.0.1:1", weight: 3 },
  { kind: "backend-add", pool: "app", backend: "127.0.0.1:2", value: "127.0.0.1:2,weight=2" },
  { kind: "backend-remove", pool: "app", backend: "127.0.0.1:3" },
  { kind: "pool-put", pool: "new", value: { backends: [":1"] } },
  { kind: "pool-remove", pool: "old" },
  { kind: "route-put", listener: "web", route: "*/*", value: { pool: "new" } },
  { kind: "route-remove", listener: "web", route: "*/v1" },
];
const overlay = (persist: boolean): Overlay => CHANGES.map((change) => ({ change, persist, madeTimeMs: 12 }));

test("what persists comes back, what is for now does not, and each configuration has its own", () => {
  const path = join(folder.path, "state");
  expect(readOverlay(path, "/etc/one.yaml")).toEqual([]);
  writeOverlay(path, "/etc/one.yaml", [...overlay(true), ...overlay(false)], []);
  writeOverlay(path, "/etc/two.yaml", overlay(true).slice(0, 1), []);
  expect(readOverlay(path, "/etc/one.yaml")).toEqual([...overlay(true)]);
  expect(readOverlay(path, "/etc/two.yaml")).toHaveLength(1);
  expect(readOverlay(path, "__proto__")).toEqual([]);
  writeOverlay(path, "/etc/one.yaml", overlay(false), overlay(true));
  expect(readOverlay(path, "/etc/one.yaml")).toEqual([]);
  expect(readOverlay(path, "/etc/two.yaml")).toHaveLength(1);
});

test("what somebody else has kept meanwhile is not written over, but by a later edit of the same thing", () => {
  const path = join(folder.path, "two");
  const kept = overlay(true);
  writeOverlay(path, "a", kept.slice(0, 3), []);
  expect(() => writeOverlay(path, "a", kept.slice(3), [])).toThrow("STATE_CHANGED");
  expect(() => writeOverlay(path, "a", kept.slice(3), kept.slice(0, 2))).toThrow("app/127.0.0.1:2 is added");
  expect(readOverlay(path, "a")).toEqual(kept.slice(0, 3));
  // What is for now makes up for nothing that was kept.
  const forNow = kept.slice(2, 3).map((edit) => ({ ...edit, persist: false, madeTimeMs: 13 }));
  expect(() => writeOverlay(path, "a", forNow, kept.slice(0, 2))).toThrow("STATE_CHANGED");
  const anew = kept.slice(2, 3).map((edit) => ({ ...edit, madeTimeMs: 13 }));
  writeOverlay(path, "a", anew, kept.slice(0, 2));
  expect(readOverlay(path, "a")).toEqual(anew);
});

test("it is its owner's alone, and no draft of it is left", () => {
  const path = join(folder.path, "other");
  writeOverlay(path, "a", overlay(true), []);
  expect(statSync(join(path, "overlay.json")).mode & 0o777).toBe(0o600);
  expect(readdirSync(path)).toEqual(["overlay.json"]);
});

test.each(["", "{", "[]", '{"version":2,"edits":{}}', '{"version":1,"edits":{"a":[{"change":{"kind":"nothing"}}]}}'])(
  "a file that holds %p is told of, and left as it is",
  (text) => {
    const file = join(folder.path, "overlay.json");
    writeFileSync(file, text);
    expect(() => readOverlay(folder.path, "a")).toThrow("STATE_UNUSABLE");
    expect(() => writeOverlay(folder.path, "a", overlay(true), [])).toThrow("STATE_UNUSABLE");
  },
);
