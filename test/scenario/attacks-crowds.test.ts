import { expect, test } from "bun:test";
import { openFiles } from "../fixtures/open-files.ts";
import { ownProcess } from "../fixtures/own-process.ts";
import { connectRaw, type RawConnection } from "../fixtures/raw.ts";

// A thousand at once that are slow in one way, and normal clients beside them. Silent ones are in `silent-clients.test.ts`.

/** Opened at a time: the queue of a listener holds no more than some hundreds on many systems. */
const BATCH = 100;
const MOST = 1000;
const TEST_MS = 90_000;
const KIB = 1024;
/** A response that no buffer of the system holds whole. */
const RESPONSE = Buffer.alloc(16_000_000, "r");

/** A backend that answers `GET /` at once, sends as much as is taken of a large response to `GET /large`, and waits for the end of anything else. */
function server(): { readonly port: number; readonly opened: () => number; [Symbol.dispose](): void } {
  interface Sending {
    at: number;
    end: number;
  }
  let opened = 0;
  const go = (socket: Bun.Socket<Sending>): void => {
    const { data } = socket;
    if (data.at < data.end) data.at += Math.max(0, socket.write(RESPONSE, data.at, data.end - data.at));
  };
  const listener = Bun.listen<Sending>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        opened += 1;
        socket.data = { at: 0, end: 0 };
      },
      data(socket, bytes) {
        const text = bytes.toString("latin1");
        if (text.startsWith("GET /large")) {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${RESPONSE.length}\r\n\r\n`);
          socket.data.end = RESPONSE.length;
          go(socket);
        } else if (text.startsWith("GET /")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      },
      drain: go,
      error() {},
    },
  });
  return { port: listener.port, opened: () => opened, [Symbol.dispose]: () => listener.stop(true) };
}

interface Crowd {
  readonly what: string;
  readonly count: number;
  /** What each of them sends at first. */
  readonly first: string;
  /** What each of them sends with every look at the others; empty for nothing. */
  readonly drip: string;
  readonly reads: boolean;
  /** Whether each holds a connection to the backend. */
  readonly backends: boolean;
  /** Memory of Weir for each of them: what it keeps of a head, of one read, and what the runtime has of two sockets. */
  readonly mostBytes: number;
}

const CROWDS: readonly Crowd[] = [
  {
    what: "whose heads drip in",
    count: MOST,
    first: `GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(16 * KIB)}`,
    drip: "y",
    reads: true,
    backends: false,
    mostBytes: 96 * KIB,
  },
  {
    what: "whose bodies drip in",
    count: MOST,
    first: "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
    drip: "y",
    reads: true,
    backends: true,
    mostBytes: 96 * KIB,
  },
  {
    what: "who do not read their responses",
    // The buffers of the system alone are megabytes for each.
    count: MOST / 5,
    first: "GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
    drip: "",
    reads: false,
    backends: true,
    // One read of Bun's, 512 KiB, twice while it is handed on.
    mostBytes: 1280 * KIB,
  },
];

for (const { what, count, first, drip, reads, backends, mostBytes } of CROWDS)
  test.skipIf(openFiles() < 3 * MOST)(
    `${count} clients ${what} do not keep others from being served, and cost bounded memory each`,
    async () => {
      using app = server();
      await using lb = await ownProcess({ backends: [app.port], timeouts: { headMs: 600_000, bodyMs: 600_000 } });
      await using stack = new AsyncDisposableStack();
      const normal = stack.use(await connectRaw(lb.port));
      let answers = 0;
      const serve = async (): Promise<void> => {
        normal.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        answers += 1;
        await normal.until(({ text }) => text.split("ok").length > answers);
      };
      for (let i = 0; i < 50; i++) await serve();
      const before = await lb.stats(true);

      const crowd: RawConnection[] = [];
      while (crowd.length < count) {
        const batch = await Promise.all(Array.from({ length: BATCH }, () => connectRaw(lb.port)));
        for (const each of batch) {
          stack.use(each);
          if (!reads) each.pause();
          each.send(first);
        }
        crowd.push(...batch);
        await serve();
      }
      await lb.until((now) => now.clients === count + 1 && (!backends || now.backends >= count));
      for (let i = 0; i < 50; i++) {
        if (drip !== "") for (const each of crowd) each.send(drip);
        await serve();
      }
      const { rss } = await lb.stats(true);
      expect((rss - before.rss) / count).toBeLessThan(mostBytes);
      // All of them stood there the whole time.
      expect(crowd.filter(({ closed, ended }) => closed || ended)).toEqual([]);

      for (const each of crowd) each.reset();
      await lb.until(({ clients, inFlight }) => clients === 1 && inFlight === 0);
      await serve();
    },
    TEST_MS,
  );
