import { METRICS_TYPE, metricsParts } from "./metrics/text.ts";
import type { Running } from "./running.ts";

/**
 * The metrics as an answer that is written part by part: whoever scrapes ten thousand backends keeps nobody waiting.
 * @param exclude names of families to leave out; one that there is not leaves out nothing
 */
export function metricsAnswer(running: Running, exclude: readonly string[] = []): Response {
  const parts = metricsParts(running, new Set(exclude));
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = parts.next();
      if (done === true) return controller.close();
      controller.enqueue(encoder.encode(value));
      // Whatever else waits has its turn first.
      await new Promise((resolve) => setImmediate(resolve));
    },
  });
  return new Response(body, { headers: { "content-type": METRICS_TYPE } });
}
