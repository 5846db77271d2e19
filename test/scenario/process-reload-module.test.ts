import { expect, setDefaultTimeout, test } from "bun:test";
import { renameSync, symlinkSync } from "node:fs";
import { get, numberedBackends } from "../fixtures/numbered-backends.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { weir } from "../fixtures/weir-process.ts";

// A module is loaded by a process that gives way: on full processors that takes seconds each time.
setDefaultTimeout(90_000);

const CONFIG = `import { defineConfig } from "weir";
import { backends } from "./backends.ts";
const port = (n: number): string => \`127.0.0.1:\${n}\`;
export default defineConfig({
  workers: 1, admin: "off", shutdown: { timeout: "1s" },
  listeners: { main: { address: port(0), pool: "app" } },
  pools: { app: { backends } },
});
`;

function backendsModule(addresses: readonly string[]): string {
  return `export const backends = ${JSON.stringify(addresses)};\n`;
}

test("a file that the configuration imports is read anew; one that throws, ends the process or never ends harms nobody", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(2);
  const [one = "", two = ""] = backends.addresses;
  const file = `${folder.path}/weir.config.ts`;
  await Bun.write(file, CONFIG);
  await Bun.write(`${folder.path}/backends.ts`, backendsModule([one]));
  await using lb = weir(["serve"], { cwd: folder.path });
  const address = await lb.address();
  expect(await get(address)).toBe("1");

  const wrong: readonly (readonly [string, string])[] = [
    ["export const backends: string[] = [];\nthrow new Error('not today');\n", "Error: not today"],
    ["export const backends: string[] = [];\nprocess.exit(7);\n", "its process ended with status 7"],
    ["export const backends = 5;\n", "must be a list of backends"],
  ];
  for (const [n, [text, reason]] of wrong.entries()) {
    await Bun.write(`${folder.path}/backends.ts`, text);
    lb.signal("SIGHUP");
    expect(String((await lb.nth(["configuration refused"], n))["reason"])).toContain(reason);
    expect(await get(address)).toBe("1");
  }
  await Bun.write(`${folder.path}/backends.ts`, backendsModule([two]));
  lb.signal("SIGHUP");
  expect(await lb.event("configuration in force")).toMatchObject({ generation: 2, added: 1, removed: 1 });
  expect(await get(address)).toBe("2");
});

test("with --watch a change of any file of the configuration comes into force by itself", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(3);
  const [one = "", two = "", three = ""] = backends.addresses;
  await Bun.write(`${folder.path}/weir.config.ts`, CONFIG);
  await Bun.write(`${folder.path}/backends.ts`, backendsModule([one]));
  await using lb = weir(["serve", "--watch"], { cwd: folder.path });
  const address = await lb.address();
  await lb.event("worker started");
  await Bun.write(`${folder.path}/backends.ts`, backendsModule([two]));
  await lb.event("configuration in force", { generation: 2 });
  expect(await get(address)).toBe("2");
  // Broken, and mended.
  await Bun.write(`${folder.path}/backends.ts`, "export const backends = [;");
  await lb.event("configuration refused");
  // As editors do: another file takes its place.
  await Bun.write(`${folder.path}/new.ts`, backendsModule([three]));
  renameSync(`${folder.path}/new.ts`, `${folder.path}/backends.ts`);
  await lb.event("configuration in force", { generation: 3 });
  expect(await get(address)).toBe("3");
});

test("with --watch a symbolic link that is turned over is a change", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(2);
  const config = (of: string | undefined): string =>
    JSON.stringify({
      workers: 1,
      admin: "off",
      listeners: { main: { address: "127.0.0.1:0", pool: "app" } },
      pools: { app: { backends: [of] } },
    });
  await Bun.write(`${folder.path}/a/weir.json`, config(backends.addresses[0]));
  await Bun.write(`${folder.path}/b/weir.json`, config(backends.addresses[1]));
  symlinkSync("a", `${folder.path}/current`);
  symlinkSync("current/weir.json", `${folder.path}/weir.json`);
  await using lb = weir(["serve", `${folder.path}/weir.json`, "--watch"]);
  const address = await lb.address();
  await lb.event("worker started");
  symlinkSync("b", `${folder.path}/next`);
  renameSync(`${folder.path}/next`, `${folder.path}/current`);
  await lb.event("configuration in force", { generation: 2 });
  expect(await get(address)).toBe("2");
});
