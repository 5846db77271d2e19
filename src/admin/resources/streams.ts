import { z } from "zod";
import type { WeirEvent } from "../../process/events.ts";
import { type EventView, eventSchema } from "../model.ts";
import { liveShapeSchema, liveTickSchema } from "../model-live.ts";
import type { LiveFeed } from "../live.ts";
import type { Call, Resource } from "../resource.ts";
import { eventStream } from "../sse.ts";

const query = z.object({
  after: z.coerce.number().int().min(0).optional().describe("only events with a higher id; as `Last-Event-ID`"),
  recent: z.coerce
    .number()
    .int()
    .min(0)
    .max(1000)
    .default(100)
    .describe("how many events of before are told first, where nothing says after which"),
  follow: z
    .enum(["true", "false"])
    .default("true")
    .transform((text) => text === "true")
    .describe("false ends the stream after the events of before"),
});

/** What is told as it happens. @param live feeds `/v1/live` */
export function streams(live: LiveFeed): readonly Resource[] {
  return [
    {
      method: "GET",
      path: "/v1/events",
      summary: "Events as they happen, after the latest of before; server-sent events",
      query,
      body: null,
      answer: { kind: "stream", events: { event: eventSchema } },
      handle: (call) => events(call as Call<z.output<typeof query>>),
    },
    {
      method: "GET",
      path: "/v1/live",
      summary: "A snapshot a second for a view that moves; server-sent events",
      query: null,
      body: null,
      answer: { kind: "stream", events: { shape: liveShapeSchema, tick: liveTickSchema } },
      handle: ({ signal }) => eventStream(signal, (stream) => live.watch(stream)),
    },
  ];
}

function events({
  running,
  query: { after, recent, follow },
  headers,
  signal,
}: Call<z.output<typeof query>>): Response {
  const said = headers.get("last-event-id");
  const last = after ?? (said !== null && /^\d{1,15}$/.test(said) ? Number(said) : null);
  const kept = running.events.recent(0);
  // An id that has not been given yet is another process's, whose clock was ahead: all is new. One of a process before is below all that is kept.
  const known = last !== null && last <= (kept.at(-1)?.id ?? 0);
  const before = known
    ? kept.filter(({ id }) => id > last)
    : kept.slice(last === null ? Math.max(0, kept.length - recent) : 0);
  if (!follow) return new Response(before.map(sse).join(""), { headers: { "content-type": "text/event-stream" } });
  return eventStream(signal, (stream) => {
    const tell = (event: WeirEvent): void => stream.send("event", viewOf(event), event.id);
    for (const event of before) tell(event);
    return running.events.subscribe(tell);
  });
}

function sse(event: WeirEvent): string {
  return `id: ${event.id}\nevent: event\ndata: ${JSON.stringify(viewOf(event))}\n\n`;
}

function viewOf({ id, time, level, event, fields }: WeirEvent): EventView {
  return { id, time: new Date(time).toISOString(), level, event, fields };
}
