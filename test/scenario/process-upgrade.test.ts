import { expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, symlinkSync } from "node:fs";
import type { Config } from "../../src/config/schema/schema.ts";
import { get, numberedBackends } from "../fixtures/numbered-backends.ts";
import { connectRaw, rawServer } from "../fixtures/raw.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { adminWeir } from "../fixtures/weir-admin.ts";
import { childrenOf, gone, weir, WEIR } from "../fixtures/weir-process.ts";

const linux = process.platform === "linux";

/** Ends the process that has taken over, which is nobody's child here. */
function successor(pid: unknown): AsyncDisposable & { readonly pid: number } {
  const id = Number(pid);
  return {
    pid: id,
    async [Symbol.asyncDispose]() {
      try {
        process.kill(id, "SIGKILL");
      } catch {
        return; // it has ended by itself
      }
      await gone(id);
    },
  };
}

test.if(linux)("an upgrade loses no request, and the old process ends by itself when all is finished", async () => {
  await using backends = numberedBackends(1);
  const to = backends.addresses[0] ?? "";
  await using lb = weir(["serve", "--listen", "127.0.0.1:0", "--to", to, "--workers", "2", "--admin", "off"]);
  const address = await lb.address();
  const slow = get(address, "/slow");
  await backends.waiting;

  const load = { asking: true, answered: 0 };
  const clients = Array.from({ length: 4 }, async () => {
    while (load.asking) {
      expect(await get(address)).toBe("1");
      load.answered += 1;
    }
  });
  lb.signal("SIGUSR2");
  await using next = successor((await lb.event("upgrade done"))["pid"]);
  await lb.event("drain begun");
  const enough = load.answered + 50;
  while (load.answered < enough) await get(address);
  load.asking = false;
  await Promise.all(clients);
  backends.release();
  expect(await slow).toBe("1");
  expect(await lb.exited).toEqual({ code: 0, signal: null });
  expect(await get(address)).toBe("1");
  // And once more.
  process.kill(next.pid, "SIGUSR2");
  await using _ = successor((await lb.nth(["upgrade done"], 1))["pid"]);
  await gone(next.pid);
  expect(await get(address)).toBe("1");
});

test.if(linux)("a stop in the middle of an upgrade stops the successor too", async () => {
  await using backends = numberedBackends(1);
  const to = backends.addresses[0] ?? "";
  await using lb = weir(["serve", "--listen", "127.0.0.1:0", "--to", to, "--workers", "2", "--admin", "off"]);
  const address = await lb.address();
  lb.signal("SIGUSR2");
  await using next = successor((await lb.event("upgrade begun"))["pid"]);
  lb.signal("SIGTERM");
  expect(await lb.exited).toEqual({ code: 0, signal: null });
  await gone(next.pid);
  expect(get(address)).rejects.toThrow();
});

test.if(linux)("a tunnel that is open lives on in the old process", async () => {
  await using server = rawServer();
  const flags = ["--listen", "127.0.0.1:0", "--to", `127.0.0.1:${server.port}`, "--mode", "tcp", "--workers", "1"];
  await using lb = weir(["serve", ...flags, "--admin", "off"]);
  const [, port = ""] = (await lb.address()).split(":");
  await using client = await connectRaw(Number(port));
  client.send("before");
  const accepted = await server.connection(0);
  await accepted.until(() => accepted.text === "before");
  lb.signal("SIGUSR2");
  await using _ = successor((await lb.event("upgrade done"))["pid"]);
  await lb.event("drain begun");
  client.send(", after");
  await accepted.until(() => accepted.text === "before, after");
  accepted.send("answer");
  await client.until(() => client.text === "answer");
  client.end();
  accepted.end();
  expect(await lb.exited).toEqual({ code: 0, signal: null });
});

test.if(linux)("a new program that cannot start leaves the old one at work, and the log says why", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(1);
  const file = `${folder.path}/weir.json`;
  const config = { admin: "off", stateFolder: folder.path, workers: 1 };
  const listeners = { main: { address: "127.0.0.1:0", pool: "app" } };
  await Bun.write(file, JSON.stringify({ ...config, listeners, pools: { app: { backends: backends.addresses } } }));
  await using lb = weir(["serve", file]);
  const address = await lb.address();
  await Bun.write(file, JSON.stringify({ ...config, listeners, pools: {} }));
  lb.signal("SIGUSR2");
  expect(await lb.event("upgrade failed")).toMatchObject({ code: "UPGRADE_FAILED" });
  expect(lb.stderr).toContain("CONFIG_UNKNOWN_POOL");
  expect(await get(address)).toBe("1");
});

