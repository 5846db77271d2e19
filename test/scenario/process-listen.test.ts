import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { until } from "../fixtures/cluster.ts";
import { get, numberedBackends } from "../fixtures/numbered-backends.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { childrenOf, gone, weir } from "../fixtures/weir-process.ts";

test("a port taken by another program is named, with how to choose another", async () => {
  await using taken = numberedBackends(1);
  const [address = ""] = taken.addresses;
  await using lb = weir(["serve", "--listen", address, "--to", ":1"]);
  expect(await lb.exited).toEqual({ code: 1, signal: null });
  expect(lb.stderr).toContain("LISTEN_IN_USE");
  expect(lb.stderr).toContain(`port ${address.split(":")[1]} is taken`);
  expect(lb.stderr).toContain("--listen");
  expect(lb.stderr.split("\n").length).toBe(1);
});

test("a port taken by another Weir of the same user is not silently shared", async () => {
  await using first = weir(["serve", "--listen", ":0", "--to", ":1", "--workers", "2"]);
  const port = (await first.address()).split(":")[1] ?? "";
  for (const address of [`:${port}`, `127.0.0.1:${port}`]) {
    await using second = weir(["serve", "--listen", address, "--to", ":1", "--workers", "2"]);
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.stderr).toContain("LISTEN_IN_USE");
  }
});

test("when one of two addresses is taken, nothing is started", async () => {
  await using taken = numberedBackends(1);
  using folder = temporaryFolder();
  const socket = `${folder.path}/weir.sock`;
  await using lb = weir(["serve", "--listen", `unix:${socket}`, "--listen", taken.addresses[0] ?? "", "--to", ":1"]);
  expect(await lb.exited).toEqual({ code: 1, signal: null });
  expect(existsSync(socket)).toBe(false);
  expect(lb.log).toEqual([]);
});

test("every interface means IPv4 and IPv6", async () => {
  await using backends = numberedBackends(1);
  await using lb = weir(["serve", "--listen", ":0", "--to", backends.addresses[0] ?? ""]);
  const port = (await lb.address()).split(":")[1];
  expect(await get(`127.0.0.1:${port}`)).toBe("1");
  expect(await get(`[::1]:${port}`)).toBe("1");
});

test("a name to listen on is looked up", async () => {
  await using backends = numberedBackends(1);
  await using lb = weir(["serve", "--listen", "localhost:0", "--to", backends.addresses[0] ?? ""]);
  const address = await lb.address();
  expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(await get(address)).toBe("1");
});

// Elsewhere the workers share one queue, and whoever runs takes all.
test.if(process.platform === "linux")("every worker gets its share of new connections", async () => {
  await using backends = numberedBackends(1);
  const to = backends.addresses[0] ?? "";
  await using lb = weir(["serve", "--listen", "127.0.0.1:0", "--to", to, "--workers", "2", "--mode", "tcp"]);
  const address = await lb.address();
  const [one = 0] = childrenOf(lb.pid);
  process.kill(one, "SIGSTOP");
  let answered = 0;
  const answers = Array.from({ length: 40 }, async () => {
    expect(await get(address)).toBe("1");
    answered += 1;
  });
  // What falls to the stopped worker waits in its queue; what falls to the other is answered.
  const port = Number(address.split(":").at(-1));
  await until(() => {
    const queues = queuesOf(port);
    return queues.includes(0) && answered + Math.max(...queues) === answers.length;
  });
  expect(answered).toBeGreaterThan(5);
  expect(answered).toBeLessThan(35);
  process.kill(one, "SIGCONT");
  await Promise.all(answers);
});

test("unix sockets on both sides; the file goes with Weir", async () => {
  using folder = temporaryFolder();
  const [front, back] = [`${folder.path}/front.sock`, `${folder.path}/back.sock`];
  const server = Bun.serve({ unix: back, fetch: () => new Response("over a file") });
  await using lb = weir(["serve", "--listen", `unix:${front}`, "--to", `unix:${back}`, "--workers", "2"]);
  await lb.event("listener bound");
  for (let i = 0; i < 5; i++) {
    expect(await (await fetch("http://weir/", { unix: front })).text()).toBe("over a file");
  }
  await using second = weir(["serve", "--listen", `unix:${front}`, "--to", `unix:${back}`]);
  expect(await second.exited).toEqual({ code: 1, signal: null });
  expect(second.stderr).toContain("LISTEN_IN_USE");
  expect(second.stderr).toContain(front);

  // One socket for all workers: it outlives any of them.
  const [victim = 0] = childrenOf(lb.pid);
  process.kill(victim, "SIGKILL");
  await lb.event("worker replaced", { replaced: victim });
  expect(await (await fetch("http://weir/", { unix: front })).text()).toBe("over a file");

  lb.signal("SIGTERM");
  expect((await lb.exited).code).toBe(0);
  expect(existsSync(front)).toBe(false);
  await server.stop(true);
});

test("the file that a killed Weir left is taken over; another file is left alone", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/weir.sock`;
  {
    await using killed = weir(["serve", "--listen", `unix:${path}`, "--to", ":1"]);
    await killed.event("listener bound");
    const workers = childrenOf(killed.pid);
    killed.signal("SIGKILL");
    await killed.exited;
    // They have its socket too, and end a moment later.
    await Promise.all(workers.map(gone));
  }
  expect(existsSync(path)).toBe(true);
  await using backends = numberedBackends(1);
  await using lb = weir(["serve", "--listen", `unix:${path}`, "--to", backends.addresses[0] ?? ""]);
  await lb.event("listener bound");
  expect(await (await fetch("http://weir/", { unix: path })).text()).toBe("1");

  const other = `${folder.path}/notes.txt`;
  writeFileSync(other, "mine");
  await using refused = weir(["serve", "--listen", `unix:${other}`, "--to", ":1"]);
  expect(await refused.exited).toEqual({ code: 1, signal: null });
  expect(refused.stderr).toContain("LISTEN_FAILED");
  expect(await Bun.file(other).text()).toBe("mine");
});

test("an address of another machine is refused in words", async () => {
  await using lb = weir(["serve", "--listen", "192.0.2.1:0", "--to", ":1"]); // RFC 5737: documentation only
  expect(await lb.exited).toEqual({ code: 1, signal: null });
  expect(lb.stderr).toContain("no address of this machine");
});

test("without FFI the workers bind for themselves", async () => {
  const env = { WEIR_FFI: "off" };
  await using backends = numberedBackends(1);
  await using lb = weir(["serve", "--listen", "127.0.0.1:0", "--to", backends.addresses[0] ?? "", "--workers", "2"], {
    env,
  });
  const address = await lb.address();
  for (let i = 0; i < 10; i++) expect(await get(address)).toBe("1");
  await using second = weir(["serve", "--listen", address, "--to", ":1"], { env });
  expect(await second.exited).toEqual({ code: 1, signal: null });
  expect(second.stderr).toContain("LISTEN_IN_USE");
  const [victim = 0] = childrenOf(lb.pid);
  process.kill(victim, "SIGKILL");
  await lb.event("worker replaced", { replaced: victim });
  for (let i = 0; i < 10; i++) expect(await get(address)).toBe("1");
  lb.signal("SIGTERM");
  expect((await lb.exited).code).toBe(0);
});

/** How many connections wait in each queue of a port of the loopback, as the system tells it: `rx_queue` of what listens (proc_net_tcp(5)). */
function queuesOf(port: number): number[] {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address, , state]) => address === local && state === "0A")
    .map(([, , , , queues = ""]) => Number.parseInt(queues.split(":")[1] ?? "", 16));
}
