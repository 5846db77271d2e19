import { expect, test } from "bun:test";
import { get, numberedBackends } from "../fixtures/numbered-backends.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { childrenOf, type LogLine, weir, type WeirProcess } from "../fixtures/weir-process.ts";

/** A configuration in a file that is written anew, and the Weir that runs it. */
interface Running {
  readonly lb: WeirProcess;
  readonly file: string;
  write(config: object): Promise<void>;
  /** Asks for a reload. @returns the line that says what came of it */
  reload(): Promise<LogLine>;
}

const OUTCOMES = ["configuration in force", "configuration refused"];

async function running(folder: string, config: object, env: Record<string, string> = {}): Promise<Running> {
  const file = `${folder}/weir.json`;
  const write = async (next: object): Promise<void> =>
    void (await Bun.write(file, JSON.stringify({ workers: 2, admin: "off", stateFolder: folder, ...next })));
  await write(config);
  const lb = weir(["serve", file], { env });
  await lb.event("worker started", { worker: 1 });
  let seen = 0;
  return {
    lb,
    file,
    write,
    async reload() {
      lb.signal("SIGHUP");
      const outcome = await lb.nth(OUTCOMES, seen);
      seen += 1;
      return outcome;
    },
  };
}

const listener = { address: "127.0.0.1:0", pool: "app" };

test("a backend that is added gets its share, one that is removed none, and the workers and the port stay", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(3);
  const [one = "", two = "", three = ""] = backends.addresses;
  const config = (...of: string[]): object => ({ listeners: { main: listener }, pools: { app: { backends: of } } });
  const { lb, write, reload } = await running(folder.path, config(one, two));
  await using _ = lb;
  const address = await lb.address();
  const workers = childrenOf(lb.pid);

  await write(config(two, three));
  expect(await reload()).toMatchObject({ level: "info", generation: 2, added: 1, changed: 0, removed: 1 });
  const answers = await Promise.all(Array.from({ length: 20 }, () => get(address)));
  expect(new Set(answers)).toEqual(new Set(["2", "3"]));
  expect(childrenOf(lb.pid)).toEqual(workers);
  expect(await lb.event("configuration changed", { kind: "added" })).toMatchObject({ name: `app/${three}` });
});

test("a keep-alive connection and a request under way live through reloads", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(2);
  const [one = "", two = ""] = backends.addresses;
  const config = (of: string): object => ({ listeners: { main: listener }, pools: { app: { backends: [of] } } });
  const { lb, write, reload } = await running(folder.path, config(one));
  await using _ = lb;
  const address = await lb.address();
  const slow = get(address, "/slow");
  await backends.waiting;
  for (let generation = 2; generation <= 11; generation++) {
    await write(config(generation % 2 === 0 ? two : one));
    expect(await reload()).toMatchObject({ generation });
    expect(await get(address)).toBe(generation % 2 === 0 ? "2" : "1");
  }
  backends.release();
  expect(await slow).toBe("1");
});

test("listeners come and go, and one that is not touched keeps its port", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(1);
  const pools = { app: { backends: backends.addresses } };
  const { lb, write, reload } = await running(folder.path, { listeners: { main: listener }, pools });
  await using _ = lb;
  const address = await lb.address();
  const unix = `${folder.path}/web.sock`;
  await write({ listeners: { main: listener, local: { address: `unix:${unix}`, pool: "app" } }, pools });
  expect(await reload()).toMatchObject({ generation: 2, added: 1 });
  for (let i = 0; i < 10; i++) {
    const response = await fetch("http://weir/", { unix, headers: { connection: "close" } });
    expect(await response.text()).toBe("1");
  }
  expect(await get(address)).toBe("1");
  await write({ listeners: { main: listener }, pools });
  expect(await reload()).toMatchObject({ generation: 3, removed: 1 });
  expect(await Bun.file(unix).exists()).toBe(false);
  expect(await get(address)).toBe("1");
});

test("a broken file is refused with the problems of `weir check`, and nothing changes", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(1);
  const config = { listeners: { main: listener }, pools: { app: { backends: backends.addresses } } };
  const { lb, file, write, reload } = await running(folder.path, config);
  await using _ = lb;
  const address = await lb.address();
  await Bun.write(file, JSON.stringify({ listeners: { main: { ...listener, pol: "x" } }, pools: {} }, null, 2));
  const refused = await reload();
  await using check = weir(["check", file]);
  expect((await check.exited).code).toBe(1);
  expect(check.stderr).toContain(`${refused["at"]} ${refused["key"]}  ${refused["code"]}  ${refused["reason"]}`);
  expect(await get(address)).toBe("1");
  // What was refused is forgotten.
  await write(config);
  lb.signal("SIGHUP");
  expect(await lb.event("configuration in force")).toMatchObject({ generation: 1, added: 0, changed: 0, removed: 0 });
});

test("an address that is taken refuses the whole, and the rest of it is not in force either", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(2);
  const [one = "", two = ""] = backends.addresses;
  const { lb, write, reload } = await running(folder.path, {
    listeners: { main: listener },
    pools: { app: { backends: [one] } },
  });
  await using _ = lb;
  const address = await lb.address();
  const listeners = { main: listener, other: { address: one, pool: "app" } };
  await write({ listeners, pools: { app: { backends: [two] } } });
  expect(await reload()).toMatchObject({ level: "error", code: "LISTEN_IN_USE" });
  expect(await get(address)).toBe("1");
});

