import { type Address, formatAddress } from "../../src/address.ts";
import type { Receiver } from "../../src/net/connection.ts";
import type { Listening, ListenOptions } from "../../src/net/listen.ts";
import type { Network } from "../../src/net/network.ts";
import type { World } from "../world.ts";
import { Endpoint } from "./endpoint.ts";
import { Listener } from "./listener.ts";
import { ACTOR_TELLER, type Teller, weirTeller } from "./tellers.ts";
import { CALM, type Weather } from "./weather.ts";

/** How long the system tries to reach what does not answer: six repeats of a SYN, 127 s (Linux, `tcp_syn_retries`). */
const SYN_GIVES_UP_MS = 127_000;

/** A deadline so far away, of what has left a plan, is one that nobody waits for. */
const LONG_MS = 60_000;

const CODES = { refused: "ECONNREFUSED", "refused at once": "ENOENT", unreachable: "EHOSTUNREACH", never: "ETIMEDOUT" };
const FINE: Weather = { there: CALM, back: CALM, dialling: "opens" };

/** Who dials, and from where. */
interface Dialler {
  readonly teller: Teller;
  readonly name: string;
  readonly from: string;
  /** Where its end is remembered when it is open; `null` for an actor, of whose connections Weir's end is. */
  readonly ends: Endpoint[] | null;
}

/** A network on which Weir and the actors of a run find each other by address. */
export class SimNetwork implements Network {
  readonly #world: World;
  readonly #weather: (address: string) => Weather;
  readonly #weir: Teller;
  /** More than one where workers share an address. */
  readonly #listeners: Map<string, Listener[]> = new Map();
  /** Weir's ends of all connections that there ever were, but for those of probes. */
  readonly ends: Endpoint[] = [];
  readonly probes: Endpoint[] = [];
  /** Connections that Weir dialled and that opened. */
  opened = 0;
  /** Connections that Weir accepted. */
  accepted = 0;
  /** When a wheel of Weir turned last. */
  lastTick = 0;
  #names = 0;

  /** @param weather draws that of a connection to an address */
  constructor(world: World, weather: (address: string) => Weather) {
    this.#world = world;
    this.#weather = weather;
    this.#weir = weirTeller((error) => {
      world.violate(`a handler threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    });
  }

  // What Weir does.

  readonly dial = (address: Address, receiver: Receiver): void => {
    const name = `weir>${++this.#names}`;
    const to = formatAddress(address);
    this.#connect({ teller: this.#weir, name, from: "127.0.0.1", ends: this.ends }, to, this.#weather(to), receiver);
  };

  /** As `dial`, for who probes: the way is always open, so that only a backend's own health decides. */
  readonly dialProbe = (address: Address, receiver: Receiver): void => {
    const name = `probe>${++this.#names}`;
    this.#connect(
      { teller: this.#weir, name, from: "127.0.0.1", ends: this.probes },
      formatAddress(address),
      FINE,
      receiver,
    );
  };

  readonly listen = ({ address, accept, closed }: ListenOptions): Listening => {
    const name = formatAddress(address);
    const listener = new Listener(this.#weir, (end) => {
      this.accepted += 1;
      end.gone = closed ?? end.gone;
      return accept(end);
    });
    this.#listen(name, listener);
    return {
      port: address.kind === "tcp" ? address.port : 0,
      stop: () => {
        const left = (this.#listeners.get(name) ?? []).filter((each) => each !== listener);
        if (left.length > 0) this.#listeners.set(name, left);
        else this.#listeners.delete(name);
        listener.stop();
      },
      pause: () => listener.pause(),
      resume: () => listener.resume(this.#world),
    };
  };

  readonly tick = (everyMs: number, tick: () => void): (() => void) =>
    this.#world.every(
      everyMs,
      () => {
        this.lastTick = this.#world.now;
        tick();
      },
      everyMs >= LONG_MS,
    );

  // What the actors do.

  /** An actor dials. */
  reach(address: string, from: string, receiver: Receiver): void {
    this.#connect(
      { teller: ACTOR_TELLER, name: `${from}>`, from, ends: null },
      address,
      this.#weather(address),
      receiver,
    );
  }

  /**
   * An actor accepts.
   * @param accept told whether it is a probe that comes
   */
  serve(address: string, accept: (end: Endpoint, probes: boolean) => Receiver): void {
    this.#listen(address, new Listener(ACTOR_TELLER, (end) => accept(end, this.probes.at(-1) === end.other)));
  }

  #listen(address: string, listener: Listener): void {
    this.#listeners.set(address, [...(this.#listeners.get(address) ?? []), listener]);
  }

  #connect(dialler: Dialler, address: string, weather: Weather, receiver: Receiver): void {
    const world = this.#world;
    const { teller, name } = dialler;
    const { there, back } = weather;
    const near = new Endpoint(world, teller, name, address, there, false);
    near.data = receiver;
    const refused = (code: string): void => {
      world.note(() => `${name} ${code}`);
      teller.refused(near, Object.assign(new Error(code), { code }));
    };
    const dialling = this.#listeners.has(address) ? weather.dialling : "refused";
    if (dialling !== "opens") {
      const code = CODES[dialling];
      if (dialling === "refused at once") refused(code);
      else world.after(dialling === "never" ? SYN_GIVES_UP_MS : there.latencyMs + back.latencyMs, () => refused(code));
      return;
    }
    world.note(() => `${name} dials ${address}`);
    world.after(there.latencyMs, () => this.#arrive(near, dialler, address, weather, refused));
  }

  #arrive(
    near: Endpoint,
    { from, ends }: Dialler,
    address: string,
    { back }: Weather,
    refused: (code: string) => void,
  ): void {
    const world = this.#world;
    const listeners = this.#listeners.get(address) ?? [];
    // The system chooses among those that share an address, full or not.
    const listener = listeners.length > 1 ? world.dice.pick(listeners) : listeners[0];
    // It stopped listening meanwhile.
    if (listener === undefined) {
      world.after(back.latencyMs, () => refused("ECONNREFUSED"));
      return;
    }
    const far = new Endpoint(world, listener.teller, `${near.name}${address}`, from, back, !listener.waits);
    Endpoint.join(near, far);
    if (ends === null) this.ends.push(far);
    else ends.push(near);
    if (ends === this.ends) this.opened += 1;
    world.after(back.latencyMs, () => near.openUp());
    listener.arrive(far);
  }
}
