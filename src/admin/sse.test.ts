import { expect, test } from "bun:test";
import { connectRaw } from "../../test/fixtures/raw.ts";
import { serveHttp } from "./serve.ts";
import { eventStream, type Stream } from "./sse.ts";

/** A server of one stream, and what becomes of it. */
async function streaming(): Promise<{
  readonly port: number;
  readonly begun: Promise<Stream>;
  readonly ended: Promise<void>;
  close(): Promise<void>;
}> {
  const begun = Promise.withResolvers<Stream>();
  const ended = Promise.withResolvers<void>();
  const served = await serveHttp({ kind: "tcp", host: "127.0.0.1", port: 0 }, async (request) =>
    eventStream(request.signal, (stream) => {
      begun.resolve(stream);
      return () => ended.resolve();
    }),
  );
  const port = served.address.kind === "tcp" ? served.address.port : 0;
  return { port, begun: begun.promise, ended: ended.promise, close: () => served.close() };
}

test("events have their form, and a reader that goes away ends it", async () => {
  const server = await streaming();
  const gone = new AbortController();
  const response = await fetch(`http://127.0.0.1:${server.port}/`, { signal: gone.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const stream = await server.begun;
  stream.send("tick", { a: "line\nbreak" }, 7);
  stream.send("tock", 1);
  const reader = response.body!.getReader();
  let text = "";
  while (!text.includes("tock")) text += new TextDecoder().decode((await reader.read()).value);
  expect(text).toBe('retry: 1000\n\nid: 7\nevent: tick\ndata: {"a":"line\\nbreak"}\n\nevent: tock\ndata: 1\n\n');
  gone.abort();
  await server.ended;
  await server.close();
});

test("a reader that does not read is cut off, and what waits for it is bounded", async () => {
  const server = await streaming();
  await using idle = await connectRaw(server.port);
  idle.pause();
  idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const stream = await server.begun;
  const before = process.memoryUsage().rss;
  const over = new AbortController();
  void server.ended.then(() => over.abort());
  const piece = "x".repeat(64 * 1024);
  let sent = 0;
  for (; !over.signal.aborted && sent < 2000; sent++) {
    stream.send("tick", piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  // 125 MiB were on offer.
  expect(over.signal.aborted).toBe(true);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  await server.close();
});
