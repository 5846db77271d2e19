/** Server-sent events to one reader (WHATWG HTML §9.2). */
export interface Stream {
  /** @param id what `Last-Event-ID` resumes with; `null` for none */
  send(event: string, data: unknown, id?: number | null): void;
}

/** A comment that often keeps whatever stands between from taking the stream for dead. */
const ALIVE_MS = 15_000;
/** Bytes that may wait for a reader; one that reads so slowly is cut off, and comes back by itself. */
const MOST_WAITING = 4 * 2 ** 20;

/**
 * A stream of events as an answer.
 * @param begin called at once; what it returns is called when the reader has gone, or is cut off
 * @param signal aborted when the reader has gone
 */
export function eventStream(signal: AbortSignal, begin: (stream: Stream) => () => void): Response {
  const encoder = new TextEncoder();
  let end: () => void = () => {};
  let alive: ReturnType<typeof setInterval> | undefined;
  let open = true;
  const finish = (): void => {
    if (!open) return;
    open = false;
    clearInterval(alive);
    end();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const write = (text: string): void => {
          if (!open) return;
          if ((controller.desiredSize ?? 0) < 0) {
            finish();
            controller.error(new Error("the reader is too slow"));
            return;
          }
          controller.enqueue(encoder.encode(text));
        };
        signal.addEventListener("abort", () => {
          if (!open) return;
          finish();
          try {
            controller.close();
          } catch {
            // Its reader has gone.
          }
        });
        // Tells a reader at once that it is connected, and how soon to come back.
        write("retry: 1000\n\n");
        alive = setInterval(() => write(": alive\n\n"), ALIVE_MS);
        end = begin({
          send(event, data, id = null) {
            const name = id === null ? "" : `id: ${id}\n`;
            write(`${name}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
          },
        });
        if (signal.aborted) finish();
      },
      cancel: finish,
    },
    { highWaterMark: MOST_WAITING, size: (chunk) => chunk?.byteLength ?? 0 },
  );
  return new Response(body, { headers: { "content-type": "text/event-stream", "x-accel-buffering": "no" } });
}
