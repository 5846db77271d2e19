import type { Clock } from "../clock.ts";
import type { Ticker } from "../net/network.ts";
import type { Log } from "../observe/log.ts";
import type { ListenerPlan, Plan } from "../plan.ts";
import { type Bound, Crowd } from "./crowd.ts";
import { Entrance, type EntranceLimits } from "./entrance.ts";
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

/** What a plan allows at the way into a worker. @param descriptors that the process may have open */
export function workerLimits(
  plan: Plan,
  descriptors: number,
  { worker, workers }: EntrancesParts,
  known: readonly Bound[],
): EntranceLimits {
  const { waiting: clients, bounds } = boundsOf(plan, worker, workers, known);
  const forConnections = descriptorsForConnections(descriptors, plan.listeners.length);
  const bound = clients < clientsFor(forConnections) ? "limits.connections" : "file descriptors";
  return { clients, descriptors: forConnections, bound, bounds };
}

/**
 * The way into a worker, through any of its listeners.
 * @param descriptors that the process may have open
 */
export function workerEntrance(
  plan: Plan,
  descriptors: number,
  parts: EntrancesParts,
  dialled: Pick<RoomBounds, "dialled" | "giveUpIdle">,
): Entrance {
  const limits = workerLimits(plan, descriptors, parts, []);
  const { log, clock, tick } = parts;
  return new Entrance({ log, clock, tick, ...limits, room: new Room({ ...limits, ...dialled }), listener: null });
}

/**
 * The way into one listener beside that, by its plan: one that is there goes by the plan from now on. `null` where there is none and no limit
 * asks for one.
 * @param own the one that is there
 * @param clients that are connected
 */
export function listenerEntrance(
  plan: ListenerPlan,
  { worker, workers, log, clock, tick }: EntrancesParts,
  own: Entrance | null,
  clients: number,
): Entrance | null {
  const { waiting, bounds } = boundsOf(plan, worker, workers, own?.bounds ?? []);
  if (own !== null) {
    own.limit({ ...boundOfClients(waiting), bound: "limits.connections", bounds });
    return own;
  }
  if (waiting === Number.POSITIVE_INFINITY && bounds.length === 0) return null;
  const room = new Room(boundOfClients(waiting));
  room.admit(clients);
  room.fill();
  return new Entrance({ log, clock, tick, room, bound: "limits.connections", listener: plan.name, bounds });
}

/**
 * One worker's part of the limits of a plan or a listener: clients beyond which all others wait, and what turns clients away.
 * @param known what counted before: it goes on counting, by the limits of the plan. What counts for the first time begins with those who
 * come next.
 */
function boundsOf(
  { connections, connectionsPerAddress, overLimit }: Pick<Plan, "connections" | "connectionsPerAddress" | "overLimit">,
  worker: number,
  workers: number,
  known: readonly Bound[],
): { readonly waiting: number; readonly bounds: readonly Bound[] } {
  const clients = shareOf(connections ?? Number.POSITIVE_INFINITY, worker, workers);
  const crowded = connections !== null && overLimit !== undefined;
  const crowd = known.find((bound) => bound instanceof Crowd);
  const sources = known.find((bound) => bound instanceof Sources);
  const bounds: Bound[] = [];
  if (crowded) bounds.push(limited(crowd ?? new Crowd(clients), clients));
  if (connectionsPerAddress !== undefined) {
    const most = shareOf(connectionsPerAddress, worker, workers);
    bounds.push(limited(sources ?? new Sources(most), most));
  }
  return { waiting: crowded ? Number.POSITIVE_INFINITY : clients, bounds };
}

function limited(bound: Crowd | Sources, most: number): Bound {
  bound.limit(most);
  return bound;
}
