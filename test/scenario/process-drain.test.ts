import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { get, numberedBackends, type NumberedBackends } from "../fixtures/numbered-backends.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { childrenOf, gone, weir, type WeirProcess } from "../fixtures/weir-process.ts";

test.each(["SIGTERM", "SIGINT"] as const)("%s finishes what is open and takes nothing new", async (signal) => {
  await using backends = numberedBackends(1);
  await using lb = weir(["serve", "--listen", "127.0.0.1:0", "--to", backends.addresses[0] ?? "", "--workers", "2"]);
  const address = await lb.address();
  const slow = get(address, "/slow");
  await backends.waiting;

  lb.signal(signal);
  await lb.event("drain begun");
  // Until the last of the workers has heard of it, one may still accept.
  while (
    await get(address).then(
      () => true,
      () => false,
    )
  );
  backends.release();
  expect(await slow).toBe("1");
  expect(await lb.exited).toEqual({ code: 0, signal: null });
  expect(await lb.event("drain done")).toMatchObject({ closed: 0 });
});

test("what is still open after shutdown.timeout is closed and counted", async () => {
  await using backends = numberedBackends(1);
  using temporary = temporaryFolder();
  const folder = temporary.path;
  await Bun.write(
    `${folder}/weir.config.json`,
    JSON.stringify({
      listeners: { main: { address: "127.0.0.1:0", pool: "p" } },
      pools: { p: { backends: backends.addresses } },
      workers: 1,
      shutdown: { timeout: "100ms" },
    }),
  );
  await using lb = weir(["serve"], { cwd: folder });
  const slow = get(await lb.address(), "/slow").catch(() => "broken");
  await backends.waiting;
  lb.signal("SIGTERM");
  expect(await slow).toBe("broken");
  expect(await lb.exited).toEqual({ code: 0, signal: null });
  expect(await lb.event("drain done")).toMatchObject({ closed: 1 });
});

test("a second signal ends at once", async () => {
  await using backends = numberedBackends(1);
  await using lb = weir(["serve", "--listen", "127.0.0.1:0", "--to", backends.addresses[0] ?? "", "--workers", "2"]);
  const slow = get(await lb.address(), "/slow").catch(() => "broken");
  await backends.waiting;
  const workers = childrenOf(lb.pid);
  lb.signal("SIGTERM");
  await lb.event("drain begun");
  lb.signal("SIGINT");
  expect(await lb.exited).toEqual({ code: 130, signal: null });
  expect(await slow).toBe("broken");
  await Promise.all(workers.map(gone));
});

/** As `npm start` runs it, with its processes in a group of their own as in a terminal. */
function underNpm(backends: NumberedBackends): WeirProcess {
  const args = ["serve", "--listen", "127.0.0.1:0", "--to", backends.addresses[0] ?? "", "--workers", "2"];
  return weir(args, { group: true, env: { npm_lifecycle_event: "start" } });
}

test("Ctrl-C reaches every process of the group, by npm a second time, and still drains", async () => {
  await using backends = numberedBackends(1);
  await using lb = underNpm(backends);
  const slow = get(await lb.address(), "/slow").catch(() => "broken");
  await backends.waiting;
  lb.signal("SIGINT", true);
  await lb.event("drain begun");
  await Bun.sleep(300); // npm was not given a processor
  lb.signal("SIGINT");
  backends.release();
  expect([(await lb.exited).code, await slow]).toEqual([0, "1"]);
});

test("a second Ctrl-C ends at once, also where npm passes each on", async () => {
  await using backends = numberedBackends(1);
  await using lb = underNpm(backends);
  const slow = get(await lb.address(), "/slow").catch(() => "broken");
  await backends.waiting;
  lb.signal("SIGINT", true);
  await lb.event("drain begun");
  const exited = lb.exited.then(() => true);
  // Two of a kind that wait at the same time are one (signal(7)).
  do lb.signal("SIGINT", true);
  while (!(await Promise.race([exited, Bun.sleep(20)])));
  expect(await lb.exited).toEqual({ code: 130, signal: null });
  expect(await slow).toBe("broken");
});

test("a drain in the middle of a change closes the listeners that were to come", async () => {
  await using backends = numberedBackends(1);
  using folder = temporaryFolder();
  const file = `${folder.path}/weir.json`;
  const unix = `${folder.path}/late.sock`;
  const port = await freePort();
  const web = { address: "127.0.0.1:0", pool: "app" };
  const late = { tcp: { address: `127.0.0.1:${port}`, pool: "app" }, unix: { address: `unix:${unix}`, pool: "app" } };
  const write = (listeners: object): Promise<number> =>
    Bun.write(file, JSON.stringify({ workers: 2, listeners, pools: { app: { backends: backends.addresses } } }));
  await write({ main: web });
  await using lb = weir(["serve", file], { env: { WEIR_FAULT: "prepare-hang:1" } });
  const slow = get(await lb.address(), "/slow");
  await backends.waiting;
  await write({ main: web, ...late });
  lb.signal("SIGHUP");
  while (!(await connects(port))) await Bun.sleep(5);
  lb.signal("SIGTERM");
  await lb.event("drain begun");
  // Until the last of the workers has heard of it.
  while (await connects(port)) await Bun.sleep(5);
  expect(existsSync(unix)).toBe(false);
  backends.release();
  expect(await slow).toBe("1");
  expect(await lb.exited).toEqual({ code: 0, signal: null });
  expect(await lb.event("configuration refused")).toMatchObject({ code: "NOT_RUNNING" });
});

/** A port that was free just now. */
async function freePort(): Promise<number> {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

function connects(port: number): Promise<boolean> {
  return Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } }).then(
    (socket) => {
      socket.terminate();
      return true;
    },
    () => false,
  );
}
