import type { Engine } from "../../../engine/engine.ts";

/** Something that only a worker knows and the supervisor may ask. The answer is plain data, small enough for a message. */
export interface Question {
  readonly name: string;
  /**
   * @param argument plain data, not checked yet
   * @throws any error; whoever asked gets its text
   */
  readonly answer: (engine: Engine, argument: unknown) => unknown;
}
