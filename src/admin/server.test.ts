import { expect, test } from "bun:test";
import { mkdirSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { fakeRunning } from "./fake-running.ts";
import { AdminServer } from "./server.ts";

test("an address whose file cannot be removed is left all the same; that is said, and keeps nothing else from ending", async () => {
  using folder = temporaryFolder();
  const running = await fakeRunning({
    listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: ["127.0.0.1:8001"] } },
    stateFolder: join(folder.path, "state"),
  });
  const said = Promise.withResolvers<void>();
  running.events.subscribe(({ event }) => {
    if (event === "admin not removed") said.resolve();
  });
  const server = new AdminServer(running);
  const listenIn = async (name: string): Promise<string> => {
    const path = join(folder.path, name, "admin.sock");
    mkdirSync(join(folder.path, name));
    (await server.prepare({ address: { kind: "unix", path }, tokenFile: null })).commit();
    return path;
  };
  /** Leads nowhere from now on: looking for a file in it fails. */
  const spoil = (name: string): void => {
    renameSync(join(folder.path, name), join(folder.path, `${name}.moved`));
    symlinkSync(name, join(folder.path, name));
  };
  await listenIn("one");
  spoil("one");
  const path = await listenIn("two");
  await said.promise;
  expect((await fetch("http://localhost/healthz", { unix: path })).status).toBe(200);
  const left = fetch("http://localhost/healthz", { unix: join(folder.path, "one.moved", "admin.sock") });
  expect(await left.catch(() => "nobody listens")).toBe("nobody listens");
  spoil("two");
  await server.close();
  const told = running.events.recent().filter(({ event }) => event === "admin not removed");
  expect(told.map(({ fields }) => fields["address"])).toEqual([
    `unix:${join(folder.path, "one", "admin.sock")}`,
    `unix:${path}`,
  ]);
});
