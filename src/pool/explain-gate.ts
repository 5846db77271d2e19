import type { GateQueues } from "./gate-queues.ts";
import type { GateRoom, RoomState } from "./gate-room.ts";
import type { Pool } from "./pool.ts";

/** What a gate would do with one more. */
export interface GateExplained {
  /** `waits`: in a queue, for `choice` alone where that is a backend. `refused`: nothing may wait, or nothing is worth it. */
  readonly outcome: "enters" | "waits" | "refused";
  /** The backend that it enters or waits for; `null` where it is one of `possible`, -1 for none. */
  readonly choice: number | null;
  /** Backends that it may enter now. */
  readonly possible: readonly number[];
  readonly why: string;
  /** The limit of the pool. */
  readonly pool: RoomState;
  /** What waits in this worker. */
  readonly waiting: number;
}

/** The parts of a gate that say what it would do. */
export interface GateView {
  readonly pool: Pool;
  readonly room: GateRoom;
  readonly queues: Pick<GateQueues<unknown>, "size" | "any" | "isWaitedFor" | "hasRoom">;
}

type Verdict = Omit<GateExplained, "pool" | "waiting">;

/**
 * Goes the way of `Gate.enter` and takes nothing on it: room and queues are asked whether they would let one more in. O(candidates).
 * @param pinned as in `Gate.enter`
 */
export function explainGate(view: GateView, key: number, pinned: number): GateExplained {
  const pool = view.room.describe(-1);
  return { ...verdictOf(view, key, pinned, pool.open), pool, waiting: view.queues.size };
}

function verdictOf(view: GateView, key: number, pinned: number, poolOpen: boolean): Verdict {
  const { pool, room, queues } = view;
  if (pinned !== -1) {
    if (poolOpen && !queues.isWaitedFor(pinned) && room.describe(pinned).open)
      return { outcome: "enters", choice: pinned, possible: [pinned], why: "the backend of its cookie has room" };
    if (queues.hasRoom(pinned))
      return {
        outcome: "waits",
        choice: pinned,
        possible: [],
        why: "the backend of its cookie is full, and it waits for that one",
      };
  }
  if (queues.any.size > 0) return pool.takesWork([]) ? full(view, "others wait before it") : none();
  if (!poolOpen) return pool.takesWork([]) ? full(view, "the pool is full") : none();
  const told = pool.explain(key);
  if (told === null || told.choice === -1) return pool.takesWork([]) ? full(view, "all backends are full") : none();
  if (told.choice !== null && room.describe(told.choice).open)
    return {
      outcome: "enters",
      choice: told.choice,
      possible: [told.choice],
      why: "the backend of the policy's choice has room",
    };
  const drawn = told.candidates.filter(({ odds }) => odds !== 0);
  const passes = drawn.some(({ index }) => !room.describe(index).open);
  // Where what the policy chooses is full it is asked again, and then one with room is taken by weight.
  const open = (passes ? told.candidates : drawn)
    .map(({ index }) => index)
    .filter((index) => room.describe(index).open);
  if (open.length === 0) return full(view, "all backends are full");
  return {
    outcome: "enters",
    choice: open.length === 1 ? open[0]! : null,
    possible: open,
    why: passes ? "the policy's choice is or may be full: then another with room is taken" : "there is room",
  };
}

function full({ queues }: GateView, why: string): Verdict {
  return queues.hasRoom(-1)
    ? { outcome: "waits", choice: null, possible: [], why: `${why}: it waits` }
    : { outcome: "refused", choice: -1, possible: [], why: `${why}, and nothing more may wait` };
}

function none(): Verdict {
  return { outcome: "refused", choice: -1, possible: [], why: "no backend takes work" };
}
