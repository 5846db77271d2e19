import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { type Config, defineConfig, start, WeirError } from "weir";
import { get, numberedBackends } from "../fixtures/numbered-backends.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

test("Weir runs inside a program and tells the port that the system chose", async () => {
  await using backends = numberedBackends(3);
  let address: string;
  {
    await using weir = await start({
      listeners: { web: { address: "127.0.0.1:0", pool: "app" }, any: { address: ":0", pool: "app" } },
      pools: { app: { backends: backends.addresses } },
    });
    address = weir.listeners.web.address;
    expect(weir.listeners.web.port).toBeGreaterThan(0);
    expect(address).toBe(`127.0.0.1:${weir.listeners.web.port}`);
    expect(await Promise.all([get(address), get(address), get(address)]).then((all) => all.sort())).toEqual([
      "1",
      "2",
      "3",
    ]);
    expect(weir.listeners.any.address).toBe(`:${weir.listeners.any.port}`);
    expect(await get(`[::1]:${weir.listeners.any.port}`)).toMatch(/^[123]$/);
  }
  expect(await thrown(get(address))).toBeInstanceOf(Error);
});

test("close drains: what is open is finished, and asking twice gives one answer", async () => {
  await using backends = numberedBackends(1);
  const weir = await start({
    listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: backends.addresses } },
  });
  const slow = get(weir.listeners.web.address, "/slow");
  await backends.waiting;
  const closed = [weir.close(), weir.close()];
  backends.release();
  expect(await slow).toBe("1");
  expect(await Promise.all(closed)).toEqual([0, 0]);
});

test("what is still open after shutdown.timeout is closed and counted", async () => {
  await using backends = numberedBackends(1);
  const weir = await start({
    listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: backends.addresses } },
    shutdown: { timeout: "50ms" },
  });
  const slow = get(weir.listeners.web.address, "/slow").catch(() => "broken");
  await backends.waiting;
  expect(await weir.close()).toBe(1);
  expect(await slow).toBe("broken");
});

test("a unix socket's file goes with Weir", async () => {
  await using backends = numberedBackends(1);
  using folder = temporaryFolder();
  const path = `${folder.path}/weir.sock`;
  {
    await using weir = await start({
      listeners: { web: { address: `unix:${path}`, pool: "app" } },
      pools: { app: { backends: backends.addresses } },
    });
    expect(weir.listeners.web).toEqual({ address: `unix:${path}`, port: 0 });
    expect(await (await fetch("http://weir/", { unix: path })).text()).toBe("1");
  }
  expect(existsSync(path)).toBe(false);
});

test("a program reloads: ports that the system chose stay, listeners come and go, and open requests are finished", async () => {
  await using backends = numberedBackends(3);
  const [one, two, three] = backends.addresses;
  const web = { address: "127.0.0.1:0", pool: "app" };
  const weir = await start({ listeners: { web }, pools: { app: { backends: [one!], slowStart: 0 } } });
  const { address } = weir.listeners.web;
  const slow = get(address, "/slow");
  await backends.waiting;
  const changes = await weir.reload({
    listeners: { web, more: web },
    pools: { app: { backends: [two!, three!], slowStart: 0 } },
  });
  expect(changes.map(({ kind, what }) => `${kind} ${what}`).sort()).toEqual([
    "added backend",
    "added backend",
    "added listener",
    "removed backend",
  ]);
  expect(weir.listeners.web.address).toBe(address);
  const listeners: Readonly<Record<string, { readonly address: string }>> = weir.listeners;
  const more = listeners["more"]!.address;
  expect((await Promise.all([get(address), get(address), get(more), get(more)])).sort()).toEqual(["2", "2", "3", "3"]);
  expect(await thrown(weir.reload({ listeners: { web: { ...web, pool: "nope" } }, pools: {} }))).toBeInstanceOf(
    WeirError,
  );
  expect(await weir.reload({ listeners: { web }, pools: { app: { backends: [two!], slowStart: 0 } } })).not.toBeEmpty();
  expect(await thrown(get(more))).toBeInstanceOf(Error);
  expect(await weir.reload({ listeners: { web }, pools: { app: { backends: [two!], slowStart: 0 } } })).toBeEmpty();
  expect(await get(address)).toBe("2");
  backends.release();
  expect(await slow).toBe("1");
  expect(await weir.close()).toBe(0);
  expect(((await thrown(weir.reload({ listeners: { web }, pools: {} }))) as WeirError).code).not.toBe("");
});

test("reloads take effect in the order in which they were asked for, however long it takes to read one", async () => {
  await using backends = numberedBackends(2);
  const [one, two] = backends.addresses;
  const config = (backend: string): Config => ({
    listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: [backend], slowStart: 0 } },
  });
  await using weir = await start(config(one!));
  // A name takes a while to resolve.
  const named = `localhost:${one!.split(":")[1]}`;
  const wrong = thrown(weir.reload(config("nonsense")));
  await Promise.all([weir.reload(config(named)), weir.reload(config(two!))]);
  expect(await get(weir.listeners["web"]!.address)).toBe("2");
  expect(await wrong).toBeInstanceOf(WeirError);
});

/** Closes a Weir that has just been reloaded, and says how long the program went on: turns of a twentieth of a second. */
const LEAVING = `
const { start } = await import("weir");
const config = (weight) => ({
  listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
  pools: { app: { backends: Array.from({ length: 5000 }, (_, i) => ({ address: "127.0.0.1:" + (i + 1), weight })) } },
});
const weir = await start(config(1));
for (const weight of [2, 3, 4, 5]) await weir.reload(config(weight));
await weir.close();
let turns = 0;
setInterval(() => (turns += 1), 50).unref();
process.on("exit", () => console.log(turns));`;

test("a program that has closed its Weir ends, however much its reloads have left", async () => {
  const program = Bun.spawn([process.execPath, "-e", LEAVING], { cwd: import.meta.dir, stdout: "pipe" });
  expect(Number(await program.stdout.text())).toBeLessThan(4);
  expect(await program.exited).toBe(0);
});

test("everything that is wrong with a configuration is in the message", async () => {
  const config = defineConfig({
    listeners: { web: { address: ":x", pool: "nope" } },
    pools: { app: { backends: [] } },
  });
  const error = await thrown(start(config));
  expect(error).toBeInstanceOf(WeirError);
  const { code, message } = error as WeirError;
  expect(code).toStartWith("CONFIG_");
  expect(message).toContain("listeners.web.address");
  expect(message).toContain("listeners.web.pool");
  expect(message).toContain("pools.app.backends");
});

test("a taken port is thrown, and what was bound before it is let go", async () => {
  await using taken = numberedBackends(1);
  using folder = temporaryFolder();
  const path = `${folder.path}/weir.sock`;
  const starting = start({
    listeners: {
      first: { address: `unix:${path}`, pool: "app" },
      web: { address: taken.addresses[0] ?? "", pool: "app" },
    },
    pools: { app: { backends: [":1"] } },
  });
  expect(await thrown(starting)).toMatchObject({ code: "LISTEN_IN_USE", source: "system" });
  expect(existsSync(path)).toBe(false);
});

test("several run side by side in one program", async () => {
  await using backends = numberedBackends(1);
  const config = {
    listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: backends.addresses } },
  };
  await using one = await start(config);
  await using two = await start(config);
  expect(await get(one.listeners.web.address)).toBe("1");
  await one.close();
  expect(await get(two.listeners.web.address)).toBe("1");
});

/** What a promise is rejected with; `null` when it is not. */
function thrown(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (reason: unknown) => reason,
  );
}
