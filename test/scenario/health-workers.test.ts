import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { start } from "weir";
import { until } from "../fixtures/cluster.ts";
import { type Backend, backend, ok } from "../fixtures/http.ts";
import { get, numberedBackends } from "../fixtures/numbered-backends.ts";
import { rawServer } from "../fixtures/raw.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { childrenOf, weir, type WeirProcess } from "../fixtures/weir-process.ts";

// A busy machine is slow, not wrong.
setDefaultTimeout(60_000);

const folder = temporaryFolder();
let files = 0;

/** Weir as a process of its own with two workers, and with one more pool where it is given. */
function twoWorkers(pool: object, other?: object): WeirProcess {
  const file = join(folder.path, `weir-${++files}.json`);
  const listeners = { main: { address: "127.0.0.1:0", pool: "app" } };
  writeFileSync(file, JSON.stringify({ listeners, pools: { app: pool, other }, workers: 2, admin: "off" }));
  return weir(["serve", file]);
}

test("probes are made once for all workers", async () => {
  await using seldom = backend(() => ok());
  await using often = backend(() => ok());
  const pool = ({ port }: Backend, interval: string): object => ({
    backends: [`127.0.0.1:${port}`],
    health: { probe: { path: "/health", interval } },
  });
  const since = performance.now();
  await using lb = twoWorkers(pool(seldom, "10s"), pool(often, "100ms"));
  const address = await lb.address();
  expect(childrenOf(lb.pid)).toHaveLength(2);
  await often.request(2);
  const [first, second, third] = often.requests;
  expect([first, second, third].map((request) => request?.start)).toEqual(Array(3).fill("GET /health HTTP/1.1"));
  expect(first?.field("user-agent")).toBe("weir-probe");
  // Connections of their own, which the system spreads over both workers: whoever probes has begun to.
  await Promise.all(Array.from({ length: 40 }, () => get(address)));
  const probes = seldom.requests.filter((request) => request.start.includes("/health")).length;
  // Two probers would have made two at the start; of one the next is to come after an interval, less a tenth.
  expect(probes).toBeGreaterThan(0);
  expect(probes).toBeLessThanOrEqual(1 + Math.floor((performance.now() - since) / 9000));
});

test("what one worker sees counts for all: five failures in a row eject for both", async () => {
  await using some = numberedBackends(2);
  await using broken = rawServer({ onData: (connection) => connection.reset() });
  const passive = { successRate: "off", eject: "10m", maxEject: "10m" };
  const backends = [`127.0.0.1:${broken.port}`, ...some.addresses];
  await using lb = twoWorkers({ backends, health: { passive } });
  const address = await lb.address();
  while (!lb.log.some(({ event }) => event === "backend ejected")) await get(address);
  expect(await lb.event("backend ejected", { backend: backends[0] })).toMatchObject({
    pool: "app",
    why: "5 failures in a row",
  });
  const before = broken.connections.length;
  // Connections of their own, which the system spreads over both workers.
  const answers = await Promise.all(Array.from({ length: 40 }, () => get(address)));
  expect(new Set(answers)).toEqual(new Set(["1", "2"]));
  expect(broken.connections).toHaveLength(before);
});

test("a worker that is replaced knows what the others know", async () => {
  await using some = numberedBackends(1);
  await using broken = backend(() => ok("", "", "500 No"));
  // The first probe says it, at once; none after it is late where the machine stops.
  const probe = { path: "/health", interval: "10s", timeout: "10s", fall: 1 };
  const health = { probe, passive: "off", panicBelow: 0 };
  await using lb = twoWorkers({ backends: [`127.0.0.1:${broken.port}`, ...some.addresses], health });
  const address = await lb.address();
  await lb.event("backend down");
  const victims = childrenOf(lb.pid);
  for (const pid of victims) process.kill(pid, "SIGKILL");
  for (const replaced of victims) await lb.event("worker replaced", { replaced });
  expect(new Set(await Promise.all(Array.from({ length: 20 }, () => get(address))))).toEqual(new Set(["1"]));
});

test("--health probes what --to names", async () => {
  await using some = numberedBackends(1);
  await using broken = backend(() => ok("", "", "500 No"));
  const to = ["--to", `127.0.0.1:${broken.port}`, "--to", some.addresses[0] ?? ""];
  await using lb = weir(["serve", "--listen", "127.0.0.1:0", ...to, "--health", "/ready", "--workers", "1"]);
  await lb.address();
  const down = await lb.event("backend down");
  expect(down).toMatchObject({ pool: "backends", backend: `127.0.0.1:${broken.port}` });
  expect(broken.requests[0]?.start).toBe("GET /ready HTTP/1.1");
});

test("as a library Weir probes too, until it is closed", async () => {
  await using probed = backend(() => ok());
  const running = await start({
    listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
    pools: {
      app: { backends: [`127.0.0.1:${probed.port}`], health: { probe: { interval: "100ms" } } },
    },
  });
  await probed.request(3);
  await running.close();
  // A probe that was under way may come to the backend later, but not after what is asked now, nor after its end.
  await get(`127.0.0.1:${probed.port}`);
  await until(() => probed.server.connections.every(({ closed, ended }) => closed || ended));
  const after = probed.requests.length;
  await using witness = backend(() => ok());
  const other = await start({
    listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
    pools: {
      app: { backends: [`127.0.0.1:${witness.port}`], health: { probe: { interval: "100ms" } } },
    },
  });
  await until(() => witness.requests.length > 5);
  await other.close();
  expect(probed.requests).toHaveLength(after);
});
