import type { Connection, Receiver } from "../../src/net/connection.ts";
import { illness, type Spell } from "../sickness.ts";
import type { World } from "../world.ts";
import { Script } from "./script.ts";

const PASSES = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
const FAILS = Buffer.from("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");

/** A connection on which a backend is probed: it answers as it is at the time. */
export class ProbedConnection implements Receiver {
  readonly #world: World;
  readonly #connection: Connection;
  readonly #script: Script;
  readonly #spells: readonly Spell[];

  constructor(world: World, connection: Connection, spells: readonly Spell[]) {
    this.#world = world;
    this.#connection = connection;
    this.#script = new Script(world, connection);
    this.#spells = spells;
  }

  opened(): void {}

  refused(): void {}

  received(): void {
    const ill = illness(this.#spells, this.#world.now);
    if (ill === null) this.#script.add({ kind: "send", bytes: PASSES });
    else if (ill.how === "says so") this.#script.add({ kind: "send", bytes: FAILS });
    else if (ill.how === "breaks off") this.#connection.terminate();
  }

  drained(): void {
    this.#script.run();
  }

  ended(): void {
    this.#connection.close();
  }

  closed(): void {
    this.#script.stop();
  }
}
