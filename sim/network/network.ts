import { type Address, formatAddress } from "../../src/address.ts";
import type { Receiver } from "../../src/net/connection.ts";
import { cork } from "../../src/net/cork.ts";
import type { Listening, ListenOptions } from "../../src/net/listen.ts";
import type { Network } from "../../src/net/network.ts";
import type { World } from "../world.ts";
import { Endpoint } from "./endpoint.ts";
import { ACTOR_TELLER, type Teller, weirTeller } from "./tellers.ts";
import type { Weather } from "./weather.ts";

/** How long the system tries to reach what does not answer: six repeats of a SYN, 127 s (Linux, `tcp_syn_retries`). */
const SYN_GIVES_UP_MS = 127_000;

type Accept = (end: Endpoint) => Receiver;

interface Listener {
  readonly teller: Teller;
  readonly accept: Accept;
}

const CODES = { refused: "ECONNREFUSED", "refused at once": "ENOENT", unreachable: "EHOSTUNREACH", never: "ETIMEDOUT" };

/** A network on which Weir and the actors of a run find each other by address. */
export class SimNetwork implements Network {
  readonly #world: World;
  readonly #weather: (address: string) => Weather;
  readonly #weir: Teller;
  readonly #listeners: Map<string, Listener> = new Map();
  /** Weir's ends of all connections that there ever were. */
  readonly ends: Endpoint[] = [];
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
    this.#connect(formatAddress(address), "127.0.0.1", this.#weir, `weir>${++this.#names}`, receiver);
  };

  readonly listen = ({ address, accept }: ListenOptions): Listening => {
    const name = formatAddress(address);
    this.#listeners.set(name, {
      teller: this.#weir,
      accept: (end) => {
        this.accepted += 1;
        return accept(end);
      },
    });
    return { port: address.kind === "tcp" ? address.port : 0, stop: () => void this.#listeners.delete(name) };
  };

  readonly tick = (everyMs: number, tick: () => void): (() => void) =>
    this.#world.every(everyMs, () => {
      this.lastTick = this.#world.now;
      tick();
    });

  // What the actors do.

  /** An actor dials. */
  reach(address: string, from: string, receiver: Receiver): void {
    this.#connect(address, from, ACTOR_TELLER, `${from}>`, receiver);
  }

  /** An actor accepts. */
  serve(address: string, accept: Accept): void {
    this.#listeners.set(address, { teller: ACTOR_TELLER, accept });
  }

  #connect(address: string, from: string, teller: Teller, name: string, receiver: Receiver): void {
    const world = this.#world;
    const weather = this.#weather(address);
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
    world.after(there.latencyMs, () => this.#accept(near, address, from, weather, refused));
  }

  #accept(near: Endpoint, address: string, from: string, { back }: Weather, refused: (code: string) => void): void {
    const world = this.#world;
    const listener = this.#listeners.get(address);
    // It stopped listening meanwhile.
    if (listener === undefined) {
      world.after(back.latencyMs, () => refused("ECONNREFUSED"));
      return;
    }
    const far = new Endpoint(world, listener.teller, `${near.name}${address}`, from, back, true);
    Endpoint.join(near, far);
    if (listener.teller === this.#weir) this.ends.push(far);
    else {
      this.opened += 1;
      this.ends.push(near);
    }
    world.after(back.latencyMs, () => near.openUp());
    far.data = listener.accept(far);
    if (listener.teller === this.#weir) cork.flush();
  }
}
