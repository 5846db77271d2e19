import type { Connection } from "../../src/net/connection.ts";
import type { World } from "../world.ts";

/** One step of what an actor does on its connection. */
export type Step =
  | { readonly kind: "send"; readonly bytes: Buffer }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "do"; readonly act: () => void }
  | { readonly kind: "finish" | "close" | "reset" | "stall" };

/** Does steps on a connection one after another, and waits where the system takes no more. */
export class Script {
  readonly #world: World;
  readonly #connection: Connection;
  readonly #steps: Step[] = [];
  #waiting = false;
  #over = false;

  constructor(world: World, connection: Connection) {
    this.#world = world;
    this.#connection = connection;
  }

  /** Whether all is done that was to be done. */
  get done(): boolean {
    return this.#steps.length === 0;
  }

  add(...steps: readonly Step[]): void {
    this.#steps.push(...steps);
    this.run();
  }

  /** Goes on; to be called when the system has room again. */
  run(): void {
    while (!this.#waiting && !this.#over) {
      const step = this.#steps[0];
      if (step === undefined) return;
      if (step.kind === "send") {
        const taken = this.#connection.write(step.bytes);
        if (taken < 0) return this.stop();
        if (taken < step.bytes.length) {
          this.#steps[0] = { kind: "send", bytes: step.bytes.subarray(taken) };
          return;
        }
      }
      this.#steps.shift();
      this.#other(step);
    }
  }

  /** Does nothing more. */
  stop(): void {
    this.#over = true;
    this.#steps.length = 0;
  }

  #other(step: Step): void {
    switch (step.kind) {
      case "send":
        return;
      case "wait":
        this.#waiting = true;
        this.#world.after(step.ms, () => {
          this.#waiting = false;
          this.run();
        });
        return;
      case "do":
        return step.act();
      case "finish":
        return this.#connection.shutdown();
      case "close":
        this.stop();
        return this.#connection.close();
      case "reset":
        this.stop();
        return this.#connection.terminate();
      case "stall":
        this.#steps.length = 0;
        this.#over = true;
    }
  }
}