test.if(linux)("a new program that cannot start leaves the files of unix sockets where they are", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(1);
  const file = `${folder.path}/weir.json`;
  const unix = `${folder.path}/main.sock`;
  const local = { address: `unix:${unix}`, pool: "app" };
  const taken = { address: backends.addresses[0] ?? "", pool: "app" };
  const config = (listeners: object): string =>
    JSON.stringify({
      admin: "off",
      stateFolder: folder.path,
      workers: 1,
      listeners,
      pools: { app: { backends: backends.addresses } },
    });
  await Bun.write(file, config({ local }));
  await using lb = weir(["serve", file]);
  await lb.address("local");
  await Bun.write(file, config({ local, taken }));
  lb.signal("SIGUSR2");
  await lb.event("upgrade failed");
  expect(lb.stderr).toContain("LISTEN_IN_USE");
  expect(await (await fetch("http://weir/", { unix })).text()).toBe("1");
});

test.if(linux)("another number of workers comes with an upgrade, and the file of a unix socket stays", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(1);
  const file = `${folder.path}/weir.json`;
  const unix = `${folder.path}/main.sock`;
  const config = (workers: number): string =>
    JSON.stringify({
      admin: "off",
      stateFolder: folder.path,
      workers,
      listeners: { main: { address: "127.0.0.1:0", pool: "app" }, local: { address: `unix:${unix}`, pool: "app" } },
      pools: { app: { backends: backends.addresses } },
    });
  await Bun.write(file, config(1));
  await using lb = weir(["serve", file]);
  const address = await lb.address();
  await Bun.write(file, config(3));
  lb.signal("SIGUSR2");
  await using _ = successor((await lb.event("upgrade done"))["pid"]);
  expect((await lb.exited).code).toBe(0);
  for (let i = 0; i < 20; i++) expect(await get(address)).toBe("1");
  expect(await (await fetch("http://weir/", { unix })).text()).toBe("1");
  await lb.event("worker started", { worker: 2 });
});

test.if(linux)(
  "connections that wait in the queues of workers that go are answered after an upgrade to fewer",
  async () => {
    using folder = temporaryFolder();
    await using backends = numberedBackends(1);
    const file = `${folder.path}/weir.json`;
    const config = (workers: number): string =>
      JSON.stringify({
        admin: "off",
        stateFolder: folder.path,
        workers,
        listeners: { main: { address: "127.0.0.1:0", pool: "app" }, other: { address: "127.0.0.1:0", pool: "app" } },
        pools: { app: { backends: backends.addresses } },
      });
    await Bun.write(file, config(4));
    await using lb = weir(["serve", file]);
    const ports = await Promise.all(
      ["main", "other"].map(async (name) => Number((await lb.address(name)).split(":").at(-1))),
    );
    const workers = await Promise.all(
      [0, 1, 2, 3].map(async (worker) => Number((await lb.event("worker started", { worker }))["pid"])),
    );
    // Nobody accepts: what comes waits, spread over the queues of all four.
    for (const pid of workers) process.kill(pid, "SIGSTOP");
    const clients = await Promise.all(ports.flatMap((port) => Array.from({ length: 40 }, () => connectRaw(port))));
    for (const client of clients) client.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    await Bun.write(file, config(1));
    lb.signal("SIGUSR2");
    await using next = successor((await lb.event("upgrade done"))["pid"]);
    await lb.event("drain begun");
    for (const pid of workers) process.kill(pid, "SIGKILL");
    await lb.exited;
    for (const client of clients) {
      await client.until(({ closed, ended }) => closed || ended);
      expect(client.text).toStartWith("HTTP/1.1 200 ");
    }
    // All of them are served from then on, by a new process in the worker's place too, and after another upgrade to more.
    const answered = async (): Promise<void> => {
      for (const port of ports) for (let i = 0; i < 20; i++) expect(await get(`127.0.0.1:${port}`)).toBe("1");
    };
    await answered();
    process.kill(childrenOf(next.pid)[0]!, "SIGKILL");
    await lb.event("worker replaced");
    await answered();
    await Bun.write(file, config(3));
    process.kill(next.pid, "SIGUSR2");
    await using _ = successor((await lb.nth(["upgrade done"], 1))["pid"]);
    await gone(next.pid);
    await answered();
  },
);

