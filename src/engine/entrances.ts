import type { Clock } from "../clock.ts";
import type { Ticker } from "../net/network.ts";
import type { Log } from "../observe/log.ts";
import type { ListenerPlan, Plan } from "../plan.ts";
import { Entrance } from "./entrance.ts";
import { boundOfClients, clientsFor, descriptorsForConnections, Room, type RoomBounds, shareOf } from "./room.ts";
import { Sources } from "./sources.ts";

/** What all entrances of a worker share. */
export interface EntrancesParts {
  readonly worker: number;
  readonly workers: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly tick: Ticker;
}

/** Most clients of one worker: what `limits.connections` leaves it of all of them, and what its file descriptors are enough for. */
export function mostClients(plan: Plan, descriptors: number, worker: number, workers: number): number {
  const own = clientsFor(descriptorsForConnections(descriptors, plan.listeners.length));
  return Math.min(own, shareOf(plan.connections ?? Number.POSITIVE_INFINITY, worker, workers));
}

/**
 * The way into a worker, through any of its listeners.
 * @param descriptors that the process may have open
 */
export function workerEntrance(
  plan: Plan,
  descriptors: number,
  { worker, workers, ...parts }: EntrancesParts,
  dialled: Pick<RoomBounds, "dialled" | "giveUpIdle">,
): Entrance {
  const clients = shareOf(plan.connections ?? Number.POSITIVE_INFINITY, worker, workers);
  const forConnections = descriptorsForConnections(descriptors, plan.listeners.length);
  const room = new Room({ clients, descriptors: forConnections, ...dialled });
  const bound = clients < clientsFor(forConnections) ? "limits.connections" : "file descriptors";
  const sources = sourcesOf(plan.connectionsPerAddress, worker, workers);
  return new Entrance({ ...parts, room, bound, listener: null, sources });
}

/** The way into one listener beside that; `null` where it has no limit of its own. */
export function listenerEntrance(
  { name, connections, connectionsPerAddress }: ListenerPlan,
  { worker, workers, ...parts }: EntrancesParts,
): Entrance | null {
  const sources = sourcesOf(connectionsPerAddress, worker, workers);
  if (connections === null && sources === null) return null;
  const room = new Room(boundOfClients(shareOf(connections ?? Number.POSITIVE_INFINITY, worker, workers)));
  return new Entrance({ ...parts, room, bound: "limits.connections", listener: name, sources });
}

/** One worker's part of the connections that a source address may have. */
function sourcesOf(most: number | undefined, worker: number, workers: number): Sources | null {
  return most === undefined ? null : new Sources(shareOf(most, worker, workers));
}
