import { expect, test } from "bun:test";
import { get, numberedBackends } from "../fixtures/numbered-backends.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { adminWeir } from "../fixtures/weir-admin.ts";
import { childrenOf, gone, weir } from "../fixtures/weir-process.ts";

test("a killed worker is replaced while the others go on, and its requests leave the totals", async () => {
  await using backends = numberedBackends(1);
  await using lb = weir(["serve", "--listen", "127.0.0.1:0", "--to", backends.addresses[0] ?? "", "--workers", "2"]);
  const address = await lb.address();
  const before = childrenOf(lb.pid);
  expect(before.length).toBe(2);
  const [victim = 0, other = 0] = before;

  process.kill(victim, "SIGKILL");
  const died = await lb.event("worker died");
  expect(died).toMatchObject({ pid: victim, signal: "SIGKILL" });
  const replaced = await lb.event("worker replaced");
  expect(replaced).toMatchObject({ replaced: victim, worker: died["worker"] });
  expect(new Set(childrenOf(lb.pid))).toEqual(new Set([other, Number(replaced["pid"])]));
  for (let i = 0; i < 20; i++) expect(await get(address)).toBe("1");
});

test("connections to a killed worker's queue are taken by its replacement", async () => {
  await using backends = numberedBackends(1);
  await using lb = weir(["serve", "--listen", "127.0.0.1:0", "--to", backends.addresses[0] ?? "", "--workers", "1"]);
  const address = await lb.address();
  const [victim = 0] = childrenOf(lb.pid);
  process.kill(victim, "SIGSTOP"); // nothing is accepted: connections wait in the queue
  const answers = Promise.all(Array.from({ length: 20 }, () => get(address)));
  process.kill(victim, "SIGKILL");
  expect(new Set(await answers)).toEqual(new Set(["1"]));
});

test("a worker that dies again and again is started later each time, and the log says so", async () => {
  await using backends = numberedBackends(1);
  await using lb = weir(["serve", "--listen", "127.0.0.1:0", "--to", backends.addresses[0] ?? "", "--workers", "1"]);
  const address = await lb.address();
  let [pid = 0] = childrenOf(lb.pid);
  for (let death = 1; death <= 3; death++) {
    process.kill(pid, "SIGKILL");
    pid = Number((await lb.event("worker replaced", { replaced: pid }))["pid"]);
  }
  const waits = lb.log.filter(({ event }) => event === "worker dies again and again");
  expect(waits.map(({ deaths, nextTryMs }) => [deaths, nextTryMs])).toEqual([
    [2, 100],
    [3, 200],
  ]);
  expect(await get(address)).toBe("1");
});

// Elsewhere the workers share one queue, so none is ever missing from it.
test.if(process.platform === "linux")(
  "while a worker waits to be started again, the others take its share",
  async () => {
    await using backends = numberedBackends(1);
    await using lb = weir(["serve", "--listen", "127.0.0.1:0", "--to", backends.addresses[0] ?? "", "--workers", "2"]);
    const address = await lb.address();
    let [pid = 0] = childrenOf(lb.pid);
    for (let death = 1; death <= 5; death++) {
      process.kill(pid, "SIGKILL");
      pid = Number((await lb.event("worker replaced", { replaced: pid }))["pid"]);
    }
    const isBack = (): boolean => lb.log.some(({ event, replaced }) => event === "worker replaced" && replaced === pid);
    // A machine that stands still for as long as the worker is away proves nothing: it is longer away the next time.
    for (let deaths = 6; ; deaths++) {
      process.kill(pid, "SIGKILL");
      const nextTryMs = Math.min(100 * 2 ** (deaths - 2), 5000);
      expect(await lb.event("worker dies again and again", { deaths })).toMatchObject({ nextTryMs });
      expect(new Set(await Promise.all(Array.from({ length: 30 }, () => get(address))))).toEqual(new Set(["1"]));
      if (!isBack()) break;
      pid = Number((await lb.event("worker replaced", { replaced: pid }))["pid"]);
    }

    const back = await lb.event("worker replaced", { replaced: pid });
    const other = childrenOf(lb.pid).find((each) => each !== back["pid"]) ?? 0;
    process.kill(other, "SIGSTOP"); // so that the one that came back has to answer
    expect(await Promise.any(Array.from({ length: 30 }, () => get(address)))).toBe("1");
  },
);

test("a worker that cannot start ends the start with its own error, and nothing is left", async () => {
  using folder = temporaryFolder();
  const taken = `${folder.path}/taken.sock`;
  await using holder = weir(["serve", "--listen", `unix:${taken}`, "--to", ":1", "--workers", "1"]);
  await holder.event("listener bound");
  // Without FFI it is the worker that binds a unix socket, and so finds it taken.
  await using lb = weir(["serve", "--listen", `unix:${taken}`, "--to", ":1", "--workers", "2"], {
    env: { WEIR_FFI: "off" },
  });
  expect(await lb.exited).toEqual({ code: 1, signal: null });
  expect(lb.stderr).toContain("LISTEN_IN_USE");
  expect(lb.log).toEqual([]);
  expect(childrenOf(lb.pid)).toEqual([]);
});

test("a killed supervisor leaves no worker, not even one that is stopped", async () => {
  await using backends = numberedBackends(1);
  await using lb = weir(["serve", "--listen", "127.0.0.1:0", "--to", backends.addresses[0] ?? "", "--workers", "2"]);
  await lb.address();
  const workers = childrenOf(lb.pid);
  expect(workers.length).toBe(2);
  // It can neither hear that its supervisor is gone nor end by itself.
  if (process.platform === "linux") process.kill(workers[0] ?? 0, "SIGSTOP");
  lb.signal("SIGKILL");
  expect(await lb.exited).toEqual({ code: null, signal: "SIGKILL" });
  await Promise.all(workers.map(gone));
});

test("a worker that dies while its successor starts is replaced once, and nobody else stays", async () => {
  await using backends = numberedBackends(1);
  using folder = temporaryFolder();
  const lb = await adminWeir(folder.path, {
    workers: 1,
    listeners: { main: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: backends.addresses } },
  });
  await using running = lb.process;
  const address = await running.address();
  let [pid = 0] = childrenOf(running.pid);
  // Its fourth death in a row: for 400 ms nobody is in its place.
  for (let death = 1; death <= 3; death++) {
    process.kill(pid, "SIGKILL");
    pid = Number((await running.event("worker replaced", { replaced: pid }))["pid"]);
  }
  const answer = lb.ask("/v1/workers/0/renew", "POST", {});
  let successor: number | undefined;
  while (successor === undefined) successor = childrenOf(running.pid).find((each) => each !== pid);
  process.kill(pid, "SIGKILL");
  expect(await (await answer).json()).toMatchObject({ code: "NOT_RUNNING" });
  await gone(successor);
  const replaced = await running.event("worker replaced", { replaced: pid });
  expect(childrenOf(running.pid)).toEqual([Number(replaced["pid"])]);
  expect(await get(address)).toBe("1");
});
