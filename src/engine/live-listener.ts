import { formatAddress } from "../address.ts";
import type { ErrorCode } from "../errors.ts";
import type { Connection, Receiver } from "../net/connection.ts";
import type { Listen } from "../net/listen.ts";
import { COLUMN } from "../observe/columns.ts";
import type { ListenerPlan } from "../plan.ts";
import { acceptCounted } from "./counted-connection.ts";
import type { ListenedClient } from "./client-facts.ts";
import type { Bound } from "./crowd.ts";
import { Door } from "./door.ts";
import type { Entrance } from "./entrance.ts";
import { httpMode } from "./http-mode.ts";
import type { Ending, Mode, ModeParts, ModeSettings } from "./mode.ts";
import { tcpMode } from "./tcp-mode.ts";
import { turnAway, turningAway } from "./turn-away.ts";

/** What a listener is made of. */
export interface ListenerParts extends ModeParts {
  readonly listen: Listen;
  /** Of the worker, through any listener. */
  readonly entrance: Entrance;
}

/** What a plan says of a listener, made ready. */
export interface ListenerSettings extends ModeSettings {
  /**
   * The way into this listener beside that of the worker, with the limits of the plan; `null` where it has none.
   * @param own as it is; `null` where there is none yet
   * @param clients that are connected
   */
  readonly limit: (own: Entrance | null, clients: number) => Entrance | null;
}

/** What is named by this is the same listener in two plans: its socket, and its clients' connections, live on. */
export function listenerKey({ name, address }: ListenerPlan): string {
  return `${name} ${formatAddress(address)}`;
}

/** A listener at work, or one that has left the plan and finishes what it has. */
export class LiveListener {
  readonly #parts: ListenerParts;
  readonly #door: Door;
  #settings: ListenerSettings;
  #mode: Mode;
  /** In the mode that it had before, what is not done yet. */
  #former: Mode[] = [];
  #own: Entrance | null;
  /** What counts connections beside the rooms; `null` where nothing does. */
  #counted: readonly Bound[] | null = null;
  /** Connections accepted and not gone. */
  #accepted = 0;
  readonly #away: ReturnType<typeof turningAway>;

  /** Nothing is accepted before `listen`. */
  constructor(parts: ListenerParts, settings: ListenerSettings) {
    this.#parts = parts;
    this.#settings = settings;
    this.#mode = modeOf(parts, settings);
    this.#door = new Door(parts.row);
    this.#away = turningAway(() => this.#settings.plan.overLimit, parts.row, parts.wheel);
    this.#own = settings.limit(null, 0);
    this.count();
  }

  /** As of the last change. */
  get settings(): ListenerSettings {
    return this.#settings;
  }

  /** Clients' connections that are open, tunnels included. */
  get open(): number {
    return this.#former.reduce((sum, { open }) => sum + open, this.#mode.open);
  }

  /** Starts accepting; see `Engine.listen`. */
  listen(fd: number | undefined, reusePort: boolean | undefined): number {
    const { row, wheel, entrance, listen } = this.#parts;
    const door = this.#door;
    const take = (connection: Connection): Receiver => this.#mode.accept(connection);
    const refuse = (connection: Connection, code: ErrorCode): Receiver => this.#away.receive(connection, code);
    const accept = (connection: Connection): Receiver => {
      row.add(COLUMN.connections, 1);
      const { turnsAway } = door;
      this.#accepted += 1;
      entrance.enter();
      this.#own?.enter();
      if (turnsAway) return turnAway(connection, row, "WEIR_NO_ROOM");
      // The process may have been stopped for longer than a deadline: what is new counts from now.
      wheel.refresh();
      if (this.#counted === null) return this.#mode.accept(connection);
      return acceptCounted(connection, this.#counted, take, refuse);
    };
    const closed = (): void => {
      this.#accepted -= 1;
      entrance.leave();
      this.#own?.leave();
    };
    const listening = listen({ address: this.#settings.plan.address, fd, reusePort, accept, closed });
    door.begin(listening);
    entrance.add(door);
    this.#own?.add(door);
    return listening.port;
  }

  /** Goes by another plan from now on. */
  change(settings: ListenerSettings): void {
    const { plan } = this.#settings;
    this.#settings = settings;
    if (plan.mode === settings.plan.mode) this.#mode.change(settings);
    else {
      this.#former = [...this.#former.filter(({ open }) => open > 0), this.#mode];
      this.#mode.drain();
      this.#mode = modeOf(this.#parts, settings);
    }
    const before = this.#own;
    this.#own = settings.limit(before, this.#accepted);
    if (before === null) this.#own?.add(this.#door);
  }

  /** Asks the entrances anew what they count. */
  count(): void {
    const bounds = [...this.#parts.entrance.bounds, ...(this.#own?.bounds ?? [])];
    this.#counted = bounds.length === 0 ? null : bounds;
  }

  /** Stops accepting; idle connections close, the others when they are done. */
  drain(): void {
    this.stop();
    for (const mode of this.#modes()) mode.drain();
  }

  /** Stops accepting. */
  stop(): void {
    this.#door.end();
    this.#parts.entrance.remove(this.#door);
    this.#own?.stop();
  }

  /** Closes what is left of a drain: of the listener, or only in the mode that it had before. */
  end(what: Ending, formerOnly: boolean): void {
    for (const mode of formerOnly ? this.#former : this.#modes()) mode.end(what);
  }

  /** Whether nothing is left in the mode that it had before. */
  get formerIsOver(): boolean {
    return this.#former.every(({ open }) => open === 0);
  }

  /** Ends what is at one of these backends. @param waiting as in `Mode` */
  evict(links: ReadonlySet<object>, what: Ending, waiting: boolean): void {
    for (const mode of this.#modes()) mode.evict(links, what, waiting);
  }

  /** Closes everything at once. */
  close(): void {
    this.stop();
    for (const mode of this.#modes()) mode.close();
    this.#away.close();
  }

  /** Clients' connections that are open. O(connections). */
  clients(): readonly ListenedClient[] {
    const { name, mode } = this.#settings.plan;
    return this.#modes().flatMap((each) => each.clients().map((client) => ({ ...client, listener: name, mode })));
  }

  #modes(): readonly Mode[] {
    return [this.#mode, ...this.#former];
  }
}

function modeOf(parts: ModeParts, settings: ModeSettings): Mode {
  return settings.plan.mode === "http" ? httpMode(parts, settings) : tcpMode(parts, settings);
}
