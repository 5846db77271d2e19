import { expect, test } from "bun:test";
import { until } from "../fixtures/cluster.ts";
import { ownProcess } from "../fixtures/own-process.ts";
import { connectRaw, rawServer } from "../fixtures/raw.ts";

const SILENT = 10_000;
/** Opened at a time: the queue of the listener holds no more than some hundreds on many systems. */
const BATCH = 200;
const TEST_MS = 90_000;
/** How long a client may be silent. */
const SILENT_MS = 3_600_000;

/** Files that this process may open, and the one that it starts. */
function openFiles(): number {
  const text = Bun.spawnSync(["sh", "-c", "ulimit -n"]).stdout.toString().trim();
  return text === "unlimited" ? Number.POSITIVE_INFINITY : Number(text);
}

for (const mode of ["http", "tcp"] as const) {
  // In TCP mode each client has a backend, whose other end is here too; both tests run at once.
  const count = mode === "http" ? SILENT : SILENT / 4;
  const files = SILENT + 2 * (SILENT / 4);
  test.skipIf(openFiles() < files + 500).concurrent(
    `${count} silent connections do not keep Weir from serving others, and are closed in time: mode ${mode}`,
    async () => {
      await using server = rawServer({
        onData: (connection) => connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
      });
      // In HTTP mode a silent client is closed by `head`, in TCP mode by `idle`: neither is over before Weir's clock is put ahead.
      const timeouts = { headMs: SILENT_MS, idleMs: SILENT_MS };
      await using weir = await ownProcess({ mode, backends: [server.port], timeouts });
      const serve = async (): Promise<void> => {
        await using client = await connectRaw(weir.port);
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.untilText("ok");
      };
      for (let i = 0; i < 100; i++) await serve();
      await weir.until(({ clients }) => clients === 0);
      const before = await weir.stats(true);

      let closed = 0;
      const events = { data() {}, close: () => void (closed += 1), error() {} };
      for (let opened = 0; opened < count; opened += BATCH) {
        await Promise.all(
          Array.from({ length: BATCH }, () => Bun.connect({ hostname: "127.0.0.1", port: weir.port, socket: events })),
        );
        await serve();
      }
      const full = await weir.until(({ clients }) => clients >= count || closed > 0);
      expect([full.clients >= count, closed]).toEqual([true, 0]);
      console.log(
        `mode ${mode}: ${((full.rss - before.rss) / 1024 / count).toFixed(1)} KiB of memory for each of ${count} idle clients`,
      );
      await serve();

      await weir.pass(SILENT_MS);
      const over = await weir.until(({ clients }) => clients === 0);
      expect(over.inFlight).toBe(0);
      await until(() => closed >= count);
      await serve();
    },
    TEST_MS,
  );
}
