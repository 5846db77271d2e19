import { expect, test } from "bun:test";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { get, numberedBackends } from "../fixtures/numbered-backends.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { adminWeir } from "../fixtures/weir-admin.ts";
import { gone, weir, WEIR, WeirProcess } from "../fixtures/weir-process.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

// Bun has no datagrams of unix sockets.
const python = Bun.which("python3");
const possible = process.platform === "linux" && python !== null;

/** What a service manager would have been told, line by line. */
class Notified implements AsyncDisposable {
  readonly #program: WeirProcess;

  constructor(path: string) {
    this.#program = new WeirProcess([fixture("notified.py"), path], { command: [python ?? "python3"] });
  }

  get ready(): Promise<string> {
    return this.#program.line(/^ready$/);
  }

  /** The first message that has this field, as that text where one is given. */
  async told(field: string, value = '"[^"]*"'): Promise<Record<string, string>> {
    return JSON.parse(await this.#program.line(new RegExp(`"${field}": ${value}`)));
  }

  /** All that was told until now, in its order. */
  get messages(): readonly Record<string, string>[] {
    return this.#program.stdout.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
  }

  /** Process ids of who has said until now that it is alive, one for each time. */
  get alive(): string[] {
    return [...this.#program.stdout.matchAll(/"PID": "(\d+)"/g)].map(([, pid = ""]) => pid);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}

test.if(possible).each(["a path", "an abstract name"])(
  "the service manager is told of start, reload, life and end, over %s",
  async (kind) => {
    using folder = temporaryFolder();
    await using backends = numberedBackends(1);
    const path = kind === "a path" ? `${folder.path}/notify` : `@weir-test-${crypto.randomUUID()}`;
    await using manager = new Notified(path);
    await manager.ready;
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "200000" };
    const flags = ["--listen", "127.0.0.1:0", "--to", backends.addresses[0] ?? "", "--workers", "1", "--admin", "off"];
    await using lb = weir(["serve", ...flags], { env });
    expect(await manager.told("READY")).toEqual({
      READY: "1",
      STATUS: "generation 1: 1 listeners, 1 backends, 1 workers",
    });
    await manager.told("WATCHDOG");
    lb.signal("SIGHUP");
    const agoMicros = Number((await manager.told("RELOADING"))["AGO_USEC"]);
    expect(agoMicros).toBeGreaterThanOrEqual(0);
    expect(agoMicros).toBeLessThan(60e6); // a busy machine; another clock is hours off
    await lb.event("configuration in force");
    lb.signal("SIGTERM");
    await manager.told("STOPPING");
    expect((await lb.exited).code).toBe(0);
  },
);

test.if(possible)(
  "the status is that of what is in force, whoever changes it, and each reload begins and ends",
  async () => {
    using folder = temporaryFolder();
    await using backends = numberedBackends(2);
    await using manager = new Notified(`${folder.path}/notify`);
    await manager.ready;
    const [one = "", two = ""] = backends.addresses;
    const config = { workers: 1, listeners: { web: { address: "127.0.0.1:0", pool: "app" } } };
    const env = { NOTIFY_SOCKET: `${folder.path}/notify` };
    const lb = await adminWeir(
      folder.path,
      { ...config, pools: { app: { backends: [one] } } },
      { env, flags: ["--watch"] },
    );
    await using running = lb.process;
    const status = (generation: number, count: number): string =>
      `generation ${generation}: 1 listeners, ${count} backends, 1 workers`;
    await manager.told("STATUS", `"${status(1, 1)}"`);
    // An edit is no reload.
    await lb.json(`/v1/pools/app/backends/${one}`, "PATCH", { weight: 2 });
    await manager.told("STATUS", `"${status(2, 1)}"`);
    const written = JSON.parse(readFileSync(lb.file, "utf8"));
    writeFileSync(`${folder.path}/next`, JSON.stringify({ ...written, pools: { app: { backends: [one, two] } } }));
    renameSync(`${folder.path}/next`, lb.file);
    await manager.told("STATUS", `"${status(3, 2)}"`);
    await lb.json("/v1/reload", "POST", { dryRun: true });
    await lb.json("/v1/reload", "POST", {});
    // Refused: what was in force still is.
    expect((await lb.ask("/v1/reload", "POST", { file: `${folder.path}/none.json` })).ok).toBe(false);
    await lb.json(`/v1/pools/app/backends/${one}`, "PATCH", { weight: 3 });
    await manager.told("STATUS", `"${status(4, 2)}"`);
    running.signal("SIGTERM");
    await manager.told("STOPPING");
    expect((await running.exited).code).toBe(0);
    const told = manager.messages.map(({ RELOADING, READY, STATUS, STOPPING }) =>
      STOPPING === "1" ? "stopping" : RELOADING === "1" ? "reloading" : `${READY === "1" ? "ready, " : ""}${STATUS}`,
    );
    expect(told).toEqual([
      `ready, ${status(1, 1)}`,
      status(2, 1),
      "reloading",
      `ready, ${status(3, 2)}`,
      "reloading",
      `ready, ${status(3, 2)}`,
      "reloading",
      `ready, ${status(3, 2)}`,
      status(4, 2),
      "stopping",
    ]);
  },
);

test.if(possible)("after an upgrade the new process is the main one, and says that it is ready", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(1);
  await using manager = new Notified(`${folder.path}/notify`);
  await manager.ready;
  const env = { NOTIFY_SOCKET: `${folder.path}/notify` };
  const flags = ["--listen", "127.0.0.1:0", "--to", backends.addresses[0] ?? "", "--workers", "1", "--admin", "off"];
  await using lb = weir(["serve", ...flags], { env });
  await lb.event("worker started");
  lb.signal("SIGUSR2");
  const { pid } = await lb.event("upgrade done");
  expect(await manager.told("MAINPID")).toEqual({ MAINPID: String(pid) });
  expect((await lb.exited).code).toBe(0);
  process.kill(Number(pid), "SIGTERM");
  await manager.told("STOPPING");
  await gone(Number(pid));
});

test.if(possible)(
  "after an upgrade the old process, which still drains, no longer vouches for the new one",
  async () => {
    using folder = temporaryFolder();
    await using backends = numberedBackends(1);
    await using manager = new Notified(`${folder.path}/notify`);
    await manager.ready;
    const env = { NOTIFY_SOCKET: `${folder.path}/notify`, WATCHDOG_USEC: "100000" };
    const flags = ["--listen", "127.0.0.1:0", "--to", backends.addresses[0] ?? "", "--workers", "1", "--admin", "off"];
    await using lb = weir(["serve", ...flags], { env });
    const open = get(await lb.address(), "/slow").catch(String);
    await backends.waiting;
    lb.signal("SIGUSR2");
    const pid = String((await lb.event("upgrade done"))["pid"]);
    await manager.told("PID", `"${pid}"`);
    const before = manager.alive.length;
    while (manager.alive.slice(before).filter((each) => each === pid).length < 3) await Bun.sleep(10);
    expect(manager.alive.slice(before)).not.toContain(String(lb.pid));
    process.kill(Number(pid), "SIGKILL");
    await gone(Number(pid));
    backends.release();
    expect(await open).toBe("1");
  },
);

test.if(possible)("a listening socket that the service manager opened is used by all workers", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(1);
  const file = `${folder.path}/weir.json`;
  const config = {
    workers: 2,
    admin: "off",
    listeners: { main: { address: "127.0.0.1:PORT", pool: "app" } },
    pools: { app: { backends: backends.addresses } },
  };
  await Bun.write(file, JSON.stringify(config));
  const command = [python ?? "python3", fixture("activated.py"), file, WEIR];
  await using lb = weir(["serve", file], { command });
  const address = await lb.address();
  await lb.event("worker started", { worker: 1 });
  for (let i = 0; i < 10; i++) expect(await get(address)).toBe("1");
  expect(lb.stderr).not.toContain("LISTEN_");
});
