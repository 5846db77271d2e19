import { describe, expect, test } from "bun:test";
import { chmodSync, closeSync, constants, existsSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { accessLine } from "../../src/observe/access-line.ts";
import { backend, Client, get } from "../fixtures/http.ts";
import { connectRaw } from "../fixtures/raw.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { childrenOf, weir, type WeirProcess } from "../fixtures/weir-process.ts";

const ROOT = process.platform === "linux" && process.geteuid?.() === 0;

async function configFile(folder: string, port: number, config: object, workers = 2): Promise<string> {
  const file = `${folder}/weir.json`;
  const parts = {
    workers,
    admin: "off",
    listeners: { main: { address: "127.0.0.1:0", pool: "app" } },
    pools: { app: { backends: [`127.0.0.1:${port}`] } },
    ...config,
  };
  await Bun.write(file, JSON.stringify(parts));
  return file;
}

async function clientOf(lb: WeirProcess): Promise<Client> {
  const address = await lb.address();
  return new Client(await connectRaw(Number(address.split(":").at(-1))));
}

/** The targets of the lines of a log, each of which is whole and keeps to the schema. */
function targetsIn(path: string): string[] {
  const text = existsSync(path) ? readFileSync(path, "latin1") : "";
  expect(text === "" || text.endsWith("\n")).toBe(true);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => accessLine.parse(JSON.parse(line)).target ?? "");
}

async function ended(lb: WeirProcess): Promise<void> {
  lb.signal("SIGTERM");
  expect(await lb.exited).toEqual({ code: 0, signal: null });
}