test("where one worker cannot take a plan, none does, and the log says which and why", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(2);
  const [one = "", two = ""] = backends.addresses;
  const config = (of: string): object => ({ listeners: { main: listener }, pools: { app: { backends: [of] } } });
  const { lb, write, reload } = await running(folder.path, config(one), { WEIR_FAULT: "prepare:1" });
  await using _ = lb;
  const address = await lb.address();
  await write({ ...config(two), listeners: { main: listener, more: { ...listener, address: "127.0.0.1:0" } } });
  expect(await reload()).toMatchObject({ code: "PLAN_NOT_TAKEN", reason: "worker 1: a fault was asked for" });
  for (let i = 0; i < 10; i++) expect(await get(address)).toBe("1");
  expect(childrenOf(lb.pid).length).toBe(2);
});

test("a worker that dies while it prepares is replaced, and the plan comes into force or is refused everywhere", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(2);
  const [one = "", two = ""] = backends.addresses;
  const config = (of: string): object => ({ listeners: { main: listener }, pools: { app: { backends: [of] } } });
  const { lb, write, reload } = await running(folder.path, config(one), { WEIR_FAULT: "prepare-exit:0" });
  await using _ = lb;
  const address = await lb.address();
  await write(config(two));
  const outcome = await reload();
  const expected = outcome.event === "configuration in force" ? "2" : "1";
  await lb.event("worker replaced");
  for (let i = 0; i < 10; i++) expect(await get(address)).toBe(expected);
});

test("a worker that dies when it should follow is replaced by one with the new plan", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(2);
  const [one = "", two = ""] = backends.addresses;
  const config = (of: string): object => ({ listeners: { main: listener }, pools: { app: { backends: [of] } } });
  const { lb, write, reload } = await running(folder.path, config(one), { WEIR_FAULT: "commit-exit:1" });
  await using _ = lb;
  const address = await lb.address();
  await write(config(two));
  expect(await reload()).toMatchObject({ generation: 2 });
  await lb.event("worker did not follow");
  await lb.event("worker replaced");
  for (let i = 0; i < 10; i++) expect(await get(address)).toBe("2");
});

test("reloads that are asked for at once come into force one after another", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(2);
  const [one = "", two = ""] = backends.addresses;
  const config = (of: string): object => ({ listeners: { main: listener }, pools: { app: { backends: [of] } } });
  const { lb, write } = await running(folder.path, config(one));
  await using _ = lb;
  const address = await lb.address();
  const workers = new Set(childrenOf(lb.pid));
  await write(config(two));
  for (let i = 0; i < 5; i++) {
    lb.signal("SIGHUP");
    const victim = childrenOf(lb.pid).find((pid) => workers.has(pid))!;
    process.kill(victim, "SIGKILL");
    const { pid } = await lb.nth(["worker replaced"], i);
    workers.delete(victim);
    workers.add(Number(pid));
  }
  // Those that met a worker's death may all have been refused.
  lb.signal("SIGHUP");
  await lb.event("configuration in force", { generation: 2 });
  for (let i = 0; i < 10; i++) expect(await get(address)).toBe("2");
  // Five starts of a process, one after another, some of them after a wait.
}, 90_000);

test("what takes effect only at an upgrade is said", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(1);
  const config = { listeners: { main: listener }, pools: { app: { backends: backends.addresses } } };
  const { lb, write, reload } = await running(folder.path, config);
  await using _ = lb;
  await write({ ...config, workers: 3, stateFolder: `${folder.path}/other` });
  await reload();
  expect(await lb.event("upgrade needed")).toMatchObject({ keys: "workers, stateFolder" });
  expect(childrenOf(lb.pid).length).toBe(2);
});

test("the zone that Weir is in changes with a reload, and no upgrade is needed", async () => {
  using folder = temporaryFolder();
  await using servers = numberedBackends(2);
  const backends = servers.addresses.map((address, i) => ({ address, zone: i === 0 ? "a" : "b" }));
  const config = { listeners: { main: listener }, pools: { app: { backends } } };
  const { lb, write, reload } = await running(folder.path, { ...config, zone: "a" });
  await using _ = lb;
  const address = await lb.address();
  const answers = async (): Promise<ReadonlySet<string>> =>
    new Set(await Promise.all(Array.from({ length: 20 }, () => get(address))));
  expect(await answers()).toEqual(new Set(["1"]));
  for (const [zone, who] of [
    ["b", ["2"]],
    [undefined, ["1", "2"]],
    ["a", ["1"]],
  ] as const) {
    await write({ ...config, ...(zone === undefined ? {} : { zone }) });
    expect(await reload()).toMatchObject({ event: "configuration in force" });
    expect(await answers()).toEqual(new Set<string>(who));
  }
  expect(lb.log.some(({ event }) => event === "upgrade needed")).toBe(false);
});

test("the generated secret of affinity stays the same, whatever becomes of its file", async () => {
  using folder = temporaryFolder();
  await using backends = numberedBackends(2);
  const config = (timeout: string): object => ({
    listeners: { main: listener },
    pools: { app: { backends: backends.addresses, affinity: true } },
    shutdown: { timeout },
  });
  const { lb, write, reload } = await running(folder.path, config("1s"));
  await using _ = lb;
  const address = await lb.address();
  const first = await fetch(`http://${address}/`);
  const [cookie = ""] = (first.headers.get("set-cookie") ?? "").split(";");
  const body = await first.text();
  await Bun.write(`${folder.path}/affinity-secret`, "another secret, of 32 bytes and more\n");
  await write(config("2s"));
  expect(await reload()).toMatchObject({ generation: 2, changed: 1 });
  for (let i = 0; i < 6; i++) {
    const response = await fetch(`http://${address}/`, { headers: { cookie, connection: "close" } });
    expect(await response.text()).toBe(body);
  }
});
