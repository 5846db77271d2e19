import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { POLICIES } from "../../src/balance/registry.ts";
import { numberedBackends } from "../fixtures/numbered-backends.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { weir } from "../fixtures/weir-process.ts";

const KEYED = [...POLICIES.values()].filter(({ keyed }) => keyed).map(({ name }) => name);
const KEYS = 12;
/** Connections for each key: that all of them come to one of two workers is out of the question. */
const TIMES = 12;

test.each(KEYED)("%s: two workers choose the same backend for a key", async (name) => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(4);
  const config = {
    listeners: { main: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { policy: { name, key: "header:x-key", maxLoadFactor: 100 }, backends: backends.addresses } },
    workers: 2,
    admin: "off",
  };
  writeFileSync(join(folder.path, "weir.config.json"), JSON.stringify(config));
  await using lb = weir(["serve"], { cwd: folder.path });
  const address = await lb.address();
  const found = new Set<string>();
  for (let key = 0; key < KEYS; key++) {
    const answers = await Promise.all(
      Array.from({ length: TIMES }, async () => {
        const headers = { connection: "close", "x-key": `key-${key}` };
        return (await fetch(`http://${address}/`, { headers, keepalive: false })).text();
      }),
    );
    expect(new Set(answers).size).toBe(1);
    found.add(answers[0] ?? "");
  }
  expect(found.size).toBeGreaterThan(1);
});
