import { follow, type Following } from "../src/admin/follow.ts";
import { type LiveBackend, type LivePool, LiveView } from "../src/admin/live-view.ts";
import type { EventView } from "../src/admin/model.ts";
import type { LiveShape, LiveTick } from "../src/admin/model-live.ts";
import type { BackendPatch } from "../src/admin/model-writes.ts";
import { openStream, patchBackend } from "./api.ts";
import { BackendTable } from "./backend-table.ts";
import { Charts } from "./charts.ts";
import { Details } from "./details.ts";
import { byId, say } from "./dom.ts";
import { EventList } from "./event-list.ts";
import { Lanes } from "./lanes.ts";
import { PoolList } from "./pool-list.ts";
import { StatusBar } from "./status.ts";
import { themeButton } from "./theme.ts";
import { askToken } from "./token.ts";

/** Ticks come once a second; beyond this the other end is taken for gone, also where nobody said so. */
const SILENCE_MS = 6000;
/** On the stream of events a comment comes every 15 s. */
const EVENTS_SILENCE_MS = 40_000;

const view = new LiveView();
const status = new StatusBar();
const pools = new PoolList(byId("pools", HTMLElement));
const charts = new Charts(byId("chart-rate", HTMLElement), byId("chart-latency", HTMLElement));
const lanes = new Lanes(byId("lanes", HTMLElement));
const table = new BackendTable(byId("backends", HTMLElement), change);
const events = new EventList(byId("events", HTMLElement));
const details = new Details((pool) => {
  table.explain(pool);
  if (chosen()?.name === pool.name) show();
});
const persist = byId("persist", HTMLInputElement);
const said = byId("said", HTMLElement);
let states = "";

/** The pool that the address names, otherwise the first. */
function chosen(): LivePool | undefined {
  const wanted = location.hash.slice(1);
  return view.pools.find(({ name }) => encodeURIComponent(name) === wanted) ?? view.pools[0];
}

/** Shows what is known now. */
function show(): void {
  const pool = chosen();
  pools.show(view.pools, pool?.name ?? "");
  status.show(view);
  if (pool === undefined) {
    say(byId("pool-name", HTMLElement), view.shape === null ? "\u00a0" : "No pools");
    say(byId("pool-about", HTMLElement), view.shape === null ? "\u00a0" : "The configuration has none.");
    return;
  }
  say(byId("pool-name", HTMLElement), pool.name);
  const { backends, policy, waiting, panic } = pool;
  const about = [
    `${backends.length} ${backends.length === 1 ? "backend" : "backends"}`,
    policy,
    `${pool.inFlight} in flight`,
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
    ...(panic ? ["panic: too few are healthy, all get work"] : []),
  ];
  say(byId("pool-about", HTMLElement), about.join(" · "));
  charts.show(view.timeline(), pool);
  lanes.show(pool);
  table.show(pool);
  details.follow(pool.name);
  const now = backends.map(({ state }) => state).join();
  if (now !== states) details.soon(); // why, and since when
  states = now;
}

function speak(text: string, bad: boolean): void {
  said.hidden = false;
  said.dataset["bad"] = String(bad);
  say(said, text);
  clearTimeout(hush);
  hush = setTimeout(() => (said.hidden = true), bad ? 12_000 : 4000);
}
let hush: ReturnType<typeof setTimeout> | undefined;

async function change(backend: LiveBackend, patch: Omit<BackendPatch, "persist">): Promise<void> {
  const answer = await patchBackend(backend.pool, backend.id, { ...patch, persist: persist.checked });
  const what = patch.state === undefined ? `weight ${patch.weight ?? ""}` : patch.state;
  if ("value" in answer) speak(`${backend.pool}/${backend.id}: ${what}`, false);
  else if (answer.status === 401) tokenWanted();
  else speak(`${backend.pool}/${backend.id} was not changed. ${answer.problem}`, true);
  details.soon();
}

function tokenWanted(): void {
  askToken(() => {
    live.retry();
    eventStream?.retry();
  });
}

const live: Following = follow({
  open: (_lastId, signal) => openStream("/v1/live", "", signal),
  silenceMs: SILENCE_MS,
  state: (state) => {
    if (state.kind === "open") view.restart();
    if (state.kind === "denied") tokenWanted();
    status.connection(state);
  },
  event: ({ event, data }) => {
    if (event === "shape") view.reshape(JSON.parse(data) as LiveShape);
    else if (event === "tick") {
      view.advance(JSON.parse(data) as LiveTick);
      if (!document.hidden) show();
    }
  },
});

let eventStream: Following | null = null;
let lastEvent = "";

/**
 * Follows the events while the page can be seen; what came meanwhile is told afterwards. A browser has six connections for an origin, over all
 * of its tabs: two for each that nobody looks at would leave none for what is read and written.
 */
function followEvents(): void {
  if (document.hidden) {
    eventStream?.close();
    eventStream = null;
    return;
  }
  eventStream ??= follow({
    open: (lastId, signal) => openStream("/v1/events", lastId === "" ? lastEvent : lastId, signal),
    silenceMs: EVENTS_SILENCE_MS,
    state: () => {},
    event: ({ data, id }) => {
      lastEvent = id;
      events.add(JSON.parse(data) as EventView);
    },
  });
}
followEvents();

themeButton(byId("theme", HTMLButtonElement), () => {
  charts.dress();
  lanes.dress();
});
byId("only-troubled", HTMLInputElement).addEventListener("change", ({ currentTarget }) => {
  table.onlyTroubled = currentTarget instanceof HTMLInputElement && currentTarget.checked;
});
addEventListener("hashchange", show);
document.addEventListener("visibilitychange", () => {
  followEvents();
  if (!document.hidden) show();
});
