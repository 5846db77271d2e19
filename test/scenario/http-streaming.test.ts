import { expect, setDefaultTimeout, test } from "bun:test";
import { until } from "../fixtures/cluster.ts";
import { weir } from "../fixtures/http.ts";
import { patternHash, StreamPeer, streamServer, streamTo } from "../fixtures/stream.ts";

// A busy machine is slow, not wrong.
setDefaultTimeout(120_000);

const MB = 1_000_000;
const TOTAL = 64 * MB;
/**
 * What may be under way at most: the buffers of the system on four sockets (6 MB to receive and 4 MB to send each, as
 * Linux sizes them at most) and a read or two of Weir. Far below `TOTAL`, which it would be were anything collected.
 */
const UNDER_WAY = 32 * MB;

/** Reads slowly: stops each time it has something, and goes on when the sender has stopped for want of room. */
function readSlowly(reader: StreamPeer, sender: StreamPeer, gap: (bytes: number) => void): () => void {
  let before = -1;
  const look = setInterval(() => {
    if (sender.pushed === before) reader.resume();
    before = sender.pushed;
  }, 10);
  reader.onEvent = () => {
    if (reader.got > 0) reader.pause();
    gap(sender.pushed - reader.got);
  };
  sender.onEvent = () => gap(sender.pushed - reader.got);
  return () => clearInterval(look);
}

/** Waits as long as the test may take: so many bytes are slow on a slow machine. */
async function untilPassed(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(2);
}

test("a response of 64 MB passes to a slow reader, every byte right, and is not collected", async () => {
  const app = new StreamPeer();
  using server = streamServer(app);
  await using lb = weir({ backends: [server.port] });
  const user = await streamTo(lb.port);
  let most = 0;
  const stop = readSlowly(user, app, (bytes) => (most = Math.max(most, bytes)));
  user.stream("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0);
  await until(() => app.head.endsWith("\r\n\r\n"));
  app.stream(`HTTP/1.1 200 OK\r\nContent-Length: ${TOTAL}\r\n\r\n`, TOTAL);
  await untilPassed(() => user.got === TOTAL);
  stop();
  expect(user.digest).toBe(patternHash(TOTAL));
  expect(most).toBeLessThan(UNDER_WAY);
  user.terminate();
  app.terminate();
});

test("an upload of 64 MB passes to a slow backend, every byte right, and is not collected", async () => {
  const app = new StreamPeer();
  using server = streamServer(app);
  await using lb = weir({ backends: [server.port] });
  const user = await streamTo(lb.port);
  let most = 0;
  const stop = readSlowly(app, user, (bytes) => (most = Math.max(most, bytes)));
  user.stream(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${TOTAL}\r\n\r\n`, TOTAL);
  await untilPassed(() => app.got === TOTAL);
  stop();
  expect(app.digest).toBe(patternHash(TOTAL));
  expect(most).toBeLessThan(UNDER_WAY);
  app.stream("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0);
  await until(() => user.head.endsWith("\r\n\r\n"));
  user.terminate();
  app.terminate();
});

test("an upload and a download of 32 MB pass at once, every byte right", async () => {
  const half = TOTAL / 2;
  const app = new StreamPeer();
  using server = streamServer(app);
  await using lb = weir({ backends: [server.port] });
  const user = await streamTo(lb.port);
  user.stream(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${half}\r\n\r\n`, half);
  await until(() => app.head.endsWith("\r\n\r\n"));
  // The end of the response waits for that of the request: a response that is complete ends its exchange.
  app.stream(`HTTP/1.1 200 OK\r\nContent-Length: ${half + 4}\r\n\r\n`, half);
  await untilPassed(() => user.got === half && app.got === half);
  expect([user.digest, app.digest]).toEqual([patternHash(half), patternHash(half)]);
  app.stream("done", half);
  await until(() => user.got === half + 4);
  user.terminate();
  app.terminate();
});

test("large bodies of an ordinary server and client pass in chunks, with many requests at a time", async () => {
  const size = 3 * MB;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const body = await request.bytes();
      // A stream has no length that is known: it is sent in chunks.
      return new Response(
        new ReadableStream({
          start(controller) {
            for (let at = 0; at < body.length; at += 100_000) controller.enqueue(body.subarray(at, at + 100_000));
            controller.close();
          },
        }),
      );
    },
  });
  await using lb = weir({ backends: [server.port ?? 0] });
  const body = Buffer.alloc(size, "0123456789abcdef!");
  const hash = Bun.SHA256.hash(body, "hex");
  const hashes = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const response = await fetch(lb.url, { method: "POST", body, keepalive: false });
      expect(response.headers.get("transfer-encoding")).toBe("chunked");
      return Bun.SHA256.hash(await response.bytes(), "hex");
    }),
  );
  expect(new Set(hashes)).toEqual(new Set([hash]));
  await server.stop(true);
});
