import { expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { WebSocketPeer } from "../fixtures/websocket-peer.ts";
import { childrenOf, weir, type WeirProcess } from "../fixtures/weir-process.ts";

/** Weir between clients and servers that speak WebSocket by the package `ws`, each a process of its own. */
interface Between extends AsyncDisposable {
  readonly lb: WeirProcess;
  readonly clients: WebSocketPeer;
  readonly server: WebSocketPeer;
  /** Where Weir accepts. */
  readonly address: string;
  /** Opens a connection and waits until both sides have it. */
  open(id: string): Promise<void>;
}

async function between(): Promise<Between> {
  const stack = new AsyncDisposableStack();
  const server = stack.use(new WebSocketPeer());
  const clients = stack.use(new WebSocketPeer());
  server.tell({ kind: "serve" });
  const { port } = await server.take("listening", "");
  const lb = stack.use(weir(["serve", "--listen", "127.0.0.1:0", "--to", `127.0.0.1:${port}`, "--workers", "2"]));
  const address = await lb.address();
  return {
    lb,
    clients,
    server,
    address,
    async open(id) {
      clients.tell({ kind: "connect", id, address });
      await Promise.all([clients.take("open", id), server.take("open", id)]);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** RFC 6455 §4.2.2: what a server answers to a client's key. */
function acceptOf(key: string): string {
  return new Bun.CryptoHasher("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

test("the handshake passes untouched both ways, and with it the choice of a subprotocol", async () => {
  await using all = await between();
  const { clients, server, address } = all;
  const id = "/chat?room=1";
  clients.tell({ kind: "connect", id, address, protocols: ["one.example", "two.example"] });
  const [atClient, atServer, accepted] = await Promise.all([
    clients.take("open", id),
    server.take("open", id),
    server.take("accepted", id),
  ]);
  const names = ["key", "version", "extensions", "protocol"].map((name) => `sec-websocket-${name}`);
  const sent = Object.fromEntries(
    Object.entries(atClient.sent ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const pick = (fields: Readonly<Record<string, unknown>> = {}): unknown[] => names.map((name) => fields[name]);
  expect(pick(sent)).toEqual([
    expect.any(String),
    13,
    expect.stringContaining("permessage-deflate"),
    expect.any(String),
  ]);
  expect(pick(atServer.headers).map(String)).toEqual(pick(sent).map(String));
  expect(atServer.headers).toMatchObject({ upgrade: "websocket", connection: "Upgrade" });

  const accept = acceptOf(String(sent["sec-websocket-key"]));
  expect(accepted.lines).toContain(`Sec-WebSocket-Accept: ${accept}`);
  expect(atClient.headers).toMatchObject({
    "sec-websocket-accept": accept,
    "sec-websocket-protocol": "two.example",
    upgrade: "websocket",
    connection: "Upgrade",
  });
  expect(atClient.protocol).toBe("two.example");
});

test("text and bytes, whole and in fragments, pings and pongs pass both ways", async () => {
  await using all = await between();
  const { clients, server, open } = all;
  await open("/chat");
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256)).toString("base64");
  for (const [from, to] of [
    [clients, server],
    [server, clients],
  ] as const) {
    from.tell({ kind: "send", id: "/chat", binary: false, parts: ["grüß dich, 世界"] });
    from.tell({ kind: "send", id: "/chat", binary: true, parts: [bytes] });
    from.tell({ kind: "send", id: "/chat", binary: false, parts: ["in ", "", "three parts"] });
    from.tell({ kind: "send", id: "/chat", binary: false, parts: [""] });
    expect(await to.take("message", "/chat")).toMatchObject({ binary: false, text: "grüß dich, 世界" });
    expect(await to.take("message", "/chat")).toMatchObject({ binary: true, text: bytes });
    expect(await to.take("message", "/chat")).toMatchObject({ binary: false, text: "in three parts" });
    expect(await to.take("message", "/chat")).toMatchObject({ binary: false, text: "" });
    from.tell({ kind: "ping", id: "/chat", text: "are you there?" });
    expect(await to.take("ping", "/chat")).toMatchObject({ text: "are you there?" });
    expect(await from.take("pong", "/chat")).toMatchObject({ text: "are you there?" });
  }
});

test("a close passes with its code and reason, an abrupt end as one without, whoever begins", async () => {
  await using all = await between();
  const { clients, server, open } = all;
  for (const [name, from, to] of [
    ["client", clients, server],
    ["server", server, clients],
  ] as const) {
    await open(`/${name}-closes`);
    from.tell({ kind: "close", id: `/${name}-closes`, code: 4001, reason: `the ${name} has enough` });
    for (const side of [to, from]) {
      const { code, reason } = await side.take("close", `/${name}-closes`);
      expect([code, reason]).toEqual([4001, `the ${name} has enough`]);
    }
    await open(`/${name}-goes`);
    from.tell({ kind: "terminate", id: `/${name}-goes` });
    // RFC 6455 §7.1.5: 1006 where no close frame came.
    expect(await to.take("close", `/${name}-goes`)).toMatchObject({ code: 1006 });
  }
});

/** Ports of the clients whose connections a worker holds, as the system tells it (proc_pid_fd(5), proc_net_tcp(5)). */
function clientPortsOf(pid: number, listening: number): Set<number> {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      } catch {
        return undefined; // closed meanwhile
      }
    }),
  );
  const portOf = (address = ""): number => Number.parseInt(address.split(":")[1] ?? "", 16);
  return new Set(
    readFileSync("/proc/net/tcp", "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , , , , , , , inode]) => portOf(local) === listening && own.has(inode))
      .map(([, , remote]) => portOf(remote))
      .filter((remote) => remote !== 0), // the listening socket's own line
  );
}

const CONNECTIONS = 1000;

test.if(process.platform === "linux")(
  `${CONNECTIONS} connections echo; when a worker is killed only its own end, and its replacement takes new ones`,
  async () => {
    await using all = await between();
    const { lb, clients, server, address } = all;
    const port = Number(address.split(":")[1]);

    /** Opens connections all at once. @returns their clients' ports by their names */
    const opened = async (ids: readonly string[]): Promise<Map<string, number>> => {
      for (const id of ids) clients.tell({ kind: "connect", id, address });
      const ports = ids.map(async (id) => [id, (await clients.take("open", id)).port ?? 0] as const);
      return new Map(await Promise.all(ports));
    };
    // The lengths of RFC 6455 §5.2 change at 126 and at 65,536 bytes; every fortieth sends the largest too.
    const begin = (ids: Iterable<string>): void => {
      let turn = 0;
      for (const id of ids) {
        clients.tell({ kind: "echo", id, sizes: [1, 125, 126, 5000, ...(turn++ % 40 === 0 ? [65_535, 65_536] : [])] });
      }
    };
    const echoed = async (ids: Iterable<string>): Promise<void> => {
      const answers = await Promise.all([...ids].map((id) => clients.take("echoed", id)));
      expect(answers.filter(({ right }) => right !== true)).toEqual([]);
    };

    const ports = await opened(Array.from({ length: CONNECTIONS }, (_, i) => `/echo/${i}`));
    begin(ports.keys());
    await echoed(ports.keys());

    const [victim = 0, other = 0] = childrenOf(lb.pid);
    const [lost, kept] = [clientPortsOf(victim, port), clientPortsOf(other, port)];
    expect([...ports.values()].filter((at) => lost.has(at) === kept.has(at))).toEqual([]);
    expect(lost.size + kept.size).toBe(CONNECTIONS);
    const named = (which: ReadonlySet<number>): string[] =>
      [...ports].flatMap(([id, at]) => (which.has(at) ? [id] : []));
    const [losers, keepers] = [named(lost), named(kept)];
    expect(Math.min(losers.length, keepers.length)).toBeGreaterThan(0);

    begin(keepers); // on their way while it happens
    process.kill(victim, "SIGKILL");
    for (const side of [clients, server]) {
      const ends = await Promise.all(losers.map((id) => side.take("close", id)));
      expect(new Set(ends.map(({ code }) => code))).toEqual(new Set([1006]));
    }
    await echoed(keepers);
    const { pid } = await lb.event("worker replaced", { replaced: victim });

    const late = await opened(Array.from({ length: 64 }, (_, i) => `/echo/late-${i}`));
    const replacement = clientPortsOf(Number(pid), port);
    expect([...late.values()].filter((at) => replacement.has(at)).length).toBeGreaterThan(0);
    begin([...late.keys(), ...keepers]);
    await echoed([...late.keys(), ...keepers]);
    expect(keepers.filter((id) => clients.has("close", id) || server.has("close", id))).toEqual([]);
  },
);
