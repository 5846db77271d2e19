import { follow, type Following, type FollowState } from "../../admin/follow.ts";
import { type LiveBackend, LiveView } from "../../admin/live-view.ts";
import type { EventView } from "../../admin/model.ts";
import type { LiveShape, LiveTick } from "../../admin/model-live.ts";
import type { BackendPatch } from "../../admin/model-writes.ts";
import { WeirError } from "../../errors.ts";
import type { TopApi } from "./api.ts";
import { backendsOf, frame, type TopState } from "./frame.ts";
import { Screen } from "./screen.ts";

/** Ticks come every second, comments on the other stream every 15 s. */
const LIVE_SILENCE_MS = 6000;
const EVENTS_SILENCE_MS = 40_000;
/** More than any terminal shows. */
const MOST_EVENTS = 50;
/** How long it stands what came of a key. */
const SAID_MS = 4000;
/** How long a weight that was asked for is counted on from: two ticks later the view knows what became of it. */
const AIM_MS = 2000;

/** Why a view has ended. */
export type Ended = "quit" | "denied";

/**
 * Shows a running Weir in a terminal until `q`, Ctrl-C or `signal`.
 * @returns `denied` where the API wants a token, or another one
 */
export function runView(api: TopApi, signal: AbortSignal): Promise<Ended> {
  const view = new LiveView();
  const events: EventView[] = [];
  const state: TopState = { chosen: 0, lost: null, events, said: "" };
  const ended = Promise.withResolvers<Ended>();
  let hush: ReturnType<typeof setTimeout> | undefined;
  let aim = { pool: "", id: "", weight: 0, untilMs: 0 };
  /** One after the other, so that the last key has the last word. */
  let writes = Promise.resolve();

  const draw = (): void => {
    state.chosen = Math.max(0, Math.min(state.chosen, backendsOf(view).length - 1));
    screen.show(frame(view, state, screen.size, new Date().toLocaleTimeString("en-GB", { hour12: false })));
  };
  const say = (text: string): void => {
    state.said = text;
    clearTimeout(hush);
    hush = setTimeout(() => {
      state.said = "";
      draw();
    }, SAID_MS);
    draw();
  };
  const change = (patch: (backend: LiveBackend) => BackendPatch): void => {
    const backend = backendsOf(view)[state.chosen];
    if (backend === undefined) return;
    const wanted = patch(backend);
    writes = writes.then(() => api.patch(backend.pool, backend.id, wanted)).then(say);
  };
  const weigh = (by: number): void =>
    change(({ pool, id, weight }) => {
      const now = performance.now();
      const from = aim.pool === pool && aim.id === id && now < aim.untilMs ? aim.weight : weight;
      aim = { pool, id, weight: Math.min(65_535, Math.max(0, from + by)), untilMs: now + AIM_MS };
      return { weight: aim.weight };
    });
  const choose = (by: number): void => {
    state.chosen += by;
    draw();
  };
  const page = (): number => Math.max(1, screen.size.rows - 12);
  const keys: Readonly<Record<string, () => void>> = {
    q: () => ended.resolve("quit"),
    escape: () => ended.resolve("quit"),
    up: () => choose(-1),
    down: () => choose(1),
    k: () => choose(-1),
    j: () => choose(1),
    pageup: () => choose(-page()),
    pagedown: () => choose(page()),
    home: () => choose(-Infinity),
    end: () => choose(Number.MAX_SAFE_INTEGER),
    d: () => change(() => ({ state: "drain" })),
    r: () => change(() => ({ state: "ready" })),
    "+": () => weigh(1),
    "-": () => weigh(-1),
  };
  const screen = new Screen(
    process.stdin,
    process.stdout,
    (name, ctrl) => (ctrl ? (name === "c" ? ended.resolve("quit") : undefined) : keys[name]?.()),
    draw,
  );

  const connection = (now: FollowState): void => {
    if (now.kind === "denied") ended.resolve("denied");
    if (now.kind === "open") view.restart();
    if (now.kind === "lost") state.lost = now.why;
    draw();
  };
  const why = (error: unknown): string | null => (error instanceof WeirError ? error.detail : null);
  const streams: readonly Following[] = [
    follow({
      open: (_lastId, aborted) => api.stream("/v1/live", "", aborted),
      silenceMs: LIVE_SILENCE_MS,
      why,
      state: connection,
      event: ({ event, data }) => {
        if (event === "shape") view.reshape(JSON.parse(data) as LiveShape);
        else if (event === "tick") view.advance(JSON.parse(data) as LiveTick);
        state.lost = null;
        draw();
      },
    }),
    follow({
      open: (lastId, aborted) => api.stream("/v1/events", lastId, aborted),
      silenceMs: EVENTS_SILENCE_MS,
      state: () => {},
      event: ({ data }) => {
        events.push(JSON.parse(data) as EventView);
        if (events.length > MOST_EVENTS) events.shift();
        draw();
      },
    }),
  ];
  signal.addEventListener("abort", () => ended.resolve("quit"));
  draw();
  return ended.promise.finally(() => {
    for (const stream of streams) stream.close();
    clearTimeout(hush);
    screen.close();
  });
}
