import type { Connection, Receiver } from "../net/connection.ts";
import type { TimerWheel } from "../net/timer-wheel.ts";
import type { Row } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { ListenerPlan } from "../plan.ts";
import type { ExchangeObserver } from "../proxy/exchange-observer.ts";
import type { LiveParts } from "./live-parts.ts";
import type { ClientFacts } from "./client-facts.ts";
import type { Router } from "./router.ts";

/** What the connections of a listener need, whatever its mode. */
export interface ModeParts {
  /** Name of the listener. */
  readonly listener: string;
  readonly row: Row;
  readonly wheel: TimerWheel;
  readonly fineWheel: TimerWheel;
  readonly log: Log;
  /** What runs now, for requests that are to be explained. */
  readonly running: () => LiveParts;
}

/** What may change of a listener while its connections live on. */
export interface ModeSettings {
  readonly plan: ListenerPlan;
  readonly trustedProxies: readonly string[];
  readonly router: Router;
  /** Who makes the records of its exchanges, by `Observers.of` of the plan (engine/observers.ts); `null` where nobody wants them. */
  readonly observer: ExchangeObserver | null;
}

/** What is ended at the deadline of a drain: exchanges, or tunnels. */
export type Ending = "requests" | "tunnels";

/** What a mode does with the connections of a listener. */
export interface Mode {
  accept(connection: Connection): Receiver;
  /** For what comes from now on: new connections, and the next requests on those that are there. */
  change(settings: ModeSettings): void;
  /** Idle connections close, the others when they are done. */
  drain(): void;
  /** Closes what is left of a drain. */
  end(what: Ending): void;
  /**
   * Ends what is at one of these backends.
   * @param waiting first only what waits for room, in all modes: what ends at one of these backends would let it in there
   */
  evict(links: ReadonlySet<object>, what: Ending, waiting: boolean): void;
  /** Closes everything at once. */
  close(): void;
  readonly open: number;
  /** Those that are open. O(connections). */
  clients(): readonly ClientFacts[];
}
