import type { Receiver } from "../../src/net/connection.ts";
import { cork } from "../../src/net/cork.ts";
import type { World } from "../world.ts";
import type { Endpoint } from "./endpoint.ts";
import { ACTOR_TELLER, type Teller } from "./tellers.ts";

/** A listening socket and its queue, as `net/listen.ts` has them: while it is put away, who comes is connected, and waits. */
export class Listener {
  readonly teller: Teller;
  readonly #accept: (end: Endpoint) => Receiver;
  readonly #queue: Endpoint[] = [];
  #paused = false;

  constructor(teller: Teller, accept: (end: Endpoint) => Receiver) {
    this.teller = teller;
    this.#accept = accept;
  }

  /** Whether who comes now has to wait. */
  get waits(): boolean {
    return this.#paused || this.#queue.length > 0;
  }

  /** Somebody comes. */
  arrive(end: Endpoint): void {
    if (this.waits) this.#queue.push(end);
    else this.#take(end);
  }

  pause(): boolean {
    this.#paused = true;
    return true;
  }

  /** The event loop finds those who wait a little later, and takes them until it is paused again. */
  resume(world: World): void {
    this.#paused = false;
    world.after(world.dice.below(100) / 1000, () => {
      while (!this.#paused) {
        const end = this.#queue.shift();
        if (end === undefined) return;
        this.#take(end);
        end.accepted();
      }
    });
  }

  /** Who waits is reset by the system, and nobody is told. */
  stop(): void {
    for (const end of this.#queue.splice(0)) end.terminate();
  }

  #take(end: Endpoint): void {
    end.data = this.#accept(end);
    if (this.teller !== ACTOR_TELLER) cork.flush();
  }
}
