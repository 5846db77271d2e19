import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connectRaw, type RawConnection } from "../fixtures/raw.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { until } from "../fixtures/cluster.ts";
import { childrenOf, weir, WEIR, type WeirProcess } from "../fixtures/weir-process.ts";

const LINUX = process.platform === "linux";
/** Files that each process of Weir may open here. */
const FILES = 128;
const CLIENTS = 300;

/** An HTTP server that counts how often it was probed. */
function probedBackend(): Disposable & { readonly address: string; probes: number } {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 60,
    fetch(request) {
      if (new URL(request.url).pathname === "/health") backend.probes += 1;
      return new Response("served");
    },
  });
  const backend = {
    address: `127.0.0.1:${server.port}`,
    probes: 0,
    [Symbol.dispose]: () => void server.stop(true),
  };
  return backend;
}

/** Weir with a configuration, and few files to open. */
async function limited(
  folder: string,
  config: object,
  files = FILES,
  env: Record<string, string> = {},
): Promise<WeirProcess> {
  const file = `${folder}/weir.json`;
  await Bun.write(file, JSON.stringify({ workers: 1, admin: "off", ...config }));
  const command = ["bash", "-c", `ulimit -n ${files}; exec "$0" "$@"`, WEIR];
  return weir(["serve", file], { command, env });
}

/** Clients that stay, each with a request sent. */
async function clientsOf(port: number, count: number): Promise<RawConnection[]> {
  const clients = [];
  for (let i = 0; i < count; i++) {
    const client = await connectRaw(port);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    clients.push(client);
  }
  return clients;
}

const served = (clients: readonly RawConnection[]): RawConnection[] =>
  clients.filter(({ text }) => text.includes("served"));

async function portOf(lb: WeirProcess, listener = "web"): Promise<number> {
  return Number((await lb.address(listener)).split(":").at(-1));
}