describe("the program", () => {
  test("goes on in new files at SIGUSR1, under load and with several workers: no line is lost, none is torn", async () => {
    using folder = temporaryFolder();
    await using app = backend();
    const log = `${folder.path}/access.log`;
    await using lb = weir(["serve", await configFile(folder.path, app.port, { accessLog: { to: log } })]);
    const clients = await Promise.all(Array.from({ length: 8 }, () => clientOf(lb)));
    const sent: string[] = [];
    let rotations = 0;
    let rotating = Promise.resolve();
    for (let i = 0; i < 200; i++) {
      await Promise.all(
        clients.map(async (client, of) => {
          const target = `/${of}/${i}`;
          await client.ask(get(target));
          sent.push(target);
        }),
      );
      if (i % 40 !== 20) continue;
      rotations += 1;
      renameSync(log, `${log}.${rotations}`);
      lb.signal("SIGUSR1");
      // Until a worker has written to the new one there is nothing to move.
      rotating = rotating.then(async () => {
        while (!existsSync(log)) await Bun.sleep(5);
      });
      await clients[0]!.ask(get("/between"));
      sent.push("/between");
      await rotating;
    }
    for (const client of clients) await client[Symbol.asyncDispose]();
    await ended(lb);
    const files = [log, ...Array.from({ length: rotations }, (_, i) => `${log}.${i + 1}`)];
    const found = files.map(targetsIn);
    expect(rotations).toBe(5);
    expect(found.filter((targets) => targets.length > 0).length).toBeGreaterThan(2);
    expect(found.flat().sort()).toEqual(sent.sort());
  });

  test("writes to its standard output what a reader gets in whole lines", async () => {
    using folder = temporaryFolder();
    await using app = backend();
    await using lb = weir(["serve", await configFile(folder.path, app.port, { accessLog: "json" })]);
    await using client = await clientOf(lb);
    await client.ask(get("/to-stdout"));
    const line = accessLine.parse(JSON.parse(await lb.line(/to-stdout/)));
    expect(line).toMatchObject({ listener: "main", status: 200 });
  });

  test("goes on in another log after a reload, and refuses one whose log cannot be opened", async () => {
    using folder = temporaryFolder();
    await using app = backend();
    const [first, second] = [`${folder.path}/first.log`, `${folder.path}/second.log`];
    const file = await configFile(folder.path, app.port, { accessLog: { to: first } });
    await using lb = weir(["serve", file]);
    await using client = await clientOf(lb);
    await client.ask(get("/1"));
    const reload = async (to: string, outcome: string): Promise<void> => {
      await configFile(folder.path, app.port, { accessLog: { to } });
      lb.signal("SIGHUP");
      await lb.event(outcome);
    };
    await reload(`${folder.path}/none/x.log`, "configuration refused");
    await client.ask(get("/2"));
    await reload(second, "configuration in force");
    await client.ask(get("/3"));
    await client[Symbol.asyncDispose]();
    await ended(lb);
    expect([targetsIn(first), targetsIn(second)]).toEqual([["/1", "/2"], ["/3"]]);
    expect(lb.stderr).toContain("none/x.log cannot be opened");
  });

  test("does not start with a log that it cannot open, and says why in a sentence", async () => {
    using folder = temporaryFolder();
    await using app = backend();
    const to = `${folder.path}/none/access.log`;
    await using lb = weir(["serve", await configFile(folder.path, app.port, { accessLog: { to } })]);
    expect((await lb.exited).code).toBe(1);
    expect(lb.stderr).toContain("ACCESS_LOG_UNUSABLE");
    expect(lb.stderr).toContain(`${to} cannot be opened`);
    expect(lb.stderr).not.toContain(".ts:");
  });

  test("serves on while nobody reads its log, counts what it drops, and tells of it", async () => {
    using folder = temporaryFolder();
    await using app = backend();
    const fifo = `${folder.path}/fifo`;
    expect(Bun.spawnSync(["mkfifo", fifo]).exitCode).toBe(0);
    // A reader that opens the pipe and reads nothing.
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    await using lb = weir(["serve", await configFile(folder.path, app.port, { accessLog: { to: fifo } }, 1)]);
    await using client = await clientOf(lb);
    const line = get(`/${"x".repeat(8000)}`, `User-Agent: ${'"'.repeat(1000)}\r\n`);
    // About 15 KB a line, and 4 MiB that wait.
    for (let i = 0; i < 500; i++) expect((await client.ask(line)).raw.startsWith("HTTP/1.1 200")).toBe(true);
    const { lines, to, level } = await lb.event("access log lines lost", { code: "ACCESS_LOG_LOST" });
    expect([Number(lines) > 0, to, level]).toEqual([true, fifo, "warn"]);
    closeSync(reader);
    await client[Symbol.asyncDispose]();
    await ended(lb);
  });

  test.if(process.platform === "linux")("serves on while the disk is full", async () => {
    using folder = temporaryFolder();
    await using app = backend();
    await using lb = weir(["serve", await configFile(folder.path, app.port, { accessLog: { to: "/dev/full" } }, 1)]);
    await using client = await clientOf(lb);
    for (let i = 0; i < 20; i++) expect((await client.ask(get())).raw.startsWith("HTTP/1.1 200")).toBe(true);
    const { reason } = await lb.event("access log lines lost");
    expect(reason).toBe("ENOSPC");
  });

  test.if(process.platform === "linux")("counts what it drops in the metrics", async () => {
    using folder = temporaryFolder();
    await using app = backend();
    const file = await configFile(folder.path, app.port, { accessLog: { to: "/dev/full" } });
    const socket = `${folder.path}/admin.sock`;
    await using lb = weir(["serve", file, "--admin", `unix:${socket}`]);
    await lb.event("admin bound");
    await using client = await clientOf(lb);
    for (let i = 0; i < 20; i++) expect((await client.ask(get())).raw.startsWith("HTTP/1.1 200")).toBe(true);
    const lost = async (): Promise<number> => {
      const answer = await fetch("http://localhost/metrics", { unix: socket });
      return Number(/^weir_access_log_lost_lines_total (\d+)$/m.exec(await answer.text())?.[1]);
    };
    let seen = 0;
    while (seen < 20) seen = await lost();
    expect(seen).toBe(20);
  });

  test.each(["127.0.0.1", "::1"])("sends lines to syslog at %s by UDP, a message each", async (host) => {
    using folder = temporaryFolder();
    await using app = backend();
    const got = Promise.withResolvers<string>();
    const server = await Bun.udpSocket({
      hostname: host,
      port: 0,
      socket: { data: (_socket, data) => got.resolve(data.toString("latin1")) },
    });
    const to = `syslog:${host === "::1" ? "[::1]" : host}:${server.port}`;
    await using lb = weir(["serve", await configFile(folder.path, app.port, { accessLog: { to } })]);
    await using client = await clientOf(lb);
    await client.ask(get("/by-syslog"));
    const message = await got.promise;
    server.close();
    const [, pid, rest = ""] =
      /^<134>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ weir (\d+) access - (.*)$/.exec(message) ?? [];
    expect(childrenOf(lb.pid)).toContain(Number(pid));
    expect(accessLine.parse(JSON.parse(rest)).target).toBe("/by-syslog");
  });

  test.if(process.platform === "linux")("sends lines to the unix socket of syslog", async () => {
    using folder = temporaryFolder();
    await using app = backend();
    const path = `${folder.path}/log.sock`;
    // The runtime has no unix sockets of datagrams to listen on.
    const script = `import socket,sys
s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind(sys.argv[1]); print("bound",flush=True)
print(s.recv(65536).decode(),flush=True)`;
    const server = Bun.spawn(["python3", "-c", script, path], { stdout: "pipe" });
    while (!existsSync(path)) await Bun.sleep(5);
    await using lb = weir([
      "serve",
      await configFile(folder.path, app.port, { accessLog: { to: `syslog:unix:${path}` } }),
    ]);
    await using client = await clientOf(lb);
    await client.ask(get("/by-socket"));
    const text = await new Response(server.stdout).text();
    expect(text).toMatch(/\n<134>1 \S+ \S+ weir \d+ access - \{"time":.*"target":"\/by-socket"/);
  });
});

describe.if(ROOT)("started as root", () => {
  test("workers open the log as the user that they run as; where it may not, Weir does not start", async () => {
    using folder = temporaryFolder();
    await using app = backend();
    const open = `${folder.path}/open`;
    await Bun.write(`${open}/x`, "");
    chmodSync(folder.path, 0o755);
    chmodSync(open, 0o777);
    const to = `${open}/access.log`;
    const file = await configFile(folder.path, app.port, { user: "nobody", accessLog: { to } });
    {
      await using lb = weir(["serve", file]);
      await using client = await clientOf(lb);
      await client.ask(get("/as-nobody"));
      await client[Symbol.asyncDispose]();
      await ended(lb);
      expect([targetsIn(to), statSync(to).uid === 0, statSync(to).mode & 0o777]).toEqual([
        ["/as-nobody"],
        false,
        0o640,
      ]);
    }
    chmodSync(open, 0o755);
    await configFile(folder.path, app.port, { user: "nobody", accessLog: { to: `${open}/other.log` } });
    await using refused = weir(["serve", file]);
    expect((await refused.exited).code).toBe(1);
    expect(refused.stderr).toContain("EACCES");
    expect(refused.stderr).toContain("as whom workers run");
  });
});
