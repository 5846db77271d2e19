import type { Clock } from "../clock.ts";
import type { Ticker } from "../net/network.ts";
import type { Log } from "../observe/log.ts";
import type { Door } from "./door.ts";
import type { Room } from "./room.ts";
import type { Bound } from "./crowd.ts";

/** While a room is full, how often is looked for room that no client has made by leaving. */
const LOOK_MS = 250;
/** A room at its limit is full and has room again many times a second: it is told of so often. */
const QUIET_MS = 5000;

/** What is allowed at an entrance. */
export interface EntranceLimits {
  /** Clients at a time; `Infinity` for no bound. */
  readonly clients: number;
  /** See `RoomBounds`. */
  readonly descriptors: number;
  /** What bounds the room, for the log. */
  readonly bound: "file descriptors" | "limits.connections";
  /** What counts those who come, beside the room, and turns away those who are too many. */
  readonly bounds: readonly Bound[];
}

/** What an entrance needs. */
export interface EntranceParts {
  readonly room: Room;
  /** What bounds it, for the log. */
  readonly bound: EntranceLimits["bound"];
  /** Whose it is; `null` for that of all listeners. */
  readonly listener: string | null;
  readonly bounds: EntranceLimits["bounds"];
  readonly log: Log;
  readonly clock: Clock;
  readonly tick: Ticker;
}

/** A room and the listeners that lead into it: they stop accepting while it is full. */
export class Entrance {
  readonly room: Room;
  /** What turns away those who are too many here. */
  bounds: readonly Bound[];
  readonly #parts: EntranceParts;
  #bound: EntranceLimits["bound"];
  readonly #doors: Door[] = [];
  #stop: (() => void) | null = null;
  #toldMs = Number.NEGATIVE_INFINITY;
  /** Whether the log says that accepting is paused. */
  #told = false;
  /** How often it was paused since the log said that it was over. */
  #pauses = 0;

  constructor(parts: EntranceParts) {
    this.#parts = parts;
    this.room = parts.room;
    this.bounds = parts.bounds;
    this.#bound = parts.bound;
  }

  /** To be called before anything comes through the door. */
  add(door: Door): void {
    this.#doors.push(door);
    if (this.room.full) door.shut();
  }

  /** Lets a listener be, which accepts no more. */
  remove(door: Door): void {
    const at = this.#doors.indexOf(door);
    if (at !== -1) this.#doors.splice(at, 1);
  }

  /** Goes by other limits from now on; who is in stays. */
  limit({ clients, descriptors, bound, bounds }: EntranceLimits): void {
    this.#bound = bound;
    this.bounds = bounds;
    this.room.limit(clients, descriptors);
    if (this.room.full) {
      if (this.room.look()) this.#open();
    } else if (this.room.fill()) this.#shut();
  }

  /** A client came. One comparison, while there is room. */
  enter(): void {
    if (this.room.enter()) this.#shut();
  }

  #shut(): void {
    for (const door of this.#doors) door.shut();
    this.#pauses += 1;
    this.#tell();
    this.#stop ??= this.#parts.tick(LOOK_MS, () => this.#look());
  }

  /** A client has gone, and its file descriptor with it. */
  leave(): void {
    if (this.room.leave()) this.#open();
  }

  /** Lets its listeners be, which accept no more, and says nothing more. To be called before their clients leave. */
  stop(): void {
    this.#rest();
    this.#doors.length = 0;
    this.#told = false;
  }

  #rest(): void {
    this.#stop?.();
    this.#stop = null;
  }

  #look(): void {
    if (this.room.look()) this.#open();
    else this.#tell();
  }

  #open(): void {
    this.#rest();
    for (const door of this.#doors) door.open();
    if (!this.#told) return;
    this.#told = false;
    this.#parts.log.info("accepting resumed", { ...this.#fields(), pauses: this.#pauses });
    this.#pauses = 0;
  }

  /** Says that it is paused, unless that was said a moment ago: a pause that lasts is then told of later. */
  #tell(): void {
    if (this.#told) return;
    const now = this.#parts.clock.now();
    if (now - this.#toldMs < QUIET_MS) return;
    this.#toldMs = now;
    this.#told = true;
    const detail = `no room for more connections: ${this.#bound}`;
    this.#parts.log.warn("accepting paused", { ...this.#fields(), code: "WEIR_NO_ROOM", detail });
  }

  #fields(): { readonly listener?: string; readonly clients: number; readonly most: number } {
    const { listener } = this.#parts;
    const { clients, most } = this.room;
    return { ...(listener === null ? {} : { listener }), clients, most };
  }
}