test.if(linux)("a program that was installed in its place meanwhile is the one that takes over", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(1);
  const root = WEIR.replace(/\/bin\/weir$/, "");
  const copy = `${folder.path}/weir`;
  mkdirSync(copy);
  for (const part of ["bin", "src", "package.json"]) cpSync(`${root}/${part}`, `${copy}/${part}`, { recursive: true });
  symlinkSync(`${root}/node_modules`, `${copy}/node_modules`);
  const flags = ["--listen", "127.0.0.1:0", "--to", backends.addresses[0] ?? "", "--workers", "1", "--admin", "off"];
  await using lb = weir(["serve", ...flags], { command: [`${copy}/bin/weir`] });
  const address = await lb.address();
  await Bun.write(`${copy}/bin/weir`, "#!/bin/sh\nexit 3\n");
  chmodSync(`${copy}/bin/weir`, 0o755);
  lb.signal("SIGUSR2");
  expect(await lb.event("upgrade failed")).toMatchObject({ reason: expect.stringContaining("status 3") });
  expect(await get(address)).toBe("1");
});

test.if(linux)("what is known of health goes on in the new program: who is ejected or down gets nothing", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(1);
  await using broken = rawServer({ onData: (connection) => connection.reset() });
  const probe = { status: 500 };
  const recovering = Bun.serve({ port: 0, fetch: () => new Response("2", probe) });
  const [good = ""] = backends.addresses;
  const [ill, down] = [`127.0.0.1:${broken.port}`, `127.0.0.1:${recovering.port}`];
  const passive = { successRate: "off", eject: "10m", maxEject: "10m" };
  const pools = {
    traffic: { backends: [good, ill], health: { passive } },
    // It takes a hundred to be up again.
    probed: { backends: [good, down], health: { probe: { path: "/", interval: "1h", rise: 100 } } },
  };
  const listeners = {
    main: { address: "127.0.0.1:0", pool: "traffic" },
    probed: { address: "127.0.0.1:0", pool: "probed" },
  };
  const file = `${folder.path}/weir.json`;
  await Bun.write(file, JSON.stringify({ admin: "off", stateFolder: folder.path, workers: 1, listeners, pools }));
  await using lb = weir(["serve", file]);
  const [main, probed] = [await lb.address(), await lb.address("probed")];
  await lb.event("backend down", { backend: down });
  while (!lb.log.some(({ event }) => event === "backend ejected")) await get(main);
  probe.status = 200;
  const before = broken.connections.length;
  lb.signal("SIGUSR2");
  await using first = successor((await lb.event("upgrade done"))["pid"]);
  await lb.exited;
  process.kill(first.pid, "SIGUSR2");
  await using _ = successor((await lb.nth(["upgrade done"], 1))["pid"]);
  await gone(first.pid);
  for (let i = 0; i < 20; i++) expect([await get(main), await get(probed)]).toEqual(["1", "1"]);
  expect(broken.connections).toHaveLength(before);
  await recovering.stop(true);
});

test.if(linux)("a file that a reload has named is the new program's too, and the one's after it", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(2);
  const [first = "", second = ""] = backends.addresses;
  const config = (backend: string): Omit<Config, "stateFolder"> => ({
    workers: 1,
    listeners: { main: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: [backend] } },
  });
  const lb = await adminWeir(folder.path, config(first));
  await using old = lb.process;
  const address = await old.address();
  const state = { admin: lb.admin, stateFolder: `${folder.path}/state` };
  const other = `${folder.path}/other.json`;
  await Bun.write(other, JSON.stringify({ ...config(second), ...state }));
  await lb.json("/v1/reload", "POST", { file: other });
  expect(await get(address)).toBe("2");
  old.signal("SIGUSR2");
  await using next = successor((await old.event("upgrade done"))["pid"]);
  expect((await old.exited).code).toBe(0);
  expect(await get(address)).toBe("2");
  process.kill(next.pid, "SIGUSR2");
  await using _ = successor((await old.nth(["upgrade done"], 1))["pid"]);
  await gone(next.pid);
  expect(await get(address)).toBe("2");
});
