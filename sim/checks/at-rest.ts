import { TICK_MS } from "../../src/net/timer-wheel.ts";
import type { Actors } from "../actors/place.ts";
import type { Ledger } from "../ledger.ts";
import type { SimNetwork } from "../network/network.ts";
import type { Setting } from "../setting.ts";
import type { Weir } from "../weir.ts";
import type { World } from "../world.ts";

/** What became of a drain. */
export interface Drained {
  /** When it began; infinite for never. */
  begun: number;
  /** Connections that it had to close. */
  left: number;
  over: boolean;
}

/** What is looked at when nothing happens any more. */
export interface AtRest {
  readonly world: World;
  readonly network: SimNetwork;
  readonly ledger: Ledger;
  readonly setting: Setting;
  readonly weir: Weir;
  readonly actors: Actors;
  readonly drained: Drained;
}

/** At the end nothing is left: no connection, no deadline (or the run would not have ended), nothing in flight. */
export function checkAtRest({ world, network, ledger, setting, weir, actors, drained }: AtRest): void {
  const { workers } = weir;
  const { counters } = weir.shared;
  if (!drained.over) world.violate("the drain is not over");
  for (const [worker, engine] of workers.entries()) {
    const { clients, backends } = engine.connections();
    if (clients !== 0) world.violate(`${clients} clients' connections of worker ${worker} are left`);
    if (backends !== 0) world.violate(`${backends} backends' connections of worker ${worker} are left`);
  }
  for (let row = 0; row < counters.shape.rows; row++) {
    const inFlight = counters.inFlight(row);
    if (inFlight !== 0) world.violate(`${inFlight} are left in flight on row ${row}`);
    const waiting = counters.waiting(row);
    if (waiting !== 0) world.violate(`${waiting} are left in the queue of row ${row}`);
  }
  for (const end of network.ends) if (!end.over) world.violate(`${end.name} is still open at Weir`);
  const last = network.ends.reduce((latest, { overAt }) => Math.max(latest, overAt), 0);
  // The tick in which the last deadline of a connection is forgotten, and one that sees that there is none.
  if (network.lastTick > last + 2 * TICK_MS + leavingMs(setting))
    world.violate(`a deadline was left for ${(network.lastTick - last).toFixed(0)} ms after the last connection`);
  const severed = [...ledger.ends.values()].some((end) => end.severed);
  // A client that nothing reaches any more waits for ever; one that Weir has left knows it.
  if (!severed && setting.clientFaults.stopsReading === 0)
    for (const client of actors.unsettled()) world.violate(`${client} still waits`);
  if (setting.theme === "fair" && drained.left > 0)
    world.violate(`${drained.left} connections had to be closed although all were at work`);
  if (drained.begun < Number.POSITIVE_INFINITY) {
    if (setting.theme === "fair") checkDrained(world, ledger);
  } else if (setting.theme === "fair") {
    for (const { id, outcome } of ledger.asked.values())
      if (outcome !== "answered")
        world.violate(`request ${id} is ${outcome || "not answered"} although nobody did anything wrong`);
  } else if (setting.theme === "idle closes") {
    // A POST that is refused before it has come whole ends its connection, and with it what was to come on it.
    const refused = new Set(
      [...ledger.asked.values()].filter(({ outcome }) => outcome === "refused by weir").map(({ client }) => client),
    );
    for (const { id, client, outcome } of ledger.asked.values())
      if (outcome !== "answered" && !refused.has(client))
        world.violate(`request ${id} is ${outcome || "not answered"} and could have been repeated`);
  }
}

/** Deadlines of what has left a plan are forgotten at the next change, or when their time has come. */
function leavingMs({ turns, plan: { drain } }: Setting): number {
  return turns.length === 0 ? 0 : Math.max(drain.requestsMs, drain.tunnelsMs);
}

/** A drain takes no new work, and loses none that it has. */
function checkDrained(world: World, ledger: Ledger): void {
  const begun = new Set(ledger.executed.map(({ id }) => id));
  for (const { id, outcome } of ledger.asked.values())
    if (outcome === "broken" || (begun.has(id) && outcome !== "answered"))
      world.violate(`request ${id} was at a backend, and the drain left it ${outcome || "unanswered"}`);
}