/** Whether a process polls a listening socket: with what waits there it would be woken without end. */
function pollsListener(pid: number): boolean {
  const listening = new Set(
    readFileSync(`/proc/${pid}/net/tcp`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state]) => state === "0A")
      .map((fields) => `socket:[${fields[9]}]`),
  );
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => [fd, readlinkSync(`/proc/${pid}/fd/${fd}`)] as const);
  const polled = links
    .filter(([, link]) => link === "anon_inode:[eventpoll]")
    .flatMap(([fd]) => [...readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8").matchAll(/^tfd:\s+(\d+)/gm)])
    .map(([, fd]) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  return polled.some((link) => listening.has(link));
}

describe.if(LINUX)("with few file descriptors", () => {
  for (const mode of ["http", "tcp"] as const)
    test(`${CLIENTS} clients wait their turn and all are served: mode ${mode}`, async () => {
      using folder = temporaryFolder();
      using backend = probedBackend();
      // However late the answers to probes are: it is not down.
      const probe = { type: "http", path: "/health", interval: "100ms", fall: 100 };
      await using lb = await limited(folder.path, {
        listeners: { web: { address: "127.0.0.1:0", mode, pool: "app" } },
        pools: { app: { backends: [backend.address], health: { probe } } },
      });
      const port = await portOf(lb);
      const started = await lb.event("worker started");
      const most = Number(started["connections"]);
      expect(started["descriptors"]).toBe(FILES);
      expect([most > 10, 2 * most < FILES]).toEqual([true, true]);
      const [pid = 0] = childrenOf(lb.pid);
      expect(pollsListener(pid)).toBe(true);

      let waiting = await clientsOf(port, CLIENTS);
      const paused = await lb.event("accepting paused");
      expect(paused).toMatchObject({ level: "warn", code: "WEIR_NO_ROOM", worker: 0, clients: most, most });
      await until(() => served(waiting).length === most);
      expect(pollsListener(pid)).toBe(false);
      expect(readdirSync(`/proc/${pid}/fd`).length).toBeLessThan(FILES);
      const { probes } = backend;
      await until(() => backend.probes >= probes + 3);
      expect(served(waiting).length).toBe(most);

      // Those that are served leave, until all are.
      for (let left = CLIENTS; left > 0; left = waiting.length) {
        const now = served(waiting);
        for (const client of now) client.end();
        waiting = waiting.filter((client) => !now.includes(client));
        if (waiting.length > 0) await until(() => served(waiting).length > 0);
      }
      expect(await lb.event("accepting resumed")).toMatchObject({ level: "info", most });
      // Told of once, though it happened many times.
      expect(lb.log.filter(({ event }) => event === "accepting paused").length).toBeLessThan(CLIENTS / most);

      lb.signal("SIGTERM");
      expect(await lb.exited).toEqual({ code: 0, signal: null });
      expect(lb.stderr).not.toMatch(/EMFILE|defect|worker died/);
    });

  test("a drain ends what is open while others wait, whom nobody serves any more", async () => {
    using folder = temporaryFolder();
    using backend = probedBackend();
    await using lb = await limited(folder.path, {
      listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
      pools: { app: { backends: [backend.address] } },
    });
    const clients = await clientsOf(await portOf(lb), 100);
    const { most } = await lb.event("accepting paused");
    await until(() => served(clients).length === most);
    lb.signal("SIGTERM");
    expect(await lb.exited).toEqual({ code: 0, signal: null });
    await Promise.all(clients.map((client) => client.untilEnd()));
    expect(served(clients).length).toBe(Number(most));
    expect(lb.log.filter(({ event }) => event === "accepting resumed")).toEqual([]);
  });

  test("idle connections to backends are given up for new ones", async () => {
    const clients = 15;
    // Each of as many clients leaves an idle connection at each of them: more in all than there are files.
    const count = 8;
    using folder = temporaryFolder();
    await using backends = new AsyncDisposableStack();
    const addresses = Array.from({ length: count }, () => {
      const waiting: (() => void)[] = [];
      const server = Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        idleTimeout: 60,
        async fetch() {
          // Answered when all are there, so that no two come over one connection.
          const { promise, resolve } = Promise.withResolvers<void>();
          waiting.push(resolve);
          if (waiting.length === clients) for (const answer of waiting.splice(0)) answer();
          await promise;
          return new Response("served");
        },
      });
      backends.defer(() => server.stop(true));
      return `127.0.0.1:${server.port}`;
    });
    await using lb = await limited(folder.path, {
      listeners: {
        web: { address: "127.0.0.1:0", routes: addresses.map((_, i) => ({ path: `/${i}`, pool: `pool-${i}` })) },
      },
      pools: Object.fromEntries(addresses.map((address, i) => [`pool-${i}`, { backends: [address] }])),
      timeouts: { idleBackend: "1h" },
    });
    const port = await portOf(lb);
    const all = await Promise.all(Array.from({ length: clients }, () => connectRaw(port)));
    for (let i = 0; i < count; i++) {
      for (const client of all) client.send(`GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await Promise.all(all.map((client) => client.until(({ text }) => text.split("HTTP/1.1 200").length === i + 2)));
    }
    const [pid = 0] = childrenOf(lb.pid);
    expect(readdirSync(`/proc/${pid}/fd`).length).toBeLessThan(FILES);
    expect(lb.stderr).not.toMatch(/EMFILE|defect|worker died|failed/);
  });

  test("without FFI what comes beyond the room is reset, and the room serves on", async () => {
    using folder = temporaryFolder();
    using backend = probedBackend();
    const config = {
      listeners: { web: { address: "127.0.0.1:0", pool: "app" } },
      pools: { app: { backends: [backend.address] } },
    };
    await using lb = await limited(folder.path, config, FILES, { WEIR_FFI: "off" });
    const port = await portOf(lb);
    const clients: RawConnection[] = [];
    for (let i = 0; i < 100; i++) {
      // The reset may be there before the connection is seen to be open.
      const [client] = await clientsOf(port, 1).catch(() => []);
      if (client !== undefined) clients.push(client);
    }
    const { most } = await lb.event("accepting paused");
    await until(
      () => clients.filter(({ closed, text }) => closed || text.includes("served")).length === clients.length,
    );
    const stayed = served(clients);
    expect(stayed.length).toBe(Number(most));
    for (const client of stayed) client.end();
    await lb.event("accepting resumed");
    const [again] = await clientsOf(port, 1);
    await again?.untilText("served");
    expect(lb.stderr).not.toMatch(/EMFILE|defect|worker died/);
  });
});

describe("limits.connections", () => {
  test("holds at a listener, and beside it for all of them together", async () => {
    using folder = temporaryFolder();
    using backend = probedBackend();
    await using lb = await limited(
      folder.path,
      {
        listeners: {
          narrow: { address: "127.0.0.1:0", pool: "app", limits: { connections: 2 } },
          wide: { address: "127.0.0.1:0", pool: "app" },
        },
        pools: { app: { backends: [backend.address] } },
        limits: { connections: 5 },
      },
      1024,
    );
    const narrow = await clientsOf(await portOf(lb, "narrow"), 4);
    expect(await lb.event("accepting paused")).toMatchObject({ listener: "narrow", clients: 2, most: 2 });
    const wide = await clientsOf(await portOf(lb, "wide"), 6);
    expect(await lb.event("accepting paused", { most: 5 })).not.toHaveProperty("listener");
    await until(() => served([...narrow, ...wide]).length === 5);
    expect([served(narrow).length, served(wide).length]).toEqual([2, 3]);

    // Room at the narrow one alone lets nobody in while the whole is full, and the other way round.
    for (const client of served(wide)) client.end();
    await until(() => served(wide).length === 6);
    expect(served(narrow).length).toBe(2);
    for (const client of served(narrow)) client.end();
    for (const client of wide) client.end();
    await until(() => served(narrow).length === 4);
  });
});
