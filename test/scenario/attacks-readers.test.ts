import { expect, test } from "bun:test";
import { join } from "node:path";
import { openFiles } from "../fixtures/open-files.ts";
import { ownProcess } from "../fixtures/own-process.ts";
import { connectRaw, type RawConnection } from "../fixtures/raw.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

// Over unix sockets, whose buffers are small: over TCP those of the system alone are megabytes for each reader.

const READERS = 1200;
/** Opened at a time: the queue of a listener holds no more than some hundreds on many systems. */
const BATCH = 100;
const TEST_MS = 90_000;
const KIB = 1024;
/** What a reader takes at a time: it reads on and on, and never fast. */
const SIPS = 5;
/** More than all buffers on the way hold. */
const RESPONSE = Buffer.alloc(4 * 2 ** 20, "r");
/** One read of what a unix socket holds, twice while it is handed on, and what the runtime has of two sockets. */
const MOST_BYTES = 700 * KIB;

/** A backend on a unix socket: `GET /` at once, and of `GET /large` as much as is taken. */
function server(unix: string): { readonly sent: () => number; [Symbol.dispose](): void } {
  let sent = 0;
  const go = (socket: Bun.Socket<{ at: number }>): void => {
    const { data } = socket;
    if (data.at >= RESPONSE.length) return;
    const taken = Math.max(0, socket.write(RESPONSE, data.at, RESPONSE.length - data.at));
    data.at += taken;
    sent += taken;
  };
  const listener = Bun.listen<{ at: number }>({
    unix,
    socket: {
      open(socket) {
        socket.data = { at: RESPONSE.length };
      },
      data(socket, bytes) {
        if (bytes.toString("latin1").startsWith("GET /large")) {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${RESPONSE.length}\r\n\r\n`);
          socket.data.at = 0;
          go(socket);
        } else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      },
      drain: go,
      error() {},
    },
  });
  return { sent: () => sent, [Symbol.dispose]: () => listener.stop(true) };
}

test.skipIf(openFiles() < 3 * READERS)(
  `${READERS} readers of a large response who read slowly cost bounded memory each, and every request of others is answered`,
  async () => {
    using folder = temporaryFolder();
    const [inside, outside] = [join(folder.path, "app"), join(folder.path, "weir")];
    using app = server(inside);
    await using lb = await ownProcess({
      address: `unix:${outside}`,
      backends: [`unix:${inside}`],
      timeouts: { bodyMs: 600_000 },
    });
    await using stack = new AsyncDisposableStack();
    const normal = stack.use(await connectRaw(outside));
    let answers = 0;
    const serve = async (): Promise<void> => {
      normal.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      answers += 1;
      await normal.until(({ text }) => text.split("ok").length > answers);
    };
    for (let i = 0; i < 50; i++) await serve();
    const before = await lb.stats(true);

    const readers: RawConnection[] = [];
    while (readers.length < READERS) {
      const batch = await Promise.all(Array.from({ length: BATCH }, () => connectRaw(outside)));
      for (const each of batch) {
        stack.use(each);
        each.countOnly = true;
        each.pause();
        each.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
      }
      readers.push(...batch);
      await serve();
    }
    await lb.until(({ clients, backends }) => clients === READERS + 1 && backends >= READERS);
    for (let sip = 0; sip < SIPS; sip++) {
      // A tenth of them reads once, and stops again.
      for (let i = sip; i < READERS; i += 10) {
        const reader = readers[i]!;
        const had = reader.bytes;
        reader.resume();
        await reader.until(({ bytes }) => bytes > had);
        reader.pause();
      }
      await serve();
    }
    const { rss } = await lb.stats(true);
    expect((rss - before.rss) / READERS).toBeLessThan(MOST_BYTES);
    // Nobody was closed, and what they have not read the backend has not been asked for.
    expect(readers.filter(({ closed, ended }) => closed || ended)).toEqual([]);
    expect(app.sent()).toBeLessThan((READERS * RESPONSE.length) / 2);

    for (const each of readers) each.reset();
    await lb.until(({ clients, inFlight }) => clients === 1 && inFlight === 0);
    await serve();
  },
  TEST_MS,
);
