import { parseAddress } from "../../src/address.ts";
import type { Connection, Receiver } from "../../src/net/connection.ts";
import { dial } from "../../src/net/dial.ts";
import { listen } from "../../src/net/listen.ts";
import { Dice } from "../dice.ts";
import { World } from "../world.ts";
import { SimNetwork } from "./network.ts";
import { CALM } from "./weather.ts";

/** The side that dialled, and the one that accepted. */
export type Side = "dialled" | "accepted";
/** `some` are five bytes; `much` is more than any buffer takes, and is written on as there is room. */
export type Act = "some" | "much" | "shutdown" | "close" | "terminate" | "pause" | "resume";
/** What a side does, and when: all of a turn at once, and what comes of it before the next turn. */
export type Turn = readonly (readonly [Side, Act])[];

/** What was seen on each side after each turn, in one text. */
export type Seen = readonly string[];

const SOME = Buffer.from("bytes");
const MUCH: Buffer = Buffer.alloc(16 * 2 ** 20, 1);

/** One side: does what a script says, and writes down what it is told. */
class Watcher implements Receiver {
  connection: Connection | null = null;
  readonly #seen: string[] = [];
  /** What the system has not taken of `much`. */
  #rest: Buffer | null = null;

  get text(): string {
    return this.#seen.join(" ");
  }

  do(act: Act): void {
    const { connection } = this;
    if (connection === null) throw new Error("not open");
    if (act === "some") this.#write(connection, SOME);
    else if (act === "much") this.#writeMuch(connection, MUCH);
    else {
      if (act === "shutdown") this.#rest = null;
      this.#see(`>${act}`);
      if (act === "close" || act === "terminate" || act === "shutdown" || act === "pause" || act === "resume")
        connection[act]();
      this.#see("<");
    }
  }

  opened(connection: Connection): void {
    this.connection = connection;
    this.#see("opened");
  }

  refused(error: Error): void {
    this.#see(`refused ${"code" in error ? String(error.code) : ""}`);
  }

  received(): void {
    // How bytes are cut is nobody's promise.
    if (this.#seen.at(-1) !== "received") this.#see("received");
  }

  drained(): void {
    // It may come without need, and tells nothing then.
    if (this.#rest !== null && this.connection !== null) this.#writeMuch(this.connection, this.#rest);
  }

  ended(): void {
    this.#see("ended");
  }

  closed(error: Error | undefined): void {
    this.#see(`closed${error !== undefined && "code" in error ? ` ${String(error.code)}` : ""}`);
  }

  #write(connection: Connection, bytes: Buffer): void {
    const taken = connection.write(bytes);
    this.#see(taken < 0 ? "write closed" : taken === bytes.length ? "write" : "write part");
  }

  #writeMuch(connection: Connection, bytes: Buffer): void {
    const taken = connection.write(bytes);
    this.#rest = taken < 0 || taken === bytes.length ? null : bytes.subarray(taken);
    if (bytes === MUCH) this.#see(this.#rest === null ? "much not blocked" : "much blocked");
    else if (this.#rest === null) this.#see(taken < 0 ? "much closed" : "much written");
  }

  #see(what: string): void {
    this.#seen.push(what);
  }
}

function pair(): { readonly sides: Record<Side, Watcher>; readonly text: () => string } {
  const sides = { dialled: new Watcher(), accepted: new Watcher() };
  return { sides, text: () => `dialled: ${sides.dialled.text} | accepted: ${sides.accepted.text}` };
}

/** Plays a script on the simulated network. */
export function playSimulated(script: readonly Turn[], seed: number): Seen {
  const world = new World(new Dice(seed), null);
  const network = new SimNetwork(world, () => ({ there: CALM, back: CALM, dialling: "opens" }));
  const { sides, text } = pair();
  network.serve("10.0.0.1:80", (end) => {
    sides.accepted.connection = end;
    return sides.accepted;
  });
  network.reach("10.0.0.1:80", "10.0.0.2", sides.dialled);
  world.run(1e6);
  return script.map((turn) => {
    for (const [side, act] of turn) {
      sides[side].do(act);
      // What is done next may find what has come of it, or not.
      world.pass(world.dice.below(100) / 1000);
    }
    world.run(1e6);
    return text();
  });
}

/**
 * Plays a script on the system's sockets.
 * @param expected what may be seen: a turn is over when it is, or when it has not been for long
 */
export async function playReal(script: readonly Turn[], expected: readonly Seen[]): Promise<Seen> {
  const { sides, text } = pair();
  const listening = listen({
    address: parseAddress("127.0.0.1:0"),
    accept(connection) {
      sides.accepted.connection = connection;
      return sides.accepted;
    },
  });
  try {
    dial(parseAddress(`127.0.0.1:${listening.port}`), sides.dialled);
    await until(() => sides.accepted.connection !== null && sides.dialled.connection !== null);
    const seen: string[] = [];
    for (const [index, turn] of script.entries()) {
      for (const [side, act] of turn) sides[side].do(act);
      await until(() => expected.some((each) => each[index] === text()));
      seen.push(text());
    }
    // What should not come has had its chance.
    for (let i = 0; i < 20; i++) await Bun.sleep(1);
    return [...seen.slice(0, -1), text()];
  } finally {
    listening.stop();
    for (const { connection } of Object.values(sides)) connection?.terminate();
  }
}

/** Waits for something; goes on without it after a while, and what is seen then tells. */
async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!holds() && performance.now() < deadline) await Bun.sleep(1);
}
