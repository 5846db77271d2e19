import { expect, test } from "bun:test";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { gone, weir } from "../fixtures/weir-process.ts";

/** Answers with its name, echoes over WebSockets, and sends `/long` piece by piece for a second. */
function namedBackend(name: string): { readonly address: string } & Disposable {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 60,
    async fetch(request, self) {
      if (self.upgrade(request)) return undefined;
      if (request.method === "POST") return new Response(String((await request.text()).length));
      if (!request.url.endsWith("/long")) return new Response(name);
      const pieces = async function* (): AsyncGenerator<string> {
        for (let i = 0; i < 50; i++) {
          yield "piece ".repeat(100);
          await Bun.sleep(20);
        }
      };
      return new Response(pieces());
    },
    websocket: {
      message(socket, message) {
        socket.send(message);
      },
    },
  });
  return { address: `127.0.0.1:${server.port}`, [Symbol.dispose]: () => void server.stop(true) };
}

/** Clients of every kind, at work until they are told to stop. */
class Load {
  stopped = false;
  done = 0;
  readonly failed: string[] = [];
  readonly #clients: Promise<void>[] = [];

  constructor(address: string) {
    const ask = async (path: string, init: RequestInit, right: (text: string) => boolean): Promise<void> => {
      const response = await fetch(`http://${address}${path}`, init);
      const text = await response.text();
      if (!response.ok || !right(text)) this.failed.push(`${path} ${response.status} ${text.slice(0, 100)}`);
    };
    const isName = (text: string): boolean => /^[abc]$/.test(text);
    this.#repeat(() => ask("/", {}, isName));
    this.#repeat(() => ask("/", { headers: { connection: "close" }, keepalive: false }, isName));
    this.#repeat(() => ask("/long", {}, (text) => text.length === 30_000));
    const body = "x".repeat(300_000);
    this.#repeat(() => ask("/up", { method: "POST", body }, (text) => text === "300000"));
    for (let i = 0; i < 3; i++) this.#clients.push(this.#webSocket(address));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.#clients);
  }

  #repeat(ask: () => Promise<void>): void {
    const run = async (): Promise<void> => {
      while (!this.stopped) {
        await ask().catch((error: unknown) => this.failed.push(String(error)));
        this.done += 1;
      }
    };
    this.#clients.push(run());
  }

  /** One connection for the whole time. */
  #webSocket(address: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = new WebSocket(`ws://${address}/socket`);
    let turn = 0;
    socket.addEventListener("open", () => socket.send(`${turn}`));
    socket.addEventListener("message", ({ data }) => {
      if (data !== `${turn}`) this.failed.push(`a WebSocket got ${data} for ${turn}`);
      turn += 1;
      if (this.stopped) socket.close();
      else setTimeout(() => socket.send(`${turn}`), 5);
    });
    socket.addEventListener("close", ({ code }) => {
      if (!this.stopped) this.failed.push(`a WebSocket was closed with ${code} after ${turn} turns`);
      resolve();
    });
    return promise;
  }
}

test("under load of every kind 40 reloads and an upgrade fail no request and close no WebSocket", async () => {
  using folder = temporaryFolder();
  using a = namedBackend("a");
  using b = namedBackend("b");
  using c = namedBackend("c");
  const file = `${folder.path}/weir.json`;
  const route = { path: "/socket", pool: "sockets" };
  const config = (pool: object, more: object = {}, routes: readonly object[] = []): object => ({
    workers: 2,
    admin: "off",
    stateFolder: folder.path,
    listeners: { main: { address: "127.0.0.1:0", routes: [route, ...routes, { pool: "app" }] }, ...more },
    pools: { app: pool, sockets: { backends: [a.address] } },
  });
  const two = { backends: [a.address, b.address] };
  const variants = [
    config(two),
    config({ backends: [a.address, b.address, c.address] }),
    config({ ...two, policy: "two-choices" }),
    config({ backends: [b.address, c.address] }),
    config(two, { more: { address: "127.0.0.1:0", pool: "app" } }),
    config(two, {}, [{ path: "/up", pool: "sockets" }]),
    config({ ...two, limits: { maxInFlight: 100 } }),
    config({ ...two, affinity: true }),
  ];
  const write = (variant: object | undefined): Promise<number> => Bun.write(file, JSON.stringify(variant));
  await write(variants[0]);
  await using lb = weir(["serve", file]);
  const address = await lb.address();
  await lb.event("worker started", { worker: 1 });
  const load = new Load(address);
  for (let i = 1; i <= 40; i++) {
    await write(variants[i % variants.length]);
    lb.signal("SIGHUP");
    await lb.nth(["configuration in force", "configuration refused"], i - 1);
  }
  expect(load.failed).toEqual([]);
  lb.signal("SIGUSR2");
  const next = Number((await lb.event("upgrade done"))["pid"]);
  try {
    await lb.event("drain begun");
    const enough = load.done + 50;
    while (load.done < enough) await Bun.sleep(5);
    expect(load.failed).toEqual([]);
    await load.stop();
    expect(await lb.exited).toEqual({ code: 0, signal: null });
    expect(lb.log.filter(({ level, event }) => level !== "info" && event !== "workers run as root")).toEqual([]);
  } finally {
    process.kill(next, "SIGKILL");
    await gone(next);
  }
});
